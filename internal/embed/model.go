package embed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
)

// Options choose the runtime for a model. The zero value is valid.
type Options struct {
	// Library is the file of the ONNX Runtime library. Empty: the environment variable LibraryEnv; beside the program;
	// .cache/onnxruntime in the working directory and its parents; the system's.
	Library string
	// Provider is auto (or empty), cuda, tensorrt, webgpu, openvino, coreml or cpu.
	Provider string
	// DeviceIDs are the accelerators to use, one session each. Empty: the provider's default device.
	DeviceIDs []int
	// Sessions is how many single-threaded inferences run concurrently on the CPU. 0: as many as the CPU quota allows.
	Sessions int
	// MaxBatch is the most pictures in one inference. 0: 32. An inference on the CPU takes at most 16.
	MaxBatch int
	// Cache is the folder for TensorRT's engines, which take minutes to build. Empty: they are built at each start.
	Cache string
	// Logger gets the results of all tried providers at debug level. nil: slog.Default.
	Logger *slog.Logger
}

// Report says what Open chose.
type Report struct {
	Provider string   // in use
	Devices  []string // names of its devices, if its driver tells them
	Tried    []string // a line for each provider that was tried, in order: "cuda: not in this build of ONNX Runtime"
	Sessions int      // concurrent inferences
	MaxBatch int      // most pictures in one inference
	Library  string   // file of the ONNX Runtime library
	Version  string   // its version
}

// On returns the provider in use, with the names of its devices.
func (r Report) On() string {
	if len(r.Devices) == 0 {
		return r.Provider
	}
	return r.Provider + " (" + strings.Join(r.Devices, ", ") + ")"
}

// ErrClosed is returned by Embed after Close.
var ErrClosed = errors.New("the model is closed")

// VectorError is the error of one picture of a batch that has no vector.
type VectorError struct {
	Index int // in the argument of Embed
	Err   error
}

func (e *VectorError) Error() string { return fmt.Sprintf("picture %d: %v", e.Index, e.Err) }

// Unwrap returns the reason.
func (e *VectorError) Unwrap() error { return e.Err }

// VectorErrors has an error for each picture of a batch without a vector, by ascending index.
type VectorErrors []*VectorError

func (e VectorErrors) Error() string {
	s := make([]string, len(e))
	for i, v := range e {
		s[i] = v.Error()
	}
	return strings.Join(s, "; ")
}

// Unwrap returns each picture's error.
func (e VectorErrors) Unwrap() []error {
	errs := make([]error, len(e))
	for i, v := range e {
		errs[i] = v
	}
	return errs
}

// Model is an open model. It is safe for concurrent use. The caller closes it.
type Model struct {
	folder   *Folder
	report   Report
	sessions []session
	slots    []*slot
	free     *queue
	parallel int // parts of one batch; 1: as few as possible
	largest  int // most pictures in one part
	closed   chan struct{}
	once     sync.Once
}

