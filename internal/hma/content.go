package hma

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"moderator/internal/matchdb"
)

const (
	mostNote    = 255                      // characters
	mostDisable = 5 * 365 * 24 * time.Hour // from now, that content may be disabled for
)

// contentJSON is content as clients read it.
type contentJSON struct {
	ID           int64             `json:"id"`
	DisableUntil int64             `json:"disable_until_ts"`
	URI          *string           `json:"original_media_uri"`
	Bank         bankJSON          `json:"bank"`
	Signals      map[string]string `json:"signals,omitempty"`
	Metadata     json.RawMessage   `json:"metadata,omitempty"`
	Note         string            `json:"note,omitempty"`
}

// number is the content's id of the path.
func number(r *http.Request) (int64, error) {
	n, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return 0, mistyped("content_id", "integer")
	}
	return n, nil
}

// requestedContent is the active content of the path. Both the bank and the content may be missing.
func (s *Server) requestedContent(r *http.Request) (matchdb.Content, error) {
	id, err := number(r)
	if err != nil {
		return matchdb.Content{}, err
	}
	b, err := s.requestedBank(r)
	if err != nil {
		return matchdb.Content{}, err
	}
	c, err := s.db.ContentOf(r.Context(), b.Name, id)
	if errors.Is(err, matchdb.ErrNotFound) {
		err = refuse(http.StatusNotFound, "content %d not found in bank '%s'", id, b.Name)
	}
	return c, err
}

func (s *Server) content(r *http.Request) (answer, error) {
	signals, err := flag(r, "include_signals", false)
	if err != nil {
		return answer{}, err
	}
	metadata, err := flag(r, "include_metadata", true)
	if err != nil {
		return answer{}, err
	}
	c, err := s.requestedContent(r)
	if err != nil {
		return answer{}, err
	}
	out := contentJSON{ID: c.Number, DisableUntil: c.DisableUntil, Bank: bankJSON{c.Bank, ratio(c.BankRatio)}, Note: c.Note}
	if strings.HasPrefix(c.Source, "http://") || strings.HasPrefix(c.Source, "https://") {
		out.URI = &c.Source
	}
	if metadata {
		out.Metadata = c.Metadata
	}
	if signals {
		out.Signals, err = s.signalsOf(r, c)
	}
	return answer{body: out}, err
}

func (s *Server) signalsOf(r *http.Request, c matchdb.Content) (map[string]string, error) {
	of, err := s.db.SignalsOf(r.Context(), c.Flag, s.pictures.fingerprint())
	texts := map[string]string{}
	if of.PDQ != nil {
		texts[typePDQ] = of.PDQ.String()
	}
	if of.MD5 != "" {
		texts[typeMD5] = of.MD5
	}
	if of.Vector != nil {
		texts[typeOwn] = formatOwn(s.pictures.fingerprint(), of.Vector)
	}
	return texts, err
}

func (s *Server) changeContent(r *http.Request) (answer, error) {
	body, err := readObject(r)
	if err != nil {
		return answer{}, err
	}
	var change matchdb.ContentChange
	if change.DisableUntil, err = body.integer("disable_until_ts"); err != nil {
		return answer{}, err
	}
	if change.Note, err = body.text("note"); err != nil {
		return answer{}, err
	}
	if until := change.DisableUntil; until != nil && (*until < 0 || *until > time.Now().Add(mostDisable).Unix()) {
		return answer{}, badRequest("disable_until_ts is %d, wanted 0 (off), 1 (on) or a time at most five years ahead", *until)
	}
	if change.Note != nil {
		if err := checkNote(*change.Note); err != nil {
			return answer{}, err
		}
	}
	c, err := s.requestedContent(r)
	if err != nil {
		return answer{}, err
	}
	err = s.db.ChangeContent(r.Context(), c.Bank, c.Number, change, actor, "HMA: PUT "+r.URL.Path)
	if errors.Is(err, matchdb.ErrNotFound) { // it was retracted meanwhile
		err = refuse(http.StatusNotFound, "content %d not found in bank '%s'", c.Number, c.Bank)
	}
	if err != nil {
		return answer{}, err
	}
	return s.content(r)
}

func checkNote(note string) error {
	if utf8.RuneCountInString(note) > mostNote {
		return badRequest("the note has more than %d characters", mostNote)
	}
	return checkText("note", note)
}

// checkText refuses what Postgres cannot store.
func checkText(what, text string) error {
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return badRequest("%s: want UTF-8 without NUL", what)
	}
	return nil
}

// deleteContent retracts the flag, whichever bank it is in.
func (s *Server) deleteContent(r *http.Request) (answer, error) {
	id, err := number(r)
	if err != nil {
		return answer{}, err
	}
	if _, err := s.requestedBank(r); err != nil {
		return answer{}, err
	}
	deleted := 0
	retracted, err := s.db.RetractContent(r.Context(), id, actor, "HMA: DELETE "+r.URL.Path)
	if retracted {
		deleted = 1
	}
	return answer{body: map[string]int{"deleted": deleted}}, err
}
