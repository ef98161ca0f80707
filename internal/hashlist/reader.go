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

// The formats. Only Own, which is NDJSON, holds everything.
const (
	Own      Format = "moderator"
	HashCSV  Format = "pdq-csv" // hash,quality,filename or hash,filename; with or without a header
	Exchange Format = "tx-csv"  // signal_type,signal_str,collab,category,tags, in any order
	Signals  Format = "signals" // type and hash
	Bare     Format = "hashes"  // a hash, or a line of sha256sum, sha1sum or md5sum, also with --tag
)

// maxLine is the longest line, in bytes: 1000 views of the widest vectors.
const maxLine = 16 << 20

// LineError is the error of one line. The next lines can be read.
type LineError struct {
	Line    int // from 1
	Skipped bool
	Err     error
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

func (e *LineError) Unwrap() error { return e.Err }

// skip returns the error of a correct line that is not flagged.
type skipped struct{ text string }

func (s *skipped) Error() string { return s.text }

func skip(format string, args ...any) error { return &skipped{fmt.Sprintf(format, args...)} }

// Reader reads a list.
type Reader struct {
	Format Format
	Header Header // of moderator's own format

	in    *bufio.Reader
	bare  HashType
	parse func(text string, bare HashType) (Flag, error)
	line  int
	read  int64
	ahead []byte // the first line, if it is a flag
}

// Open finds the format of a list from its first line. bare is the type of hashes of 64 digits whose type the list does not
// say, PDQ or SHA-256; without it, such a list is an error. An empty list is an error, too.
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

// askType returns an error if the type of hashes of 64 digits is unknown.
func (r *Reader) askType(hash string, open bool) error {
	if open && len(hash) == 64 && r.bare == "" {
		return errors.New("its hashes of 64 digits may be PDQ or SHA-256: give --type pdq or --type sha256")
	}
	return nil
}

func unknownFormat(first []byte) error {
	return fmt.Errorf(`no list in a known format, tried were: moderator's own (a first line {"format":%q,"version":%d,…}); `+
		"CSV of hash,quality,filename or hash,filename; CSV of signal_type,signal_str,collab,category,tags; "+
		"lines of a type and a hash (pdq 0123…); lines of a PDQ, SHA-256, SHA-1 or MD5 hash, or as sha256sum and md5sum print them. Its first line is %.60q", ownFormat, Version, first)
}

// Next returns the next flag, io.EOF after the last one, or a *LineError for a bad line. Any other error is one of reading, and
// ends the list.
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

// Line is the number of the last line that Next read.
func (r *Reader) Line() int { return r.line }

// Read is how many bytes of the list were read.
func (r *Reader) Read() int64 { return r.read }

// next returns the next line that is not blank, without surrounding blanks.
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

// readLine returns the next line, which is valid until the next call. It returns the beginning of a line that is too long, with
// a *LineError.
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
