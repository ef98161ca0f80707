package console

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io"
	"mime/multipart"
	"net/http"
)

// chosen is a picture from a form.
type chosen struct {
	Name    string
	Bytes   int
	Blurred template.URL // a data: URL of a JPEG that was encoded here
	Clear   template.URL

	data []byte
}

// formMemory bounds the bytes of a form in memory. The rest is in temporary files.
const formMemory = 32 << 20

// take reads the pictures of a form, in the order of fields.
func (c *Console) take(r *http.Request, fields ...string) ([]*chosen, error) {
	// 1 MiB for headers and boundaries. The writer may be nil, because the problem page answers.
	r.Body = http.MaxBytesReader(nil, r.Body, int64(len(fields))*c.MaxUploadBytes+1<<20)
	if err := r.ParseMultipartForm(formMemory); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return nil, &problem{http.StatusRequestEntityTooLarge, fmt.Sprintf("The pictures are larger than %s: --max-upload-bytes sets the limit.", byteSize(c.MaxUploadBytes))}
		}
		return nil, &problem{http.StatusBadRequest, "The form cannot be read: choose the pictures again."}
	}
	defer func() { _ = r.MultipartForm.RemoveAll() }()
	var pictures []*chosen
	for _, field := range fields {
		file, header, err := r.FormFile(field)
		if err != nil {
			return nil, &problem{http.StatusBadRequest, "Choose a picture first."}
		}
		picture, err := c.choose(r.Context(), file, header, lookOf(r))
		if err := errors.Join(err, file.Close()); err != nil {
			return nil, err
		}
		pictures = append(pictures, picture)
	}
	return pictures, nil
}

func (c *Console) choose(ctx context.Context, file multipart.File, header *multipart.FileHeader, shown look) (*chosen, error) {
	if header.Size > c.MaxUploadBytes {
		return nil, &problem{http.StatusRequestEntityTooLarge, fmt.Sprintf("%s has %s, wanted at most %s: --max-upload-bytes sets the limit.",
			cut(header.Filename, maxUploadShown), byteSize(header.Size), byteSize(c.MaxUploadBytes))}
	}
	data, err := io.ReadAll(file)
	if err != nil {
		return nil, err
	}
	picture := &chosen{Name: header.Filename, Bytes: len(data), data: data}
	for into, shown := range map[*template.URL]look{&picture.Blurred: shown, &picture.Clear: {}} {
		jpeg, err := c.preview(ctx, data, shown)
		if err != nil {
			return nil, pictureProblem(picture.Name, err)
		}
		*into = template.URL("data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(jpeg))
	}
	return picture, nil
}

// pictureProblem makes an error of a picture a problem.
func pictureProblem(name string, err error) error {
	return &problem{http.StatusUnprocessableEntity, fmt.Sprintf("%s: %v.", cut(name, maxUploadShown), err)}
}
