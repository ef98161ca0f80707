package hub

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Source is a repository of models at a revision.
type Source struct {
	Endpoint   *url.URL
	Repository string // OWNER/NAME, or NAME
	Revision   string // a branch, tag or commit
	Token      string // sent to Endpoint alone; empty: none
}

// DefaultEndpoint is the hub where HF_ENDPOINT is not set.
const DefaultEndpoint = "https://huggingface.co"

var (
	repositoryName = regexp.MustCompile(`^[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?$`)
	revisionName   = regexp.MustCompile(`^[A-Za-z0-9][\w./-]*$`)
)

// NewSource reads OWNER/NAME, or a URL of the repository's page or of one of its files. Names are of the hub that endpoint names. A
// revision wins over the URL's; without any it is main. token is used only for a repository of endpoint's hub.
func NewSource(name, revision, endpoint, token string) (Source, error) {
	hub, err := parseEndpoint(endpoint)
	if err != nil {
		return Source{}, err
	}
	s := Source{Endpoint: hub, Repository: name, Token: token}
	if strings.Contains(name, "://") {
		page, err := url.Parse(name)
		if err != nil {
			return Source{}, fmt.Errorf("model %q: %w", name, err)
		}
		base := &url.URL{Scheme: page.Scheme, Host: page.Host}
		if s.Endpoint, err = parseEndpoint(base.String()); err != nil {
			return Source{}, err
		}
		if base.Host != hub.Host || base.Scheme != hub.Scheme {
			s.Token = ""
		}
		parts := strings.Split(strings.Trim(page.Path, "/"), "/")
		for i, part := range parts {
			if (part == "resolve" || part == "tree" || part == "blob") && i > 0 && i+1 < len(parts) {
				revision = cmp.Or(revision, parts[i+1])
				parts = parts[:i]
				break
			}
		}
		s.Repository = strings.Join(parts, "/")
	}
	s.Revision = cmp.Or(revision, "main")
	if !repositoryName.MatchString(s.Repository) || strings.Contains(s.Repository, "..") {
		return Source{}, fmt.Errorf("model %q: wanted OWNER/NAME, or the URL of a repository", name)
	}
	if !revisionName.MatchString(s.Revision) || strings.Contains(s.Revision, "..") {
		return Source{}, fmt.Errorf("revision %q: wanted a branch, a tag or a commit", s.Revision)
	}
	if s.Token != "" && s.Endpoint.Scheme == "http" && !loopback(s.Endpoint.Hostname()) {
		return Source{}, fmt.Errorf("the token would be sent to %s unencrypted: use https, or unset HF_TOKEN", s.Endpoint)
	}
	return s, nil
}

func parseEndpoint(text string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(text, "/"))
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || u.User != nil {
		return nil, fmt.Errorf("hub %q: wanted a URL such as %s", text, DefaultEndpoint)
	}
	return u, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (s Source) file(revision, name string) string {
	return s.Endpoint.JoinPath(s.Repository, "resolve", url.PathEscape(revision), name).String()
}

// Token returns the hub's token: HF_TOKEN, else the file HF_TOKEN_PATH, else the file that the hub's own tools write. It is empty
// where there is none.
func Token() (string, error) {
	if token := os.Getenv("HF_TOKEN"); token != "" {
		return strings.TrimSpace(token), nil
	}
	file := os.Getenv("HF_TOKEN_PATH")
	given := file != ""
	if !given {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", nil
		}
		file = filepath.Join(cmp.Or(os.Getenv("HF_HOME"), filepath.Join(cmp.Or(os.Getenv("XDG_CACHE_HOME"), filepath.Join(home, ".cache")), "huggingface")), "token")
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) && !given {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the hub's token (HF_TOKEN_PATH): %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}
