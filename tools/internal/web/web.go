// Package web serves files from memory by HTTP, for uploads by URL.
package web

import (
	"net/http"
	"net/http/httptest"
	"sync"
)

// Server listens on the loopback. It is safe for concurrent use.
type Server struct {
	http  *httptest.Server
	mu    sync.Mutex
	files map[string][]byte // by path
}

// Start starts a server without files. Close ends it.
func Start() *Server {
	s := &Server{files: map[string][]byte{}}
	s.http = httptest.NewServer(s)
	return s
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	data, ok := s.files[r.URL.Path]
	s.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	_, _ = w.Write(data)
}

// Host is the server's host and port.
func (s *Server) Host() string { return s.http.Listener.Addr().String() }

// Put adds a file and returns its URL.
func (s *Server) Put(name string, data []byte) (url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files["/"+name] = data
	return s.http.URL + "/" + name
}

// Close ends the server.
func (s *Server) Close() { s.http.Close() }
