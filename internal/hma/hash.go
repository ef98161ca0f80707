package hma

import "net/http"

func (s *Server) hashURL(r *http.Request) (answer, error) {
	return s.hash(r, s.fromURL)
}

func (s *Server) hashFile(r *http.Request) (answer, error) {
	return s.hash(r, s.fromForm)
}

func (s *Server) hash(r *http.Request, read func(*http.Request) (media, error)) (answer, error) {
	hashes, err := s.hashed(r, read)
	return answer{body: hashes}, err
}

// hashed are the signals of the request's file.
func (s *Server) hashed(r *http.Request, read func(*http.Request) (media, error)) (map[string]string, error) {
	leave, err := s.enter(r.Context())
	if err != nil {
		return nil, err
	}
	defer leave()
	m, err := read(r)
	if err != nil {
		return nil, err
	}
	types, err := typesOf(r, m.kind)
	if err != nil {
		return nil, err
	}
	return s.pictures.hashes(r.Context(), m, types)
}
