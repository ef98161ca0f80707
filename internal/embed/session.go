package embed

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"unsafe"

	ort "github.com/yalue/onnxruntime_go"

	"moderator/internal/half"
)

// session is a session of ONNX Runtime on a provider.
type session struct {
	*ort.DynamicAdvancedSession
	provider provider
}

func (s session) Run(inputs, outputs []ort.Value) error {
	return s.provider.inTurn(func() error { return s.DynamicAdvancedSession.Run(inputs, outputs) })
}

func (s session) Destroy() error { return s.provider.inTurn(s.DynamicAdvancedSession.Destroy) }

// newSession builds a session of f's graph on p.
func newSession(f *Folder, p provider, on place) (s session, err error) {
	o, err := sessionOptions(p, on)
	if err != nil {
		return s, err
	}
	defer o.Destroy()
	s.provider = p
	err = p.inTurn(func() (err error) {
		in, out := []string{f.tensors.input}, []string{f.tensors.output}
		if f.graphFile != "" { // from bytes, the runtime would not find the external weights of Constant nodes
			s.DynamicAdvancedSession, err = ort.NewDynamicAdvancedSession(f.graphFile, in, out, o)
		} else {
			s.DynamicAdvancedSession, err = ort.NewDynamicAdvancedSessionWithONNXData(f.graph, in, out, o)
		}
		return err
	})
	return s, err
}

// sessionOptions are those of sessions on p, which the caller destroys. Sessions are single-threaded on the CPU: concurrent
// inferences are faster than one with several threads, and do not spin.
func sessionOptions(p provider, on place) (*ort.SessionOptions, error) {
	o, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	err = errors.Join(
		o.SetIntraOpNumThreads(1),
		o.SetInterOpNumThreads(1),
		o.AddSessionConfigEntry("session.intra_op.allow_spinning", "0"),
		o.SetLogSeverityLevel(ort.LoggingLevelFatal), // errors are returned
	)
	if err == nil {
		err = p.attach(o, on)
	}
	if err != nil {
		return nil, errors.Join(err, o.Destroy())
	}
	return o, nil
}

// slot serves one inference at a time. It has buffers for the largest batch, and a pair of tensors over them for each batch
// size that occurred. Several slots may share a session, whose Run is safe for concurrent use.
type slot struct {
	session runner
	device  int // index of the device in Options.DeviceIDs
	t       tensors
	tables  *tables
	picture int     // numbers of one picture in the input
	shape   []int64 // [3, H, W]
	tail    []int64 // the output's shape without the batch
	sizes   []int   // allowed batch sizes, ascending
	free    bool    // any size up to the largest is allowed
	in      buffer
	out     buffer
	pairs   map[int][2]ort.Value
}

// runner computes one batch. It is a session of ONNX Runtime, except in tests.
type runner interface {
	Run(inputs, outputs []ort.Value) error
}

// buffer is memory that tensors of several sizes share. The tensor's type decides which slice is used. It is pinned, because
// the runtime keeps its address.
type buffer struct {
	float  []float32
	half   []uint16
	pinner runtime.Pinner
}

func (b *buffer) allocate(half bool, n int) {
	if half {
		b.half = make([]uint16, n)
		b.pinner.Pin(&b.half[0])
	} else {
		b.float = make([]float32, n)
		b.pinner.Pin(&b.float[0])
	}
}

// tensor returns a tensor of the shape over the start of b.
func (b *buffer) tensor(shape ort.Shape) (ort.Value, error) {
	if b.half == nil {
		return ort.NewTensor(shape, b.float)
	}
	n := shape.FlattenedSize()
	bytes := unsafe.Slice((*byte)(unsafe.Pointer(&b.half[0])), 2*n)
	return ort.NewCustomDataTensor(shape, bytes, ort.TensorElementDataTypeFloat16)
}

// newSlot allocates the buffers. tail is the output's shape for one picture, without free sizes.
func newSlot(session runner, device int, f *Folder, t *tables, tail []int64, sizes []int, free bool) *slot {
	width, height := f.Target().Size()
	s := &slot{
		session: session, device: device, t: f.tensors, tables: t,
		picture: 3 * width * height, shape: []int64{3, int64(height), int64(width)}, tail: tail,
		sizes: sizes, free: free, pairs: map[int][2]ort.Value{},
	}
	largest := sizes[len(sizes)-1]
	s.in.allocate(s.t.inHalf, largest*s.picture)
	s.out.allocate(s.t.outHalf, largest*s.stride())
	return s
}

// stride returns how many numbers the output has for one picture.
func (s *slot) stride() int { return int(ort.Shape(s.tail).FlattenedSize()) }

// size returns the batch size for n pictures.
func (s *slot) size(n int) int {
	if s.free {
		return n
	}
	i, _ := slices.BinarySearch(s.sizes, n)
	return s.sizes[i]
}

