package hub

import (
	"cmp"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// errAbsent means that the repository does not have the file.
var errAbsent = errors.New("the repository does not have it")

// description is what the hub says of a file.
type description struct {
	commit string
	size   int64
	etag   string // SHA-256 in hex of a large file, git's SHA-1 of a small one
}

const (
	attempts = 5
	pause    = time.Second // before the second attempt; doubles
	silence  = time.Minute // after which a connection is given up
)

// fetch puts a file into the folder, unless it is there and is the right one. A lost connection is resumed.
func (c *Client) fetch(ctx context.Context, name string) error {
	about, err := c.head(ctx, c.commit, name)
	if err != nil {
		return err
	}
	target := filepath.Join(c.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	if about.check(target) == nil { // of an earlier try
		return nil
	}
	for n := 1; ; n++ {
		err = c.resume(ctx, name, target+".part", about)
		if err == nil || n == attempts || ctx.Err() != nil || errors.As(err, new(*refusal)) {
			break
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause << (n - 1)):
		}
	}
	if err != nil {
		return fmt.Errorf("fetch %s: %w: what has arrived is kept, run the command again", name, err)
	}
	if err := about.check(target + ".part"); err != nil {
		return fmt.Errorf("fetch %s: %w: it is deleted, run the command again", name, errors.Join(err, os.Remove(target+".part")))
	}
	return os.Rename(target+".part", target)
}

// resume appends what is missing to the file at path.
func (c *Client) resume(ctx context.Context, name, path string, about description) (err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	have, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if have > about.size { // of something else
		have = 0
	}
	if have == about.size {
		return file.Truncate(have)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silent := time.AfterFunc(silence, func() { cancel(fmt.Errorf("the server has sent nothing for %v", silence)) })
	defer silent.Stop()
	answer, err := c.do(ctx, http.MethodGet, c.commit, name, have)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusPartialContent {
		have = 0 // the server sends the whole file
	} else if !strings.HasPrefix(answer.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", have)) {
		return fmt.Errorf("the server sent %q in place of the bytes from %d on", answer.Header.Get("Content-Range"), have)
	}
	if err := file.Truncate(have); err != nil {
		return err
	}
	if _, err := file.Seek(have, io.SeekStart); err != nil {
		return err
	}
	written, err := io.Copy(file, &counted{io.LimitReader(answer.Body, about.size-have+1), silent, c, name, have, about.size})
	switch {
	case err != nil:
		return cmp.Or(context.Cause(ctx), err)
	case have+written < about.size:
		return fmt.Errorf("the connection ended after %d of %d bytes", have+written, about.size)
	case have+written > about.size:
		return &refusal{fmt.Sprintf("the server sends more than the %d bytes of the file", about.size)}
	}
	return nil
}

// counted reports the progress of a reader.
type counted struct {
	io.Reader
	silent *time.Timer
	client *Client
	name   string
	done   int64
	all    int64
}

func (r *counted) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.silent.Reset(silence)
	r.done += int64(n)
	if r.client.Progress != nil {
		r.client.Progress(r.name, min(r.done, r.all), r.all)
	}
	return n, err
}

// check compares a file's size and hash with the hub's.
func (d description) check(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if info.Size() != d.size {
		return fmt.Errorf("it has %d bytes, the hub says %d", info.Size(), d.size)
	}
	var sum hash.Hash
	kind := "SHA-256"
	if len(d.etag) == sha256.Size*2 {
		sum = sha256.New()
	} else {
		sum, kind = sha1.New(), "git hash"
		fmt.Fprintf(sum, "blob %d\x00", d.size)
	}
	if _, err := io.Copy(sum, file); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != d.etag {
		return fmt.Errorf("it has the %s %s, the hub says %s", kind, got, d.etag)
	}
	return nil
}

// head asks for a file's size and hash. They are in the hub's own answer, not in that of the server that holds large files, so
// that only redirects within the hub are followed.
func (c *Client) head(ctx context.Context, revision, name string) (d description, err error) {
	answer, err := c.do(ctx, http.MethodHead, revision, name, 0)
	if err != nil {
		return d, fmt.Errorf("ask for %s: %w", name, err)
	}
	defer answer.Body.Close()
	etag, size := answer.Header.Get("X-Linked-Etag"), answer.Header.Get("X-Linked-Size")
	if etag == "" {
		etag, size = answer.Header.Get("Etag"), answer.Header.Get("Content-Length")
	}
	d.commit, d.etag = answer.Header.Get("X-Repo-Commit"), strings.ToLower(strings.Trim(strings.TrimPrefix(etag, "W/"), `"`))
	if d.size, err = strconv.ParseInt(size, 10, 64); err != nil || d.size < 0 {
		return d, fmt.Errorf("ask for %s: the hub does not say its size", name)
	}
	if !isHex(d.etag) || (len(d.etag) != 2*sha256.Size && len(d.etag) != 2*sha1.Size) {
		return d, fmt.Errorf("ask for %s: the hub does not say its hash (ETag is %q)", name, etag)
	}
	return d, nil
}

func isHex(text string) bool {
	_, err := hex.DecodeString(text)
	return err == nil
}
