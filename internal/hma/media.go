package hma

import (
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"moderator/internal/event"
)

// media is a file that a request brings or names.
type media struct {
	kind   string // photo or video
	data   []byte
	source string              // its URL without query and login; "" of a form's file
	form   map[string][]string // the form's other fields
}

// fromURL fetches the file that the query names.
func (s *Server) fromURL(r *http.Request) (media, error) {
	text, kind := r.URL.Query().Get("url"), r.URL.Query().Get("content_type")
	if text == "" {
		return media{}, badRequest("url is required")
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return media{}, badRequest("the URL's scheme is not http or https")
	}
	if kind != "" && signalTypes(kind) == nil {
		return media{}, badRequest("no such content_type: '%s'", kind)
	}
	data, err := s.fetcher.Fetch(r.Context(), event.Upload{URL: text}, s.config.MaxUploadBytes, nil)
	if err != nil {
		return media{}, fetchProblem(r.Context(), err)
	}
	if kind == "" {
		kind = kindOf(data)
	}
	return media{kind: kind, data: data, source: (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()}, nil
}

// kindOf tells a video by its first bytes. All else is a photo, or no decoder takes it.
func kindOf(data []byte) string {
	if strings.HasPrefix(http.DetectContentType(data), "video/") {
		return video
	}
	return photo
}

func fetchProblem(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var u *event.Unjudgeable
	if errors.As(err, &u) && u.Reason == event.TooLarge {
		return refuse(http.StatusRequestEntityTooLarge, "%v", u.Err)
	}
	if u != nil {
		err = u.Err
	}
	return badRequest("%v", err)
}

const (
	formMemory = 32 << 20 // of a form; the rest lies in temporary files
	formExtra  = 1 << 20  // of a form, besides the file
)

// fromForm reads the one file of a multipart form. Its field's name is the content type.
func (s *Server) fromForm(r *http.Request) (m media, err error) {
	r.Body = http.MaxBytesReader(nil, r.Body, s.config.MaxUploadBytes+formExtra)
	if err := r.ParseMultipartForm(formMemory); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return m, refuse(http.StatusRequestEntityTooLarge, "the file is larger than %d bytes: --max-upload-bytes sets the limit", s.config.MaxUploadBytes)
		}
		return m, badRequest("Missing multipart/form-data file upload")
	}
	defer func() { _ = r.MultipartForm.RemoveAll() }()
	m.form = r.MultipartForm.Value
	var files []*multipart.FileHeader
	for name, of := range r.MultipartForm.File {
		m.kind, files = name, append(files, of...)
	}
	switch {
	case len(files) == 0:
		return m, badRequest("Missing multipart/form-data file upload")
	case len(files) > 1:
		return m, badRequest("Only one file allowed per request")
	case signalTypes(m.kind) == nil:
		return m, badRequest("no such content_type: '%s'", m.kind)
	case files[0].Size > s.config.MaxUploadBytes:
		return m, refuse(http.StatusRequestEntityTooLarge, "the file has %d bytes, wanted at most %d: --max-upload-bytes sets the limit", files[0].Size, s.config.MaxUploadBytes)
	}
	file, err := files[0].Open()
	if err != nil {
		return m, err
	}
	m.data, err = io.ReadAll(file)
	return m, errors.Join(err, file.Close())
}

// typesOf are the signal types that the query selects for a content type; all without a selection.
func typesOf(r *http.Request, kind string) ([]string, error) {
	all := signalTypes(kind)
	if !r.URL.Query().Has("types") {
		return all, nil
	}
	selected := list(r, "types")
	if len(selected) == 0 {
		return nil, badRequest("empty signal type selection")
	}
	for _, name := range selected {
		if !slices.Contains(all, name) {
			return nil, badRequest("signal type '%s' doesn't exist or is disabled", name)
		}
	}
	return selected, nil
}