// Open loads the runtime, builds f's sessions and warms them up. With provider auto it uses the first provider that computes
// a vector; Report lists all that were tried. It returns ctx's error when ctx is done.
func Open(ctx context.Context, f *Folder, o Options) (*Model, error) {
	if o.MaxBatch == 0 {
		o.MaxBatch = 32
	}
	if o.Sessions == 0 {
		o.Sessions = cpuSessions(os.DirFS("/"))
	}
	if o.MaxBatch < 1 || o.Sessions < 1 {
		return nil, fmt.Errorf("MaxBatch %d, Sessions %d: wanted 1 or more", o.MaxBatch, o.Sessions)
	}
	for _, id := range o.DeviceIDs {
		if id < 0 {
			return nil, fmt.Errorf("device id %d: wanted 0 or more", id)
		}
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	list, err := candidates(o.Provider)
	if err != nil {
		return nil, err
	}
	report := Report{}
	if report.Library, report.Version, err = loadLibrary(o.Library); err != nil {
		return nil, err
	}
	var m *Model
	works, tried, err := firstThatWorks(ctx, list, o.Logger, func(p provider) (err error) {
		m, err = openUntil(ctx, f, p, o)
		return err
	})
	report.Tried = tried
	switch {
	case err != nil && works != nil:
		return nil, errors.Join(err, m.destroy())
	case err != nil:
		return nil, err
	case works == nil:
		return nil, fmt.Errorf("model %s does not run on any provider that was tried (%s) with ONNX Runtime %s at %s: choose another provider, or set %s to a library that has it",
			f.Name(), strings.Join(tried, "; "), report.Version, report.Library, LibraryEnv)
	}
	warnOfFixedBatch(f, *works, o)
	report.Provider, report.Devices = works.name, works.inUse(o.DeviceIDs)
	report.Sessions, report.MaxBatch = len(m.slots), m.largest
	m.report = report
	return m, nil
}

// Folder returns the model's folder. Its Dims are known.
func (m *Model) Folder() *Folder { return m.folder }

// Report returns what Open chose.
func (m *Model) Report() Report { return m.report }

// Embed computes the vectors of N pictures. Each has the RGB pixels of Folder().Target().Size(), row-major. The vectors have
// length 1 and Folder().Dims() numbers. The package comment explains the combinations of results.
func (m *Model) Embed(ctx context.Context, pixels [][]byte) ([][]float32, error) {
	width, height := m.folder.Target().Size()
	for i, p := range pixels {
		if len(p) != 3*width*height {
			return nil, fmt.Errorf("picture %d has %d bytes, wanted %d (%d×%d RGB)", i, len(p), 3*width*height, width, height)
		}
	}
	dims := m.folder.Dims()
	all := make([]float32, len(pixels)*dims)
	vectors := make([][]float32, len(pixels))
	for i := range vectors {
		vectors[i] = all[i*dims : (i+1)*dims : (i+1)*dims]
	}
	ok := make([]bool, len(pixels))

	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(len(m.slots))
	from := 0
	for _, n := range parts(len(pixels), m.parallel, m.largest) {
		pictures, into, done := pixels[from:from+n], vectors[from:from+n], ok[from:from+n]
		from += n
		work.Go(func() error {
			s, err := m.acquire(ctx)
			if err != nil {
				return err
			}
			defer m.free.release(s)
			return s.run(pictures, into, done)
		})
	}
	if err := work.Wait(); err != nil {
		return nil, err
	}
	var failed VectorErrors
	for i := range vectors {
		if !ok[i] {
			vectors[i] = nil
			failed = append(failed, &VectorError{Index: i, Err: ErrNoVector})
		}
	}
	if failed != nil {
		return vectors, failed
	}
	return vectors, nil
}

// parts splits n pictures into parts of at most largest, and returns their sizes. With parallel > 1 the parts are even, and
// their number is a multiple of parallel or n. Else all parts but the last are full, as accelerators need it.
func parts(n, parallel, largest int) []int {
	count := (n + largest - 1) / largest
	if parallel > 1 {
		count = min((count+parallel-1)/parallel*parallel, n)
	}
	sizes := make([]int, count)
	for i := range sizes {
		if parallel > 1 {
			sizes[i] = n*(i+1)/count - n*i/count
		} else {
			sizes[i] = min(largest, n-i*largest)
		}
	}
	return sizes
}

// acquire waits for a free slot.
func (m *Model) acquire(ctx context.Context) (*slot, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case <-m.closed:
		return nil, ErrClosed
	default:
	}
	select {
	case <-m.free.tokens:
		return m.free.take(), nil
	case <-m.closed:
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Close waits for running inferences and frees the sessions. It may be called more than once.
func (m *Model) Close() error {
	var err error
	m.once.Do(func() {
		close(m.closed)
		for range m.slots {
			<-m.free.tokens
		}
		err = m.destroy()
	})
	return err
}

func (m *Model) destroy() error {
	for _, s := range m.slots {
		s.destroy()
	}
	var errs []error
	for _, s := range m.sessions {
		errs = append(errs, s.Destroy())
	}
	return errors.Join(errs...)
}
