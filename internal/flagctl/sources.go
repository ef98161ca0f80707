package flagctl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"moderator/internal/event"
	"moderator/internal/fetch"
)

// stdin is the argument that stands for standard input.
const stdin = "-"

// expand returns the files and URLs of a verb's arguments, with the files of folders. It reports on stderr what it leaves out
// of a folder. A missing argument is returned, so that reading it fails; if all are missing, that is expand's error.
func (c *cli) expand(args []string) ([]string, error) {
	var sources []string
	var missing []error
	for _, arg := range args {
		if isURL(arg) || arg == stdin {
			sources = append(sources, arg)
			continue
		}
		info, err := os.Stat(arg)
		switch {
		case err != nil:
			missing = append(missing, absent(arg, err))
			sources = append(sources, arg)
		case info.IsDir():
			files, left := walk(arg)
			sources = append(sources, files...)
			if left != "" {
				fmt.Fprintf(c.stderr, "left out of %s: %s: name them to take them\n", printable(arg), left)
			}
		default:
			sources = append(sources, arg)
		}
	}
	switch {
	case len(sources) == 0:
		return nil, fmt.Errorf("no files in %s", strings.Join(args, ", "))
	case len(missing) == len(sources):
		return nil, errors.Join(missing...)
	}
	return sources, nil
}

// absent returns the error for an argument that os.Stat refuses.
func absent(name string, err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if target, err := os.Readlink(name); err == nil {
		return fmt.Errorf("%s: a link to %s, which does not exist: correct it or leave it out", name, target)
	}
	return fmt.Errorf("%s: no such file or folder: give pictures, folders of pictures, or URLs", name)
}

// walk returns the files of a folder, and in words what it left out: hidden files, and links, which may lead out of the
// folder. A subfolder that cannot be read is among the files, so that reading it gives the error.
func walk(folder string) (files []string, left string) {
	var hidden, links, others int
	_ = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error { // the function returns no error
		switch {
		case err != nil:
			files = append(files, path)
		case path == folder:
		case strings.HasPrefix(entry.Name(), "."):
			hidden++
			if entry.IsDir() {
				return fs.SkipDir
			}
		case entry.Type()&fs.ModeSymlink != 0:
			links++
		case entry.Type().IsRegular():
			files = append(files, path)
		case !entry.IsDir():
			others++
		}
		return nil
	})
	var parts []string
	if hidden > 0 {
		parts = append(parts, fmt.Sprintf("%d hidden", hidden))
	}
	if links > 0 {
		parts = append(parts, plural(links, "link"))
	}
	if others > 0 {
		parts = append(parts, fmt.Sprintf("%d neither a file nor a folder", others))
	}
	return files, strings.Join(parts, ", ")
}

func isURL(source string) bool {
	return strings.HasPrefix(source, "https://") || strings.HasPrefix(source, "http://")
}

// named is a source as it is stored and printed: a URL without its query, fragment, user and password, which may give access.
func named(source string) string {
	if !isURL(source) {
		return source
	}
	u, err := url.Parse(source)
	if err != nil {
		return "a URL that cannot be parsed"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String()
}

// read returns the bytes of a file, a URL or standard input.
func read(ctx context.Context, source string, maxBytes int64) ([]byte, error) {
	if isURL(source) {
		return download(ctx, source, maxBytes)
	}
	in, size, err := open(ctx, source)
	if err != nil {
		return nil, absent(source, err)
	}
	defer in.Close()
	if size > maxBytes {
		return nil, fmt.Errorf("the file has %d bytes, wanted at most %d: raise --max-upload-bytes", size, maxBytes)
	}
	data, err := io.ReadAll(io.LimitReader(in, maxBytes+1))
	if err == nil && int64(len(data)) > maxBytes {
		return nil, fmt.Errorf("it has more than %d bytes, the most allowed: raise --max-upload-bytes", maxBytes)
	}
	return data, err
}

// open opens a file or standard input. It returns the size in bytes of a regular file, else 0. Opening and reading anything
// else end with ctx: a pipe may never get a writer.
func open(ctx context.Context, name string) (io.ReadCloser, int64, error) {
	if name != stdin {
		info, err := os.Stat(name)
		if err != nil {
			return nil, 0, err
		}
		if info.Mode().IsRegular() {
			file, err := os.Open(name)
			return file, info.Size(), err
		}
	}
	out, in := io.Pipe()
	context.AfterFunc(ctx, func() { _ = in.CloseWithError(errors.New("interrupted")) })
	go func() { // it may outlive this call, and ends with the process at the latest
		from, err := os.Stdin, error(nil)
		if name != stdin {
			if from, err = os.Open(name); err == nil {
				defer from.Close()
			}
		}
		if err == nil {
			_, err = io.Copy(in, from)
		}
		_ = in.CloseWithError(err)
	}()
	return out, 0, nil
}

// download fetches a URL. Any host and address is allowed, as the user named it.
func download(ctx context.Context, source string, maxBytes int64) ([]byte, error) {
	u, err := url.Parse(source)
	if err != nil {
		return nil, errors.New("the URL cannot be parsed, wanted https://host/path") // unquoted: it may hold a password
	}
	anywhere := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
	f, err := fetch.New(fetch.Config{
		Hosts: []string{u.Host}, AllowCIDRs: anywhere, Timeout: time.Minute, MaxRedirects: fetch.DefaultMaxRedirects,
	}, nil)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Fetch(ctx, event.Upload{URL: source}, maxBytes, nil)
}
