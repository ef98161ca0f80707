package fake

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"
)

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value) // a client that is gone
}

// StopNCII is StopNCII's API, version 1. The last page of a run names an earlier time than the first, as theirs has done.
func (s *Source) StopNCII() http.Handler {
	signed := func(r *http.Request) bool {
		key := map[bool]string{true: FeedbackKey, false: User}[r.Method == http.MethodPost] // one for each function
		return r.Header.Get("x-functions-key") == key && r.Header.Get("Ocp-Apim-Subscription-Key") == Password
	}
	return s.serve(signed, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/SubmitFeedback") {
			var body struct {
				Count int `json:"count"`
				All   []struct {
					Hash  string `json:"hashValue"`
					Value string `json:"feedbackValue"`
				} `json:"hashFeedbacks"`
			}
			if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.Count != len(body.All) {
				http.Error(w, "hashFeedbacks are wanted", http.StatusBadRequest)
				return
			}
			for _, one := range body.All {
				opinion := map[string]string{"PendingReview": "seen", "Blocked": "confirmed", "NotBlocked": "false positive"}[one.Value]
				s.addFeedback(cmp.Or(opinion, one.Value), one.Hash)
			}
			answer(w, map[string]any{})
			return
		}
		if !strings.HasSuffix(r.URL.Path, "/FetchHashes") {
			http.NotFound(w, r)
			return
		}
		query := r.URL.Query()
		since := number(query, "startTimestamp", 0)
		first := s.since(time.Unix(int64(since), 0))
		if token := query.Get("nextPageToken"); token != "" {
			var err error
			if first, err = strconv.Atoi(strings.TrimPrefix(token, "page-")); err != nil {
				http.Error(w, "unknown token", http.StatusBadRequest)
				return
			}
		}
		end, total := first+s.page(number(query, "pageSize", 800)), s.total()
		records := []any{map[string]any{"signalType": "VideoMD5", "hashValue": "00", "hashStatus": "Active", "caseNumbers": []string{}, "lastModtimestamp": since}}
		if s.Broken {
			records = append(records, "broken")
		}
		latest := time.Unix(int64(since), 0)
		for i := first; i < min(end, total); i++ {
			r, ok := s.record(i)
			if !ok {
				continue
			}
			status := "Active"
			if r.Deleted {
				status = "Withdrawn"
			}
			record := map[string]any{
				"lastModtimestamp": r.At.Unix(), "hashValue": strings.ToUpper(r.PDQ), "hashStatus": status, "signalType": "ImagePDQ",
				"caseNumbers": map[string]string{fmt.Sprintf("case-%d", r.Index): status},
			}
			if votes := map[string]string{"up": "Blocked", "down": "NotBlocked"}[r.Votes]; votes != "" {
				record["CSPFeedbacks"] = []any{map[string]any{"source": "Another", "feedbackValue": votes, "tags": []string{"Nude"}}}
			}
			records, latest = append(records, record), r.At
		}
		more := end < total
		if !more {
			latest = latest.Add(-2 * time.Hour)
		}
		answer(w, map[string]any{
			"count": len(records), "nextSetTimestamp": latest.Unix(), "nextPageToken": fmt.Sprintf("page-%d", end), "hasMoreRecords": more, "hashRecords": records,
		})
	})
}

// ThreatExchange is the Graph API with the updates of the privacy group 1234.
func (s *Source) ThreatExchange() http.Handler {
	signed := func(r *http.Request) bool { return r.URL.Query().Get("access_token") == User+"|"+Password }
	return s.serve(signed, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			reaction := r.PostFormValue("reactions")
			opinion := map[string]string{"SAW_THIS_TOO": "seen", "HELPFUL": "confirmed", "NOT_HELPFUL": "false positive"}[reaction]
			s.addFeedback(cmp.Or(opinion, reaction), path.Base(r.URL.Path))
			answer(w, map[string]bool{"success": true})
			return
		}
		if !strings.HasSuffix(r.URL.Path, "/1234/threat_updates/") {
			http.NotFound(w, r)
			return
		}
		query := r.URL.Query()
		first := s.since(time.Unix(int64(number(query, "start_time", 0)), 0))
		first = number(query, "after", first)
		end := first + s.page(number(query, "limit", 100))
		data := []any{}
		for i := first; i < min(end, s.total()); i++ {
			r, ok := s.record(i)
			if !ok {
				continue
			}
			kind, indicator := "HASH_PDQ", r.PDQ
			if r.Index%2 == 1 {
				kind, indicator = "HASH_MD5", r.MD5
			}
			update := map[string]any{"indicator": indicator, "type": kind, "last_updated": r.At.Unix(), "should_delete": r.Deleted}
			if !r.Deleted {
				descriptors := []any{
					map[string]any{"id": r.Descriptor(), "status": "MALICIOUS", "owner": map[string]string{"id": "1"}},
					map[string]any{"status": "MALICIOUS"},
					map[string]any{"id": "77", "status": "UNKNOWN", "owner": map[string]string{"id": User}}, // the client's own
				}
				if r.Votes == "down" {
					descriptors = append(descriptors, map[string]any{"status": "NON_MALICIOUS", "owner": map[string]string{"id": "2"}})
				}
				update["descriptors"] = map[string]any{"data": descriptors}
			}
			data = append(data, update)
		}
		paging := map[string]string{}
		if end < s.total() {
			query.Set("after", strconv.Itoa(end))
			paging["next"] = (&url.URL{Scheme: "http", Host: r.Host, Path: r.URL.Path, RawQuery: query.Encode()}).String()
		}
		answer(w, map[string]any{"data": data, "paging": paging})
	})
}

