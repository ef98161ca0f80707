package sandbox

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"moderator/internal/imaging"
)

// memory is shared by parent and worker. The parent writes the file, the worker its pixels. Pages take memory only after
// their first use.
type memory struct {
	all    []byte
	file   []byte // Limits.MaxBytes, rounded up to pages
	pixels []byte // as many as one answer may have; see answer.unpack
}

// memorySizes returns the sizes of both parts in bytes. Parent and worker compute them from the same request.
func memorySizes(r imaging.Request) (file, pixels int) {
	page := os.Getpagesize()
	view := 0
	for _, t := range r.Targets {
		width, height := t.Size()
		view += 3 * width * height
	}
	if r.Gray {
		view += imaging.MaxGray
	}
	pages := func(bytes int) int { return (bytes + page - 1) / page * page }
	return pages(int(r.Limits.MaxBytes)), pages(max(1, r.Limits.MaxFrames*imaging.MaxRenderings*len(r.Views)*view))
}

// newMemory creates and maps the memory of one worker. The caller passes the file to the worker and then closes it.
func newMemory(r imaging.Request) (*os.File, *memory, error) {
	file, pixels := memorySizes(r)
	shared, err := sharedFile(int64(file + pixels))
	if err != nil {
		return nil, nil, fmt.Errorf("memory to share with a decode worker, %d bytes: %w", file+pixels, err)
	}
	m, err := mapMemory(shared, r)
	if err != nil {
		return nil, nil, errors.Join(err, shared.Close())
	}
	return shared, m, nil
}

// mapMemory maps the file of newMemory.
func mapMemory(shared *os.File, r imaging.Request) (*memory, error) {
	file, pixels := memorySizes(r)
	info, err := shared.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() != int64(file+pixels) {
		return nil, fmt.Errorf("the shared memory has %d bytes, wanted %d", info.Size(), file+pixels)
	}
	all, err := syscall.Mmap(int(shared.Fd()), 0, file+pixels, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map %d bytes of shared memory: %w", file+pixels, err)
	}
	return &memory{all: all, file: all[:file], pixels: all[file:]}, nil
}

func (m *memory) put(data []byte) { copy(m.file, data) }

// keptFile is how many bytes of the file's part keep their pages for the next file. Allocating pages costs time, and few
// files are larger.
const keptFile = 8 << 20

// trim releases the pages of a large file.
func (m *memory) trim(used int) {
	if used > keptFile {
		releasePages(m.file[keptFile:])
	}
}

func (m *memory) close() {
	if m != nil {
		_ = syscall.Munmap(m.all)
	}
}
