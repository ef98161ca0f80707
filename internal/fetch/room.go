package fetch

import (
	"errors"
	"fmt"
	"io"

	"moderator/internal/event"
)

// room is the memory that a fetch may take.
type room struct {
	most    int64
	reserve func(bytes int64) bool // of all that is held
}

// firstBytes are reserved of what announces no size; they are doubled as often as it takes.
const firstBytes = 64 << 10

// announced reserves the size that a store announces, -1 where it does not say.
func (r room) announced(size int64) error {
	switch {
	case size > r.most:
		return tooLarge(size, r.most)
	case !r.reserve(size):
		return &event.NotAdmitted{Bytes: size}
	}
	return nil
}

// readAll reads to the end. The size that was announced is not trusted.
func (r room) readAll(from io.Reader, announced int64) ([]byte, error) {
	if err := r.announced(announced); err != nil {
		return nil, err
	}
	size := announced
	if size <= 0 {
		size = min(firstBytes, r.most)
		if !r.reserve(size) {
			return nil, &event.NotAdmitted{Bytes: size}
		}
	}
	data := make([]byte, 0, size)
	var more [1]byte // tells the end from what has no room yet
	for {
		n, err := fill(from, data[len(data):cap(data)])
		data = data[:len(data)+n]
		if err == nil {
			n, err = fill(from, more[:])
			if n > 0 {
				err = nil
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return data, nil
		case err != nil:
			return nil, err
		case int64(len(data)) >= r.most:
			return nil, tooLarge(fmt.Sprintf("over %d", r.most), r.most)
		}
		size = min(2*size, r.most)
		if !r.reserve(size) {
			return nil, &event.NotAdmitted{Bytes: r.most} // its size stays unknown: it begins anew once, not at each doubling
		}
		data = append(append(make([]byte, 0, size), data...), more[0])
	}
}

// fill reads until into is full. Unlike io.ReadFull's, its errors are the reader's own: a body that was cut short is one.
func fill(from io.Reader, into []byte) (n int, err error) {
	for n < len(into) && err == nil {
		var read int
		read, err = from.Read(into[n:])
		n += read
	}
	if n == len(into) {
		err = nil
	}
	return n, err
}
