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

// threatExchange reads the updates of a privacy group of Meta's ThreatExchange. They come strictly by time, so that the time of a
// page's last update is the place behind it.
type threatExchange struct {
	*web
	reader
	cursor url.Values // of the next page; the token is left out
}

type threatExchangePlace struct {
	Since int64 `json:"since"` // in seconds since 1970
}

// mostDescriptors of an indicator get feedback.
const mostDescriptors = 20

// threatExchangeTypes are the indicators that the library holds.
var threatExchangeTypes = map[string]string{"HASH_PDQ": "pdq", "HASH_MD5": "md5", "HASH_SHA256": "sha256"}

func newThreatExchange(w *web, name string, s Settings) source {
	w.sign = func(r *http.Request) { // the Graph API takes it there
		query := r.URL.Query()
		query.Set("access_token", w.creds.values["access-token"])
		r.URL.RawQuery = query.Encode()
	}
	return &threatExchange{web: w, reader: reader{name: name, Settings: s}}
}

type threatExchangeAnswer struct {
	Data   []json.RawMessage `json:"data"`
	Paging struct {
		Next string `json:"next"`
	} `json:"paging"`
}

type threatUpdate struct {
	Indicator   string      `json:"indicator"`
	Type        string      `json:"type"`
	Updated     json.Number `json:"last_updated"`
	Delete      bool        `json:"should_delete"`
	Descriptors *struct {
		Data []threatDescriptor `json:"data"`
	} `json:"descriptors"`
}

type threatDescriptor struct {
	Owner *struct {
		ID string `json:"id"`
	} `json:"owner"`
	ID        string `json:"id"`
	Status    string `json:"status"`
	Reactions []struct {
		Key string `json:"key"`
	} `json:"reactions"`
}

func (t *threatExchange) next(ctx context.Context, place json.RawMessage) (page, error) {
	t.page = page{}
	var p threatExchangePlace
	if err := resumed(place, &p); err != nil {
		return page{}, err
	}
	query := t.cursor
	if query == nil {
		query = url.Values{
			"start_time": {strconv.FormatInt(p.Since, 10)}, "limit": {"500"}, "types": {"HASH_PDQ,HASH_MD5,HASH_SHA256"},
			"fields": {"indicator,type,last_updated,should_delete,descriptors{id,reactions,owner{id},status}"},
		}
	}
	t.cursor = nil
	data, err := t.get(ctx, "/"+t.Group+"/threat_updates/", query)
	if err != nil {
		return page{}, err
	}
	var answer threatExchangeAnswer
	if err := json.Unmarshal(data, &answer); err != nil || answer.Data == nil {
		return page{}, t.malformed(errors.New("threat_updates in JSON"))
	}
	for _, one := range answer.Data {
		p.Since = max(p.Since, t.take(one))
	}
	if t.page.last = answer.Paging.Next == ""; !t.page.last {
		next, err := url.Parse(answer.Paging.Next)
		if err != nil || next.Host != t.root.Host || !strings.Contains(next.Path, "/threat_updates") {
			return page{}, t.malformed(errors.New("address of the next page"))
		}
		t.cursor = next.Query()
	}
	t.page.Checkpoint, err = json.Marshal(p)
	return t.page, err
}

// take adds an update and returns its time.
func (t *threatExchange) take(data json.RawMessage) int64 {
	var u threatUpdate
	if err := json.Unmarshal(data, &u); err != nil {
		t.refuse("record that cannot be read")
		return 0
	}
	at, _ := u.Updated.Int64()
	kind, known := threatExchangeTypes[u.Type]
	if !known {
		t.refuse(held(u.Type))
		return at
	}
	e := entry{key: u.Type + ":" + strings.ToLower(u.Indicator)}
	against := false
	app, _, _ := strings.Cut(t.creds.values["access-token"], "|")
	var addresses []string
	if u.Descriptors != nil {
		for _, d := range u.Descriptors.Data {
			if d.Owner == nil {
				continue // a fault of theirs
			}
			if d.Owner.ID != app && d.ID != "" && strings.Trim(d.ID, "0123456789") == "" && len(addresses) < mostDescriptors {
				addresses = append(addresses, d.ID)
			}
			switch d.Status {
			case "NON_MALICIOUS":
				against = true
			case "MALICIOUS":
				e.confirmed++
				e.note = d.Status
			}
			for _, r := range d.Reactions {
				switch r.Key {
				case "HELPFUL":
					e.confirmed++
				case "DISAGREE_WITH_TAGS":
					against = true
				}
			}
		}
	}
	e.disputed, e.address = against, strings.Join(addresses, " ")
	if !u.Delete && u.Descriptors != nil && len(u.Descriptors.Data) > 0 {
		e.hash(kind, u.Indicator)
	}
	t.add(e)
	return at
}
