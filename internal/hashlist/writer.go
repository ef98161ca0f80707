package hashlist

import (
	"bufio"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
)

// Writer writes a list.
type Writer struct {
	out   *bufio.Writer
	write func(Flag) (int, error)
}

// NewWriter begins a list. The header is for moderator's own format, and needs neither format nor version.
func NewWriter(w io.Writer, format Format, h Header) (*Writer, error) {
	out := bufio.NewWriterSize(w, 1<<18)
	list := &Writer{out: out}
	table := csv.NewWriter(out)
	row := func(fields ...string) (int, error) {
		err := table.Write(fields)
		table.Flush() // into out
		return 1, err
	}
	var err error
	switch format {
	case Own:
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		h.Format, h.Version = ownFormat, Version
		if h.Models == nil {
			h.Models = []Model{}
		}
		err = encoder.Encode(h)
		list.write = func(f Flag) (int, error) { return 1, encoder.Encode(formatLine(f)) }
	case HashCSV:
		_, err = row("hash", "quality", "filename")
		list.write = func(f Flag) (int, error) {
			p, ok := f.original()
			if !ok {
				return 0, nil
			}
			return row(p.Hash.String(), strconv.Itoa(p.Quality), f.Source)
		}
	case Exchange:
		_, err = row("signal_type", "signal_str", "collab", "category", "tags")
		list.write = func(f Flag) (int, error) {
			return f.each(func(kind HashType, hash string) error {
				_, err := row(string(kind), hash, f.Bank, confirmed[0], "")
				return err
			})
		}
	case Signals:
		list.write = func(f Flag) (int, error) {
			return f.each(func(kind HashType, hash string) error {
				_, err := fmt.Fprintln(out, kind, hash)
				return err
			})
		}
	default:
		return nil, fmt.Errorf("lists cannot be written in format %q, wanted %s, %s, %s or %s", format, Own, HashCSV, Exchange, Signals)
	}
	return list, err
}

// Write adds a flag and returns how many lines it wrote: 0 if the format cannot hold any of the flag's signals.
func (w *Writer) Write(f Flag) (int, error) { return w.write(f) }

// Close writes what is buffered. It does not close the file.
func (w *Writer) Close() error { return w.out.Flush() }

// original returns the PDQ hash of the original view, which other programs compare with.
func (f Flag) original() (PDQ, bool) {
	for _, p := range f.PDQ {
		if p.View == original {
			return p, true
		}
	}
	return PDQ{}, false
}

// each calls a function for every hash that other programs know, and returns how many there are.
func (f Flag) each(do func(kind HashType, hash string) error) (n int, err error) {
	type named struct {
		kind HashType
		hash string
	}
	var all []named
	if p, ok := f.original(); ok {
		all = append(all, named{TypePDQ, p.Hash.String()})
	}
	if f.SHA256 != nil {
		all = append(all, named{TypeSHA256, hex.EncodeToString(f.SHA256)})
	}
	if f.SHA1 != nil {
		all = append(all, named{TypeSHA1, hex.EncodeToString(f.SHA1)})
	}
	if f.MD5 != nil {
		all = append(all, named{TypeMD5, hex.EncodeToString(f.MD5)})
	}
	for _, h := range all {
		if err := do(h.kind, h.hash); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
