package sandbox

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"moderator/internal/imaging"
)

// Argument is the hidden command that makes our binary a worker.
const Argument = "decode-worker"

// pipeBuffer holds a response of the usual size, so that it takes one system call.
const pipeBuffer = 1 << 20

// Work is a worker process's whole life: it reads its settings from in, confines itself, says so on out, and decodes
// until in is closed.
func Work(in io.Reader, out io.Writer) error {
	reader, writer := bufio.NewReaderSize(in, 64<<10), bufio.NewWriterSize(out, pipeBuffer)
	var s settings
	if err := readJSON(reader, &s); err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	if err := imaging.Start(); err != nil {
		return err
	}
	hello, err := confine(s)
	if err != nil {
		return fmt.Errorf("confine the decoder: %w", err)
	}
	if err := writeJSON(writer, hello); err != nil {
		return err
	}
	if err := writer.Flush(); err != nil {
		return err
	}
	for {
		data, err := readFrame(reader, s.Request.Limits.MaxBytes)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read a picture: %w", err)
		}
		if err := limitCPU(s.CPUTime); err != nil {
			return err
		}
		result, err := imaging.Decode(data, s.Request)
		if err := writeResult(writer, result, err); err != nil {
			return err
		}
		if err := writer.Flush(); err != nil {
			return err
		}
	}
}
