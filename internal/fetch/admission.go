package fetch

import (
	"errors"
	"fmt"
	"io"

	"moderator/internal/event"
)

// memory bounds and reserves the memory of one fetch.
type memory struct {
	most    int64
	reserve func(bytes int64) bool // reserves bytes in all, including earlier reservations
}

// firstBytes is the first reservation if the size is unknown. It is doubled as needed.
const firstBytes = 64 << 10

// reserveAnnounced reserves the size that a store announces. It is -1 if the store does not tell.
func (m memory) reserveAnnounced(size int64) error {
	switch {
	case size > m.most:
		return tooLarge(size, m.most)
	case !m.reserve(size):
		return &event.NotAdmitted{Bytes: size}
	}
	return nil
}

// readAll reads to the end. It does not trust the announced size.
func (m memory) readAll(from io.Reader, announced int64) ([]byte, error) {
	if err := m.reserveAnnounced(announced); err != nil {
		return nil, err
	}
	size := announced
	if size <= 0 {
		size = min(firstBytes, m.most)
		if !m.reserve(size) {
			return nil, &event.NotAdmitted{Bytes: size}
		}
	}
	data := make([]byte, 0, size)
	var more [1]byte // tells the end from a full buffer
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
		case int64(len(data)) >= m.most:
			return nil, tooLarge(fmt.Sprintf("over %d", m.most), m.most)
		}
		size = min(2*size, m.most)
		if !m.reserve(size) {
			return nil, &event.NotAdmitted{Bytes: m.most} // the size is unknown: start over once, not at each doubling
		}
		data = append(append(make([]byte, 0, size), data...), more[0])
	}
}

// fill reads until into is full. Unlike io.ReadFull, it returns the reader's own error, which tells a truncated body.
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
