package hma

import (
	"encoding/json"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"time"

	"moderator/internal/recognise"
)

// matches are banks with what each has near, by name.
type matches map[string][]reported

// lookup by a signal answers matches; by a URL, matches of each signal type, or those of the given one alone.
func (s *Server) lookup(r *http.Request) (answer, error) {
	query := r.URL.Query()
	kind, draw := query.Get("signal_type"), drawn(query.Get("seed"))
	if query.Get("url") != "" {
		return s.lookupMedia(r, s.fromURL, draw)
	}
	for _, name := range []string{"signal", "signal_type"} {
		if query.Get(name) == "" {
			return answer{}, badRequest("`url`, or `signal` and `signal_type`, are required: `%s` is missing", name)
		}
	}
	found, err := s.matches(r, kind, query.Get("signal"), draw)
	return answer{body: found}, err
}

// lookupFile may do without the draw, so that all banks are reported.
func (s *Server) lookupFile(r *http.Request) (answer, error) {
	bypass, err := flag(r, "bypass_coinflip", false)
	if err != nil {
		return answer{}, err
	}
	draw := drawn(r.URL.Query().Get("seed"))
	if bypass {
		draw = everyBank
	}
	return s.lookupMedia(r, s.fromForm, draw)
}

func (s *Server) lookupMedia(r *http.Request, read func(*http.Request) (media, error), draw float64) (answer, error) {
	hashes, err := s.hashed(r, read)
	if err != nil {
		return answer{}, err
	}
	all := map[string]matches{}
	for kind, text := range hashes {
		all[kind] = matches{}
		if text == "" {
			continue // too little detail: nothing is near
		}
		if all[kind], err = s.matches(r, kind, text, draw); err != nil {
			return answer{}, err
		}
	}
	if kind := r.URL.Query().Get("signal_type"); kind != "" {
		only, ok := all[kind]
		if !ok {
			return answer{}, badRequest("signal type '%s' doesn't exist or is disabled", kind)
		}
		return answer{body: only}, nil
	}
	return answer{body: all}, nil
}

// everyBank is a draw at which also banks with ratio 0 are reported.
const everyBank = 0

// drawn is the number that a bank's ratio has to reach to be reported, within (0, 1]. The same seed draws the same number.
func drawn(seed string) float64 {
	if seed == "" {
		return 1 - rand.Float64()
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(seed)) // a hash never fails to write
	return 1 - rand.New(rand.NewPCG(h.Sum64(), 0)).Float64()
}

// matches looks a signal up. Disabled content is left out, and banks whose ratio is below the draw.
func (s *Server) matches(r *http.Request, kind, text string, draw float64) (matches, error) {
	q, err := parseSignal(s.pictures.fingerprint(), kind, text)
	if err != nil {
		return nil, err
	}
	found, err := s.search(r.Context(), q, draw == everyBank)
	if err != nil {
		return nil, err
	}
	if found, err = s.suppress(r.Context(), q, found); err != nil {
		return nil, err
	}
	located, err := s.locate(r.Context(), found, list(r, "banks"))
	if err != nil {
		return nil, err
	}
	all, now := matches{}, time.Now()
	for _, l := range located {
		if l.EnabledAt(now) && l.BankRatio >= draw {
			all[l.Bank] = append(all[l.Bank], l.reported())
		}
	}
	return all, nil
}

// rawLookup lists content, also disabled content and that of disabled banks.
func (s *Server) rawLookup(r *http.Request) (answer, error) {
	query := r.URL.Query()
	for _, name := range []string{"signal", "signal_type"} {
		if query.Get(name) == "" {
			return answer{}, badRequest("`%s` is required", name)
		}
	}
	distances, err := flag(r, "include_distance", false)
	if err != nil {
		return answer{}, err
	}
	q, err := parseSignal(s.pictures.fingerprint(), query.Get("signal_type"), query.Get("signal"))
	if err != nil {
		return answer{}, err
	}
	found, err := s.search(r.Context(), q, true)
	if err != nil {
		return answer{}, err
	}
	located, err := s.locate(r.Context(), found, list(r, "banks"))
	if err != nil {
		return answer{}, err
	}
	ids, reports := []int64{}, []reported{}
	for _, l := range located {
		ids, reports = append(ids, l.Number), append(reports, l.reported())
	}
	if distances {
		return answer{body: map[string]any{"matches": reports}}, nil
	}
	return answer{body: map[string]any{"matches": ids}}, nil
}

// compare holds two signals of each type against each other. Distances are numbers here.
func (s *Server) compare(r *http.Request) (answer, error) {
	body, err := readObject(r)
	if err != nil {
		return answer{}, badRequest("want an object of two signals for each signal type")
	}
	folder, all := s.pictures.model.Folder(), map[string][2]any{}
	record, _ := recognise.ModelRecord(folder)
	for kind, raw := range body {
		pair, err := s.pair(kind, raw)
		if err != nil {
			return answer{}, err
		}
		match, distance := distanceOf(pair[0], pair[1], folder.BackgroundPenalty, record.BlockAt)
		all[kind] = [2]any{match, map[string]int{"distance": distance}}
	}
	return answer{body: all}, nil
}

func (s *Server) pair(kind string, raw json.RawMessage) (pair [2]signal, err error) {
	var texts []string
	if json.Unmarshal(raw, &texts) != nil || len(texts) != 2 {
		return pair, badRequest("%s: want a list of two signals", kind)
	}
	for i, text := range texts {
		if pair[i], err = parseSignal(s.pictures.fingerprint(), kind, text); err != nil {
			return pair, err
		}
	}
	if len(pair[0].vector) != len(pair[1].vector) {
		return pair, badRequest("%s: the signals have %d and %d dimensions", kind, len(pair[0].vector), len(pair[1].vector))
	}
	return pair, nil
}
