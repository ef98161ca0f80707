package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
)

// client sends requests, prints their answers and counts those that are not what is wanted.
type client struct {
	url          string
	out          io.Writer
	calls, wrong int
}

// answer is what later calls need of an answer.
type answer struct {
	Signals map[string]string `json:"signals"`
	body    []byte
}

// text is a value of a flat object, "" without it.
func (a answer) text(name string) string {
	var values map[string]string
	_ = json.Unmarshal(a.body, &values) // a wrong answer is counted
	return values[name]
}

func (c *client) get(ctx context.Context, path, want string) answer {
	return c.send(ctx, http.MethodGet, path, "", http.StatusOK, want)
}

func (c *client) send(ctx context.Context, method, path, body string, status int, want string) answer {
	return c.do(ctx, method, path, "application/json", []byte(body), status, want)
}

// upload posts a photo as a form.
func (c *client) upload(ctx context.Context, path string, photo []byte, want string) answer {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("photo", "photo.jpg")
	if err == nil {
		_, err = part.Write(photo)
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil { // writes to memory do not fail
		panic(err)
	}
	return c.do(ctx, http.MethodPost, path, form.FormDataContentType(), body.Bytes(), http.StatusOK, want)
}

func (c *client) do(ctx context.Context, method, path, contentType string, body []byte, status int, want string) (a answer) {
	c.calls++
	got, err := 0, error(nil)
	request, err := http.NewRequestWithContext(ctx, method, c.url+path, bytes.NewReader(body))
	if err == nil {
		request.Header.Set("Content-Type", contentType)
		got, a.body, err = exchange(request)
	}
	mark := "ok   "
	if err != nil || got != status || !strings.Contains(string(a.body), want) {
		c.wrong++
		mark = "WRONG"
	}
	fmt.Fprintf(c.out, "%s %-6s %s\n      %d %s\n", mark, method, shown(path), got, shown(string(a.body)))
	if mark == "WRONG" {
		fmt.Fprintf(c.out, "      wanted %d %s; error: %v\n", status, want, err)
	}
	_ = json.Unmarshal(a.body, &a) // answers of other shapes have no signals
	return a
}

func exchange(request *http.Request) (status int, body []byte, err error) {
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	body, err = io.ReadAll(response.Body)
	return response.StatusCode, bytes.TrimSpace(body), err
}

// shown shortens a line for the terminal.
func shown(text string) string {
	const most = 150
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
