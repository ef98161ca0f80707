package hashlist

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Format names a list's format.
type Format string

// The formats. Own is the only one that holds everything; NDJSON.
const (
	Own      Format = "moderator"
	HashCSV  Format = "pdq-csv" // hash,quality,filename or hash,filename; with or without this header
	Exchange Format = "tx-csv"  // signal_type,signal_str,collab,category,tags, in any order
	Signals  Format = "signals" // type and hash
	Bare     Format = "hashes"  // a hash, or what sha256sum and md5sum print, with --tag too
)

// maxLine bounds a line, in bytes: 1000 views of the widest vectors.
const maxLine = 16 << 20

// LineError is what is wrong with one line. Reading goes on behind it.
type LineError struct {
	Line    int // from 1
	Skipped bool
	Err     error
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

func (e *LineError) Unwrap() error { return e.Err }

// skipped is the error of a line that is right, and no flag of a picture.
type skipped struct{ text string }

func (s *skipped) Error() string { return s.text }

func skip(format string, args ...any) error { return &skipped{fmt.Sprintf(format, args...)} }

// Reader reads a list.
type Reader struct {
	Format Format
	Header Header // of our own format

	in    *bufio.Reader
	bare  HashType
	parse func(text string, bare HashType) (Flag, error)
	line  int
	read  int64
	ahead []byte // the first line, where it is a flag
}

// Open finds out which format a list has, by its first line. Bare says what bare hashes of 64 digits are, which PDQ and
// SHA-256 both have; without it such a list is an error that says so. An empty list is one of none.
func Open(r io.Reader, bare HashType) (*Reader, error) {
	list := &Reader{in: bufio.NewReaderSize(r, 1<<20), bare: bare}
	first, err := list.next()
	var long *LineError
	switch {
	case errors.Is(err, io.EOF):
		return nil, errors.New("the list is empty")
	case errors.As(err, &long):
		return nil, unknownFormat(first)
	case err != nil:
		return nil, err
	}
	return list, list.recognise(string(first))
}

func (r *Reader) recognise(first string) error {
	r.ahead = []byte(first)
	header, own, err := parseHeader([]byte(first))
	if own {
		r.Format, r.Header, r.ahead = Own, header, nil
		r.parse = func(text string, _ HashType) (Flag, error) { return parseLine([]byte(text)) }
		return err
	}
	if c, ok := headerColumns(first); ok {
		r.ahead = nil
		r.Format, r.parse = HashCSV, c.hashLine
		if slices.Contains(c.names, "signal_str") {
			r.Format, r.parse = Exchange, c.exchangeLine
		}
		return nil
	}
	if c, hash, ok := unnamedColumns(first); ok {
		r.Format, r.parse = HashCSV, c.hashLine
		return r.askType(hash, !slices.Contains(c.names, "quality"))
	}
	if _, ok := cutTagged(first); ok {
		r.Format, r.parse = Bare, bareLine
		return nil
	}
	if kind := strings.Fields(first)[0]; kind != first && knownType(signalType(kind)) {
		r.Format, r.parse = Signals, typedLine
		return nil
	}
	if s := cutSum(first); looksHashed(s.hash) {
		r.Format, r.parse = Bare, bareLine
		return r.askType(s.hash, !s.named)
	}
	return unknownFormat([]byte(first))
}

// askType is an error where nobody says what a hash of 64 digits is.
func (r *Reader) askType(hash string, open bool) error {
	if open && len(hash) == 64 && r.bare == "" {
		return errors.New("its hashes of 64 digits may be PDQ or SHA-256: say which with --type pdq or --type sha256")
	}
	return nil
}

func unknownFormat(first []byte) error {
	return fmt.Errorf(`no list in a known format, tried were: moderator's own (a first line {"format":%q,"version":%d,…}); `+
		"CSV of hash,quality,filename or hash,filename; CSV of signal_type,signal_str,collab,category,tags; "+
		"lines of a type and a hash (pdq 0123…); lines of a PDQ, SHA-256 or MD5 hash, or as sha256sum and md5sum print them. Its first line is %.60q", ownFormat, Version, first)
}

// Next returns the next flag, io.EOF after the last, or a *LineError for a line that is none; other errors are those of
// reading, and end the list.
func (r *Reader) Next() (Flag, error) {
	text, err := r.next()
	if err != nil {
		return Flag{}, err
	}
	f, err := r.parse(string(text), r.bare)
	if err == nil {
		err = f.check()
	}
	if err != nil {
		var skip *skipped
		return Flag{}, &LineError{Line: r.line, Skipped: errors.As(err, &skip), Err: err}
	}
	return f, nil
}

// Line is the number of the line that Next returned last.
func (r *Reader) Line() int { return r.line }

// Read is how many bytes of the list were taken.
func (r *Reader) Read() int64 { return r.read }

// next returns the next line that says something, without the blanks around it.
func (r *Reader) next() ([]byte, error) {
	if r.ahead != nil {
		text := r.ahead
		r.ahead = nil
		return text, nil
	}
	for {
		text, err := r.readLine()
		if err != nil {
			return text, err
		}
		text = bytes.TrimSpace(text)
		if r.line == 1 {
			text = bytes.TrimPrefix(text, []byte("\uFEFF"))
		}
		if len(text) > 0 && text[0] != '#' {
			return text, nil
		}
	}
}

// readLine returns the next line, which is valid until the following call. Of one that is too long it returns the
// beginning with a *LineError.
func (r *Reader) readLine() ([]byte, error) {
	text, err := r.in.ReadSlice('\n')
	r.read += int64(len(text))
	if len(text) > 0 {
		r.line++
	}
	if !errors.Is(err, bufio.ErrBufferFull) {
		if errors.Is(err, io.EOF) && len(text) > 0 {
			err = nil
		}
		return text, err
	}
	long := bytes.Clone(text)
	for errors.Is(err, bufio.ErrBufferFull) {
		text, err = r.in.ReadSlice('\n')
		r.read += int64(len(text))
		if len(long) <= maxLine {
			long = append(long, text...)
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(long) > maxLine {
		return long[:maxLine], &LineError{Line: r.line, Err: fmt.Errorf("it is longer than %d bytes", maxLine)}
	}
	return long, nil
}