func (s *slot) pair(size int) ([2]ort.Value, error) {
	if p, ok := s.pairs[size]; ok {
		return p, nil
	}
	in, err := s.in.tensor(append(ort.Shape{int64(size)}, s.shape...))
	if err != nil {
		return [2]ort.Value{}, err
	}
	out, err := s.out.tensor(append(ort.Shape{int64(size)}, s.tail...))
	if err != nil {
		_ = in.Destroy() // always nil
		return [2]ort.Value{}, err
	}
	s.pairs[size] = [2]ort.Value{in, out}
	return s.pairs[size], nil
}

// run writes the unit vectors of pictures to vectors. There are at most as many pictures as in the largest batch, each RGB
// of the right length. ok[i] is false if picture i has no vector. Outputs of padding are dropped.
func (s *slot) run(pictures [][]byte, vectors [][]float32, ok []bool) error {
	pair, err := s.pair(s.size(len(pictures)))
	if err != nil {
		return err
	}
	for i, rgb := range pictures {
		if from, to := i*s.picture, (i+1)*s.picture; s.t.inHalf {
			fill(s.in.half[from:to], rgb, &s.tables.half)
		} else {
			fill(s.in.float[from:to], rgb, &s.tables.float)
		}
	}
	if err := s.session.Run([]ort.Value{pair[0]}, []ort.Value{pair[1]}); err != nil {
		return err
	}
	stride := s.stride()
	for i := range pictures {
		v := vectors[i]
		if from := i * stride; s.t.outHalf {
			for k, h := range s.out.half[from : from+len(v)] {
				v[k] = half.ToFloat(h)
			}
		} else {
			copy(v, s.out.float[from:])
		}
		ok[i] = normalise(v)
	}
	return nil
}

// outputTail runs one batch to get the output's shape for one picture, and compares it with the folder's.
func outputTail(session session, f *Folder) ([]int64, error) {
	t := f.tensors
	if t.outHalf { // the binding cannot return a float16 output of unknown shape
		return halfTail(f)
	}
	width, height := f.Target().Size()
	batch := int64(max(t.batch, 1))
	var in buffer
	in.allocate(t.inHalf, int(batch)*3*width*height)
	defer in.pinner.Unpin()
	value, err := in.tensor(ort.NewShape(batch, 3, int64(height), int64(width)))
	if err != nil {
		return nil, err
	}
	defer value.Destroy()
	outputs := []ort.Value{nil}
	if err := session.Run([]ort.Value{value}, outputs); err != nil {
		return nil, err
	}
	defer outputs[0].Destroy()
	shape := outputs[0].GetShape()
	if len(shape) < 2 || shape[0] != batch {
		return nil, fmt.Errorf("the output %s has shape %v for a batch of %d, wanted a vector for each picture", t.output, shape, batch)
	}
	tail := shape[1:]
	if width := int(vectorWidth(tail)); t.width != 0 && t.width != width {
		return nil, otherWidth(t, width)
	}
	return tail, checkTail(t.output, tail)
}

// halfTail returns the shape of f's float16 output for one picture: from the graph, else as the runtime infers it from the
// weights, else with the folder's width.
func halfTail(f *Folder) ([]int64, error) {
	t := f.tensors
	if !slices.Contains(t.tail, -1) {
		return t.tail, nil
	}
	outputs, err := inferredOutputs(f)
	if err != nil {
		return nil, err
	}
	for _, o := range outputs {
		if o.Name == t.output && len(o.Dimensions) == len(t.tail)+1 {
			t.tail = o.Dimensions[1:]
		}
	}
	if len(t.tail) == 1 && t.tail[0] < 0 && t.width > 0 {
		t.tail = []int64{int64(t.width)}
	}
	if slices.ContainsFunc(t.tail, func(d int64) bool { return d < 1 }) {
		return nil, fmt.Errorf("the width of the float16 output %s is unknown: export it with a float32 output or fixed dimensions, or set projection_dim in config.json", t.output)
	}
	if width := int(vectorWidth(t.tail)); t.width != 0 && t.width != width {
		return nil, otherWidth(t, width)
	}
	return t.tail, checkTail(t.output, t.tail)
}

func inferredOutputs(f *Folder) (outputs []ort.InputOutputInfo, err error) {
	if f.graphFile != "" {
		_, outputs, err = ort.GetInputOutputInfo(f.graphFile)
	} else {
		_, outputs, err = ort.GetInputOutputInfoWithONNXData(f.graph)
	}
	return outputs, err
}

func otherWidth(t tensors, width int) error {
	return fmt.Errorf("the output %s is %d wide, but the folder's files say %d: they are not of the same model", t.output, width, t.width)
}

// vectorWidth returns the width of the vector in an output of shape [D], [T, D] or [D, 1, 1] for one picture.
func vectorWidth(tail []int64) int64 {
	if len(tail) == 2 {
		return tail[1]
	}
	return tail[0]
}

func (s *slot) destroy() {
	for _, p := range s.pairs {
		_ = p[0].Destroy() // always nil
		_ = p[1].Destroy()
	}
	s.pairs = nil
	s.in.pinner.Unpin()
	s.out.pinner.Unpin()
}