// TCAP is the hash list of Tech Against Terrorism, version 2. Its tokens end after five requests.
func (s *Source) TCAP() http.Handler {
	left := 0
	signed := func(r *http.Request) bool {
		if r.Method == http.MethodPost {
			return r.PostFormValue("username") == User && r.PostFormValue("password") == Password
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		left--
		return left >= 0 && r.Header.Get("Authorization") == "Bearer token"
	}
	return s.serve(signed, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost && r.URL.Path == "/token-auth/tcap/":
			s.mu.Lock()
			left = 5
			s.mu.Unlock()
			answer(w, map[string]any{"token": "token", "user": map[string]string{"username": User}})
			return
		case r.URL.Path != "/api/hash-list/v2/all":
			http.NotFound(w, r)
			return
		}
		first := 0
		if _, place, ok := strings.Cut(r.URL.Query().Get("after"), ","); ok {
			first, _ = strconv.Atoi(place)
		}
		end := min(first+s.page(1000), s.total())
		results := []any{map[string]any{
			"hash_digest": "ab", "algorithm": "SHA512", "ideology": "islamist", "file_type": "jpg", "deleted": false, "id": -1,
			"updated_on": Begin.Format(time.RFC3339), "created_on": Begin.Format(time.RFC3339),
		}}
		checkpoint := r.URL.Query().Get("after")
		for i := first; i < end; i++ {
			if r, ok := s.record(i); ok {
				results = append(results, map[string]any{
					"hash_digest": r.PDQ, "algorithm": "PDQ", "ideology": []string{"islamist", "far-right"}[r.Index%2], "file_type": "jpg", "deleted": r.Deleted,
					"updated_on": r.At.Format(time.RFC3339), "created_on": Begin.Format(time.RFC3339), "id": r.Index,
				})
			}
			checkpoint = fmt.Sprintf("%s,%d", Begin.Format(time.RFC3339), i+1)
		}
		var next *string
		if end < s.total() {
			text := "http://" + r.Host + r.URL.Path + "?after=" + url.QueryEscape(checkpoint)
			next = &text
		}
		answer(w, map[string]any{"count": s.total(), "next": next, "previous": nil, "checkpoint": checkpoint, "results": results})
	})
}

// List is a list of PDQ hashes, one a line with its type.
func (s *Source) List() http.Handler {
	return s.serve(func(*http.Request) bool { return true }, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "# a list\nvideo_md5 b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1\npdq short\n")
		s.Live(func(r Record) { fmt.Fprintf(w, "pdq %s\n", r.PDQ) })
	})
}

// Synapse is the admin API of a homeserver, with its media in quarantine.
func (s *Source) Synapse() http.Handler {
	signed := func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer "+Password }
	return s.serve(signed, func(w http.ResponseWriter, r *http.Request) {
		const media = "/_synapse/admin/v1/media/"
		if id, ok := strings.CutPrefix(r.URL.Path, media+"example.org/media"); ok {
			index, err := strconv.Atoi(id)
			if err != nil || index%50 == 3 { // of some it has no file any more
				http.NotFound(w, r)
				return
			}
			answer(w, map[string]any{"media_info": map[string]any{"media_origin": nil, "media_type": "img/png", "sha256": s.generate(change{index: index}).SHA256}})
			return
		}
		if r.URL.Path != media+"quarantine_changes" {
			http.NotFound(w, r)
			return
		}
		first := number(r.URL.Query(), "from", 0)
		end := min(first+s.page(100), s.total())
		changes := []any{}
		for i := first; i < end; i++ {
			if r, ok := s.record(i); ok {
				changes = append(changes, map[string]any{"origin": "example.org", "media_id": fmt.Sprintf("media%d", r.Index), "quarantined": !r.Deleted})
			}
		}
		answer(w, map[string]any{"next_batch": end, "changes": changes})
	})
}

// Programme is a fake with what an exchange of it needs.
type Programme struct {
	Name        string
	Serve       func(*Source) http.Handler
	Credentials string // words for a shell, each a line
	Flags       string // for flagctl exchange add
}

// Programmes returns all fakes.
func Programmes() []Programme {
	user, password := "'username: "+User+"'", "'password: "+Password+"'"
	return []Programme{
		{"ncmec", (*Source).NCMEC, user + " " + password, ""},
		{"stopncii", (*Source).StopNCII, "'functions-key: " + User + "' 'subscription-key: " + Password + "' 'feedback-key: " + FeedbackKey + "'", ""},
		{"threatexchange", (*Source).ThreatExchange, "'access-token: " + User + "|" + Password + "'", " --group 1234"},
		{"tcap", (*Source).TCAP, user + " " + password, ""},
		{"synapse", (*Source).Synapse, "'access-token: " + Password + "'", ""},
		{"list", (*Source).List, "''", ""},
	}
}
