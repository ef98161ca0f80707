package flagctl

import (
	"context"
	"fmt"
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

// expand turns the arguments of a verb into single files and URLs: folders are walked, hidden files are left out.
func expand(args []string) ([]string, error) {
	var sources []string
	for _, arg := range args {
		if isURL(arg) {
			sources = append(sources, arg)
			continue
		}
		info, err := os.Stat(arg)
		if err != nil {
			return nil, fmt.Errorf("%s: no such file or folder: give pictures, folders of pictures, or URLs", arg)
		}
		if !info.IsDir() {
			sources = append(sources, arg)
			continue
		}
		err = filepath.WalkDir(arg, func(path string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case strings.HasPrefix(entry.Name(), ".") && path != arg:
				if entry.IsDir() {
					return fs.SkipDir
				}
			case entry.Type().IsRegular():
				sources = append(sources, path)
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("read folder %s: %w", arg, err)
		}
	}
	if len(sources) == 0 {
		return nil, fmt.Errorf("no files in %s", strings.Join(args, ", "))
	}
	return sources, nil
}

func isURL(source string) bool {
	return strings.HasPrefix(source, "https://") || strings.HasPrefix(source, "http://")
}

// read returns the bytes of a file or URL.
func read(ctx context.Context, source string, maxBytes int64) ([]byte, error) {
	if isURL(source) {
		return download(ctx, source, maxBytes)
	}
	info, err := os.Stat(source)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxBytes {
		return nil, fmt.Errorf("the file is %d bytes, wanted at most %d: raise --max-upload-bytes", info.Size(), maxBytes)
	}
	return os.ReadFile(source)
}

// download fetches a URL that the person at the keyboard named: its host is allowed by that, wherever it is.
func download(ctx context.Context, source string, maxBytes int64) ([]byte, error) {
	u, err := url.Parse(source)
	if err != nil {
		return nil, err
	}
	anywhere := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
	f, err := fetch.New(fetch.Config{
		Hosts: []string{u.Host}, AllowCIDRs: anywhere, Timeout: time.Minute, MaxRedirects: fetch.DefaultMaxRedirects,
	}, nil)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Fetch(ctx, event.Upload{URL: source}, maxBytes)
}
