package exchange

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Settings of an exchange, as the library keeps them in JSON. They hold no credentials.
type Settings struct {
	URL   string `json:"url"`             // root of the API, or the list's place; a list may be a path
	Every string `json:"every"`           // between two fetches, as time.Duration
	Group string `json:"group,omitempty"` // ThreatExchange's privacy group
	Type  string `json:"type,omitempty"`  // of a list's hashes of 64 digits: pdq or sha256

	Members []string `json:"members,omitempty"` // NCMEC: only entries of these members, by id
	Classes []string `json:"classes,omitempty"` // only entries of these: NCMEC's classifications, TCAP's ideologies

	// Entries that fewer than Confirmations members confirm, or that some dispute, go to ReviewBank. Without one they are not taken.
	Confirmations int    `json:"confirmations,omitempty"`
	ReviewBank    string `json:"review_bank,omitempty"`

	Feedback       bool   `json:"feedback,omitempty"`        // tell the programme what reviewers decide
	FeedbackSeen   bool   `json:"feedback_seen,omitempty"`   // and which entries uploads match, before anybody reviews them
	FeedbackReason string `json:"feedback_reason,omitempty"` // NCMEC: the GUID of the reason of false positives
}

// programme is a kind of source.
type programme struct {
	root        string        // "": an exchange has to say it
	hosts       []string      // that get credentials
	credentials []string      // names that the credentials need; none: none
	least       time.Duration // between two fetches
	stale       time.Duration // how long a checkpoint is good; 0: for ever
	open        func(w *web, name string, s Settings) source
}

const (
	day      = 24 * time.Hour
	anyTimes = 5 * time.Minute // between two fetches of those that say nothing
)

var programmes = map[string]programme{
	"ncmec": {
		root: "https://report.cybertip.org/hashsharing", credentials: []string{"username", "password"}, least: 10 * time.Minute, open: newNCMEC,
		hosts: []string{"report.cybertip.org", "exttest.cybertip.org", "hashsharing.ncmec.org", "hashsharing-test.ncmec.org", "lesp.ncmec.org", "betalesp.ncmec.org"},
	},
	"stopncii": {
		root: "https://api.stopncii.org/v1", hosts: []string{"api.stopncii.org"}, credentials: []string{"functions-key", "subscription-key"},
		least: anyTimes, stale: 30 * day, open: newStopNCII,
	},
	"threatexchange": {
		root: "https://graph.facebook.com/v21.0", hosts: []string{"graph.facebook.com"}, credentials: []string{"access-token"},
		least: anyTimes, stale: 85 * day, open: newThreatExchange,
	},
	"tcap": {
		root: "https://app.terrorismanalytics.org", hosts: []string{"app.terrorismanalytics.org"}, credentials: []string{"username", "password"},
		least: anyTimes, open: newTCAP,
	},
	"synapse": {credentials: []string{"access-token"}, least: time.Minute, open: newSynapse},
	"list":    {least: time.Minute, open: newList},
}

// Programmes returns the names of all kinds of sources.
func Programmes() []string { return slices.Sorted(maps.Keys(programmes)) }

// Check completes the settings with the programme's defaults. Its error says what was given and what is wanted.
func (s *Settings) Check(name string) error {
	p, known := programmes[name]
	if !known {
		return fmt.Errorf("the programme is %.40q, wanted one of %s", name, strings.Join(Programmes(), ", "))
	}
	if s.URL == "" {
		s.URL = p.root
	}
	every, err := time.ParseDuration(s.Every)
	if err != nil || every < p.least {
		return fmt.Errorf("the interval is %q, wanted a time such as 1h, and at least %v for %s", s.Every, p.least, name)
	}
	u, err := url.Parse(s.URL)
	switch {
	case s.URL == "":
		return fmt.Errorf("%s has no URL of its own: give it with --url", name)
	case err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("the URL cannot be read or holds a login, a query or a fragment, wanted https://host/path")
	case name == "list" && u.Scheme == "" && strings.HasPrefix(s.URL, "/"):
	case u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		return fmt.Errorf("the URL is %.80q, wanted https://host/path, or the absolute path of a list", s.URL)
	}
	if name == "threatexchange" && (s.Group == "" || strings.Trim(s.Group, "0123456789") != "") {
		return fmt.Errorf("the privacy group is %.40q, wanted its number: give it with --group", s.Group)
	}
	if s.Feedback && !slices.Contains([]string{"ncmec", "stopncii", "threatexchange"}, name) {
		return fmt.Errorf("%s takes no feedback: only ncmec, stopncii and threatexchange do", name)
	}
	if s.FeedbackSeen && !slices.Contains([]string{"stopncii", "threatexchange"}, name) {
		return fmt.Errorf("%s is not told what uploads match: only stopncii and threatexchange are", name)
	}
	if s.Feedback && name == "ncmec" && s.FeedbackReason == "" {
		return errors.New("NCMEC's feedback on false positives needs a reason: give its GUID, of GET /v2/feedback/PDQ/reasons, with --feedback-reason")
	}
	return nil
}

// every is the interval of checked settings.
func (s Settings) every() time.Duration {
	d, _ := time.ParseDuration(s.Every)
	return d
}

func parseSettings(data json.RawMessage) (s Settings, err error) {
	if err = json.Unmarshal(data, &s); err != nil {
		err = fmt.Errorf("its settings cannot be read: %w: remove the exchange and add it again", err)
	}
	return s, err
}
