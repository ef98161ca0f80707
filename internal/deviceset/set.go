package deviceset

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"unsafe"

	"github.com/google/uuid"
	ort "github.com/yalue/onnxruntime_go"

	"moderator/internal/embed"
	"moderator/internal/half"
)

const (
	granule    = 1024     // rows by which the last block grows
	blockBytes = 64 << 20 // of a block's rows in float32, which the device holds while it searches the block
)

// Set is vectors r on a device, each with a penalty, for queries q: the nearest have the highest q·r − penalty. It is safe for
// concurrent use. Its memory on the device is given back when nothing refers to it.
type Set struct {
	dims, width int
	perBlock    int // rows

	mu       sync.Mutex // of the fields below
	ids      []uuid.UUID
	onDevice *resident
}

// resident is what a Set has on its device.
type resident struct {
	on      *embed.Device
	session *ort.DynamicAdvancedSession
	blocks  []*block
	last    []uint16 // rows of the last block
	copied  int      // rows of the last block that are on the device
}

// block is rows in the device's memory.
type block struct {
	binding *ort.IoBinding
	pinner  runtime.Pinner // of the rows, where the device reads them in place
}

// widthOf is how many numbers a row has: those of the vector, 1 − penalty as Postgres stores it, and zeros up to a multiple of
// eight, which matrix units of GPUs work on.
func widthOf(dims int) int { return (dims + 1 + 7) / 8 * 8 }

// NewSet returns an empty set of vectors of dims numbers.
func (d *Device) NewSet(dims int) (*Set, error) { return newSet(d.on, dims) }

func newSet(on *embed.Device, dims int) (*Set, error) {
	width := widthOf(dims)
	session, err := on.Session(graph(width), []string{queriesName, rowsName}, []string{scoresName, placesName})
	if err != nil {
		return nil, fmt.Errorf("open the graph of searches: %w", err)
	}
	s := &Set{dims: dims, width: width, perBlock: max(blockBytes/(4*width)/granule, 1) * granule, onDevice: &resident{on: on, session: session}}
	runtime.AddCleanup(s, func(r *resident) { _ = r.destroy() }, s.onDevice) // nobody is left to get the error
	return s, nil
}

// Len is the number of vectors.
func (s *Set) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.ids)
}

// Bytes is the device's memory that the vectors take.
func (s *Set) Bytes() int64 { return int64(s.Len()) * int64(2*s.width) }

// Add adds a vector of what the id names. A block that is full is copied to the device. It panics when the vector has another width
// than the set.
func (s *Set) Add(id uuid.UUID, vector []float32, penalty float32) error {
	if len(vector) != s.dims {
		panic(fmt.Sprintf("deviceset: a vector of %d numbers into a set of %d", len(vector), s.dims))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.onDevice
	if len(r.last) == s.perBlock*s.width {
		if err := r.copyLast(s.width); err != nil {
			return err
		}
		if r.last, r.copied = r.last[:0], 0; !r.on.Copies() {
			r.last = nil // which the block keeps
		}
	}
	r.last = append(r.last, s.row(vector, 1-penalty)...)
	s.ids = append(s.ids, id)
	return nil
}

// row is a vector with one more number, in float16.
func (s *Set) row(vector []float32, more float32) []uint16 {
	row := make([]uint16, s.width)
	for i, x := range vector {
		row[i] = half.FromFloat(x)
	}
	row[s.dims] = half.FromFloat(more)
	return row
}

// copyLast copies the last block, of which some rows are not on the device yet. Rows of zeros fill the granule up.
func (r *resident) copyLast(width int) error {
	rows := len(r.last) / width
	if rows == r.copied {
		return nil
	}
	filled := (rows + granule - 1) / granule * granule
	r.last = slices.Grow(r.last, (filled-rows)*width)
	all := r.last[:filled*width]
	clear(all[len(r.last):])
	err := r.on.InTurn(func() error {
		last, err := r.newBlock(all, width)
		if err != nil {
			return err
		}
		if r.copied > 0 {
			end := len(r.blocks) - 1
			err = r.blocks[end].destroy()
			r.blocks = r.blocks[:end]
		}
		r.blocks, r.copied = append(r.blocks, last), rows
		return err
	})
	if err != nil {
		return fmt.Errorf("copy %d rows to %s: %w", rows, r.on, err)
	}
	return nil
}

// newBlock binds rows, which the device copies or reads in place.
func (r *resident) newBlock(rows []uint16, width int) (*block, error) {
	binding, err := r.session.CreateIoBinding()
	if err != nil {
		return nil, err
	}
	b := &block{binding: binding}
	value, err := tensor(&b.pinner, rows, width)
	if err == nil {
		err = errors.Join(binding.BindInput(rowsName, value), value.Destroy())
	}
	if err != nil {
		return nil, errors.Join(err, b.destroy())
	}
	if r.on.Copies() {
		b.pinner.Unpin()
	}
	return b, nil
}

func (b *block) destroy() error {
	err := b.binding.Destroy()
	b.pinner.Unpin()
	return err
}

// tensor is numbers in float16, width a row, which pinner holds in their place.
func tensor(pinner *runtime.Pinner, numbers []uint16, width int) (*ort.CustomDataTensor, error) {
	pinner.Pin(&numbers[0])
	bytes := unsafe.Slice((*byte)(unsafe.Pointer(&numbers[0])), 2*len(numbers))
	return ort.NewCustomDataTensor(ort.NewShape(int64(len(numbers)/width), int64(width)), bytes, ort.TensorElementDataTypeFloat16)
}

// destroy frees what is on the device. It may be called more than once.
func (r *resident) destroy() error {
	return r.on.InTurn(func() error {
		var errs []error
		for _, b := range r.blocks {
			errs = append(errs, b.destroy())
		}
		r.blocks = nil
		if r.session != nil {
			errs = append(errs, r.session.Destroy())
			r.session = nil
		}
		return errors.Join(errs...)
	})
}
