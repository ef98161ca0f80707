package hma

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"moderator/internal/imaging"
	"moderator/internal/matchdb"
	"moderator/internal/recognise"
)

type addedJSON struct {
	ID      int64             `json:"id"`
	Signals map[string]string `json:"signals"`
}

// addContent flags a file of a form or a URL. The library stores all signals; types selects those of the answer.
func (s *Server) addContent(r *http.Request) (answer, error) {
	leave, err := s.enter(r.Context())
	if err != nil {
		return answer{}, err
	}
	defer leave()
	b, err := s.requestedBank(r)
	if err != nil {
		return answer{}, err
	}
	read := s.fromURL
	switch {
	case r.URL.Query().Get("url") != "":
	case strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data"):
		read = s.fromForm
	default:
		return answer{}, badRequest("Neither `url` nor multipart file upload was received")
	}
	note, metadata, err := aboutURL(r)
	if err != nil {
		return answer{}, err
	}
	m, err := read(r)
	if err != nil {
		return answer{}, err
	}
	if note == "" {
		note = first(m.form["note"])
	}
	if metadata == nil {
		metadata = []byte(first(m.form["metadata"]))
	}
	if err := checkNote(note); err != nil {
		return answer{}, err
	}
	metadata, err = checkMetadata(metadata)
	if err != nil {
		return answer{}, err
	}
	types, err := typesOf(r, m.kind)
	if err != nil {
		return answer{}, err
	}
	f, texts, err := s.pictures.flag(r.Context(), m, types)
	if err != nil {
		return answer{}, err
	}
	f.Bank, f.Source, f.Note, f.Metadata = b.Name, cmp.Or(m.source, actor), note, metadata
	id, err := s.store(r, f)
	return answer{body: addedJSON{id, texts}}, err
}

// addSignals flags a picture that is known by its signals alone: the view is the original.
func (s *Server) addSignals(r *http.Request) (answer, error) {
	body, err := readObject(r)
	if err != nil {
		return answer{}, err
	}
	note, err := body.text("note")
	if err != nil {
		return answer{}, err
	}
	b, err := s.requestedBank(r)
	if err != nil {
		return answer{}, err
	}
	delete(body, "note")
	f := matchdb.NewFlag{Bank: b.Name, Source: actor, Model: s.pictures.fingerprint()}
	if note != nil {
		if err := checkNote(*note); err != nil {
			return answer{}, err
		}
		f.Note = *note
	}
	texts := map[string]string{}
	for kind := range body {
		text, err := body.text(kind)
		if err != nil || text == nil {
			return answer{}, badRequest("Invalid %s signal: want a string", kind)
		}
		q, err := parseSignal(s.pictures.fingerprint(), kind, *text)
		if err != nil {
			return answer{}, err
		}
		texts[kind] = *text
		s.addSignal(&f, q)
	}
	if len(texts) == 0 {
		return answer{}, badRequest("No signals given")
	}
	id, err := s.store(r, f)
	return answer{body: addedJSON{id, texts}}, err
}

func (s *Server) addSignal(f *matchdb.NewFlag, q signal) {
	const view = string(imaging.ViewOriginal)
	switch q.kind {
	case typePDQ:
		f.PDQ = []matchdb.PDQ{{View: view, Hash: q.hash, Quality: 100}}
	case typeMD5:
		f.MD5 = q.md5
	case typeOwn:
		penalty := s.pictures.model.Folder().BackgroundPenalty
		if len(q.vector) == s.pictures.model.Folder().Dims() {
			f.Embeddings = []matchdb.Embedding{{View: view, Vector: q.vector, Penalty: penalty(q.vector)}}
		} else {
			f.Embeddings = []matchdb.Embedding{{View: view, Vector: q.vector}} // Flag refuses it
		}
	}
}

// store flags and returns the content's number, which a picture that is flagged in the bank already has.
func (s *Server) store(r *http.Request, f matchdb.NewFlag) (int64, error) {
	record, _ := recognise.ModelRecord(s.pictures.model.Folder())
	if err := s.db.RegisterModelAs(r.Context(), record, actor, "first use by HMA's API"); err != nil {
		return 0, err
	}
	f.By = actor
	stored, err := s.db.Flag(r.Context(), f)
	if err != nil {
		return 0, err
	}
	of, err := s.db.Contents(r.Context(), []uuid.UUID{stored.ID})
	if err == nil && len(of) == 0 {
		err = refuse(http.StatusServiceUnavailable, "the content was retracted while it was added: try again")
	}
	if err != nil {
		return 0, err
	}
	return of[0].Number, nil
}
