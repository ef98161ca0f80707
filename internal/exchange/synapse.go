package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// synapse reads which media a Matrix homeserver has put into quarantine (Synapse 1.152 and later), and takes their SHA-256.
type synapse struct {
	*web
	reader
}

func newSynapse(w *web, name string, s Settings) source {
	w.sign = func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+w.creds.values["access-token"]) }
	return &synapse{web: w, reader: reader{name: name, Settings: s}}
}

func (s *synapse) next(ctx context.Context, place json.RawMessage) (page, error) {
	s.page = page{}
	var from int64
	if err := resumed(place, &from); err != nil {
		return page{}, err
	}
	data, err := s.get(ctx, "/_synapse/admin/v1/media/quarantine_changes", url.Values{"from": {strconv.FormatInt(from, 10)}})
	if err != nil {
		return page{}, err
	}
	var answer struct {
		Next    *int64 `json:"next_batch"`
		Changes []struct {
			Origin      string `json:"origin"`
			Media       string `json:"media_id"`
			Quarantined bool   `json:"quarantined"`
		} `json:"changes"`
	}
	if err := json.Unmarshal(data, &answer); err != nil || answer.Changes == nil {
		return page{}, s.malformed(errors.New("changes in JSON"))
	}
	for _, c := range answer.Changes {
		key := c.Origin + "/" + c.Media
		if !c.Quarantined {
			s.delete(key)
			continue
		}
		sum, err := s.sha256(ctx, c.Origin, c.Media)
		if err != nil {
			return page{}, err
		}
		e := entry{key: key, note: "quarantined", confirmed: 1}
		if sum == "" {
			s.refuse("media whose SHA-256 the homeserver does not know")
		} else {
			e.hash("sha256", sum)
		}
		s.add(e)
	}
	if s.page.last = len(answer.Changes) == 0 || answer.Next == nil || *answer.Next <= from; s.page.last {
		return s.page, nil
	}
	s.page.Checkpoint, err = json.Marshal(*answer.Next)
	return s.page, err
}

// sha256 is that of the media's file, "" where the homeserver has it no more or never computed it.
func (s *synapse) sha256(ctx context.Context, origin, media string) (string, error) {
	if strings.Contains(origin+media, "/") {
		return "", nil
	}
	data, err := s.get(ctx, "/_synapse/admin/v1/media/"+origin+"/"+media, nil)
	var refused *statusError
	if errors.As(err, &refused) && refused.code == http.StatusNotFound {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	var answer struct {
		Info struct {
			SHA256 string `json:"sha256"`
		} `json:"media_info"`
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return "", s.malformed(errors.New("media_info in JSON"))
	}
	return answer.Info.SHA256, nil
}
