package hma_test

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
)

// ratios are of banks and content that look-ups report at times or not at all.
func (s *stand) ratios() []row {
	one := encoded(s.t, drawn(1), 90)
	const bank, content, lookup = "/c/bank/COOP_ORG1_SPAM", "/c/bank/COOP_ORG1_SPAM/content/{one}", "/m/lookup?signal_type=pdq&signal={pdq}"
	hit := `{"COOP_ORG1_SPAM":[{"bank_content_id":{one},"distance":"0"}]}`
	soon := fmt.Sprint(time.Now().Add(24 * time.Hour).Unix())
	return []row{
		{line: "a ratio as a string", method: put, path: bank, json: `{"enabled_ratio":"0.5"}`, want: `{"name":"COOP_ORG1_SPAM","matching_enabled_ratio":0.5}`},
		{line: "a seed draws the same for ever", path: lookup + "&seed=upload-1", before: s.requireSeedDecides},
		{line: "a ratio of 0 disables", method: put, path: bank, json: `{"enabled_ratio":0}`, want: `{"name":"COOP_ORG1_SPAM","matching_enabled_ratio":0.0}`},
		{line: "a bank with ratio 0 is not reported", path: lookup, want: `{}`},
		{line: "a seed changes nothing of that", path: lookup + "&seed=1", want: `{}`},
		{line: "GET ignores bypass_coinflip", path: lookup + "&bypass_coinflip=true", want: `{}`},
		{line: "POST bypasses the draw", method: post, path: "/m/lookup?bypass_coinflip=true&types=pdq", form: file("photo", one), want: `{"pdq":` + hit + `}`},
		{line: "POST bypasses for our own signal too", method: post, path: "/m/lookup?bypass_coinflip=1&types=moderator", form: file("photo", one), want: `{"moderator":` + hit + `}`},
		{line: "POST without bypassing", method: post, path: "/m/lookup?bypass_coinflip=false&types=pdq", form: file("photo", one), want: `{"pdq":{}}`},
		{line: "raw look-ups do not leave out disabled banks", path: "/m/raw_lookup?signal_type=pdq&signal={pdq}", want: `{"matches":[{one}]}`},
		{line: "enabled as a string, as Ruby sends it", method: put, path: bank, json: `{"enabled":"true"}`, want: `{"name":"COOP_ORG1_SPAM","matching_enabled_ratio":1.0}`},
		{line: "enabled false is ratio 0", method: put, path: bank, json: `{"enabled":false}`, has: []string{`"matching_enabled_ratio":0.0`}},
		{line: "the ratio wins over enabled", method: put, path: bank, json: `{"enabled":false,"enabled_ratio":1}`, has: []string{`"matching_enabled_ratio":1.0`}},
		{line: "an enabled bank is reported", path: lookup, want: hit},

		{line: "content is on", path: content, want: `{"id":{one},"disable_until_ts":1,"original_media_uri":null,"bank":{"name":"COOP_ORG1_SPAM","matching_enabled_ratio":1.0}}`},
		{line: "content is turned off", method: put, path: content, json: `{"disable_until_ts":0}`, has: []string{`"disable_until_ts":0`}},
		{line: "content that is off is not reported", path: lookup, want: `{}`},
		{line: "raw look-ups do not leave out content that is off", path: "/m/raw_lookup?signal_type=pdq&signal={pdq}", want: `{"matches":[{one}]}`},
		{line: "content is off until a time", method: put, path: content, json: `{"disable_until_ts":"` + soon + `"}`, has: []string{`"disable_until_ts":` + soon}},
		{line: "before that time it is not reported", path: lookup, want: `{}`},
		{line: "after that time it is reported", method: put, path: content, json: `{"disable_until_ts":1700000000}`, has: []string{`"disable_until_ts":1700000000`}},
		{line: "content is reported again", path: lookup, want: hit},
		{line: "a time more than five years ahead", method: put, path: content, json: `{"disable_until_ts":4102444800}`, status: 400},
		{line: "a negative time", method: put, path: content, json: `{"disable_until_ts":-1}`, status: 400},
		{line: "a time that is no number: 422 with a list", method: put, path: content, json: `{"disable_until_ts":"soon"}`, status: 422, has: []string{`[{"type":"integer_type","loc":["disable_until_ts"]`}},
		{line: "content is turned on", method: put, path: content, json: `{"disable_until_ts":1}`, has: []string{`"disable_until_ts":1`}},
	}
}

// requireSeedDecides looks up with many seeds: each draws the same twice, and at ratio 0.5 some report the bank and some do not.
func (s *stand) requireSeedDecides() {
	reported := 0
	hashes := file("photo", encoded(s.t, drawn(1), 90))
	_, _, text := s.send(s.t, row{method: post, path: "/h/hash?types=pdq", form: hashes}, nil)
	hash := at(s.t, text, "pdq")
	for i := range 40 {
		path := "/m/lookup?" + url.Values{"signal_type": {"pdq"}, "signal": {hash}, "seed": {fmt.Sprint("upload-", i)}}.Encode()
		_, _, first := s.send(s.t, row{path: path}, nil)
		_, _, second := s.send(s.t, row{path: path}, nil)
		require.Equal(s.t, first, second)
		if strings.Contains(first, "COOP_ORG1_SPAM") {
			reported++
		}
	}
	require.Greater(s.t, reported, 5)
	require.Less(s.t, reported, 35)
}
