package exchange

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"moderator/internal/hashlist"
	"moderator/internal/matchdb"
)

// list reads a list in any format of hashlist, from a file or by HTTP. Each fetch that finds other bytes than the last one is a whole
// one: what is not in the list any more is dropped.
type list struct {
	*web
	reader
	file *os.File // its copy, which the fetch reads
	sum  string   // of its bytes
	all  *hashlist.Reader
}

const (
	mostList = 16 << 30 // bytes
	listPage = 2000     // flags
)

func newList(w *web, name string, s Settings) source {
	w.client.Timeout = 0 // a list has no bound on its time but the connection's
	w.sign = func(r *http.Request) {
		if token := w.creds.values["token"]; token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		if user := w.creds.values["username"]; user != "" {
			r.SetBasicAuth(user, w.creds.values["password"])
		}
	}
	return &list{web: w, reader: reader{name: name, Settings: s}}
}

// unchanged copies the list, and reports whether it has the bytes of which place was the end.
func (l *list) unchanged(ctx context.Context, place json.RawMessage) (bool, error) {
	in, err := l.body(ctx)
	if err != nil {
		return false, err
	}
	defer func() { _ = in.Close() }()
	if l.file, err = os.CreateTemp("", "moderator-list-"); err != nil {
		return false, err
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(l.file, sum), io.LimitReader(in, mostList+1))
	switch {
	case err != nil:
		return false, fmt.Errorf("the list broke off: %w", withoutURL(err))
	case n > mostList:
		return false, fmt.Errorf("the list is longer than %d GiB", mostList>>30)
	}
	l.sum = hex.EncodeToString(sum.Sum(nil))
	var last string
	_ = json.Unmarshal(place, &last) // of no place: ""
	return last == l.sum, nil
}

func (l *list) body(ctx context.Context) (io.ReadCloser, error) {
	if l.root.Scheme == "" {
		file, err := os.Open(l.root.Path)
		if err != nil {
			return nil, fmt.Errorf("the list cannot be read: %w", err)
		}
		return file, nil
	}
	return l.open(ctx)
}

func (l *list) next(context.Context, json.RawMessage) (page, error) {
	l.page = page{}
	if l.all == nil {
		if _, err := l.file.Seek(0, io.SeekStart); err != nil {
			return page{}, err
		}
		var err error
		if l.all, err = hashlist.Open(l.file, hashlist.HashType(l.Type)); err != nil {
			return page{}, err
		}
	}
	for len(l.page.Entries) < listPage {
		f, err := l.all.Next()
		var line *hashlist.LineError
		switch {
		case errors.Is(err, io.EOF):
			l.page.last = true
			l.page.Checkpoint, err = json.Marshal(l.sum)
			return l.page, err
		case errors.As(err, &line) && line.Skipped:
			l.refuse("line of another signal, or not confirmed")
			continue
		case errors.As(err, &line):
			l.refuse("line that cannot be read")
			continue
		case err != nil:
			return page{}, err
		}
		if fault := l.flat(&f); fault != "" {
			l.refuse(fault)
			continue
		}
		f.Bank = "" // the exchange's
		if f.Source == "" {
			f.Source = l.name
		}
		l.page.Entries = append(l.page.Entries, matchdb.ExchangeEntry{Key: hex.EncodeToString(f.Key()), Flags: []hashlist.Flag{f}})
	}
	return l.page, nil
}

// flat drops PDQ hashes of flat pictures, and returns why nothing of the flag is left, or its file hash is none.
func (l *list) flat(f *hashlist.Flag) (fault string) {
	kept := f.PDQ[:0]
	for _, p := range f.PDQ {
		if _, why := flagOf("pdq", p.Hash.String()); why != "" {
			fault = "pdq: " + why
			continue
		}
		kept = append(kept, p)
	}
	f.PDQ = kept
	for kind, sum := range map[string][]byte{"md5": f.MD5, "sha1": f.SHA1, "sha256": f.SHA256} {
		if sum != nil && strings.Trim(hex.EncodeToString(sum), "0") == "" {
			return kind + ": all zero"
		}
	}
	if f.HasFile() || len(f.PDQ) > 0 || len(f.Embeddings) > 0 {
		return ""
	}
	return fault
}

func (l *list) close() {
	if l.file != nil {
		_ = l.file.Close()
		_ = os.Remove(l.file.Name())
	}
}
