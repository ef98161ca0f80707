package hma_test

import (
	"strings"

	"moderator/internal/imaging"
	"moderator/internal/matchdb"
	"moderator/internal/recognise"

	"github.com/stretchr/testify/require"
)

// matching adds content to COOP_ORG1_SPAM and looks it up.
func (s *stand) matching() []row {
	one := encoded(s.t, drawn(1), 90)
	s.files["/mirror.jpg"], s.files["/other.jpg"] = encoded(s.t, mirrored(drawn(1)), 80), encoded(s.t, drawn(2), 90)
	other := "m1.00000000." + strings.Repeat("A", 683)
	lookup := func(kind, signal string) string { return "/m/lookup?signal_type=" + kind + "&signal={" + signal + "}" }
	hit := `{"COOP_ORG1_SPAM":[{"bank_content_id":{one},"distance":"0"}]}`
	return []row{
		{line: "nothing found", path: lookup("pdq", "pdq"), want: `{}`},
		{
			line: "content is added by 200 with an integer id", method: post, path: "/c/bank/COOP_ORG1_SPAM/content", form: file("photo", one),
			has: []string{`"id":`, `"pdq":"{pdq}"`}, save: map[string]string{"one": "id"},
		},
		{line: "found by the PDQ hash, the distance a string", path: lookup("pdq", "pdq"), want: hit},
		{line: "found by our own signal", path: lookup("moderator", "own"), want: hit},
		{line: "a mirrored copy's hash", path: "/h/hash?url={web}/mirror.jpg", save: map[string]string{"mirror": "pdq"}, hasNot: []string{"{pdq}"}},
		{line: "a mirrored copy is found by its upright hash", path: lookup("pdq", "mirror"), has: []string{`{"COOP_ORG1_SPAM":[{"bank_content_id":{one},"distance":"`}},
		{line: "a cropped copy's hashes", method: post, path: "/h/hash", form: file("photo", encoded(s.t, cropped(drawn(1)), 80)), save: map[string]string{"crop": "pdq", "cropown": "moderator"}},
		{line: "a cropped copy is not found by PDQ", path: lookup("pdq", "crop"), want: `{}`},
		{line: "a cropped copy is found by our own signal", path: lookup("moderator", "cropown"), has: []string{`{"COOP_ORG1_SPAM":[{"bank_content_id":{one},"distance":"`}},
		{line: "another picture's hashes", path: "/h/hash?url={web}/other.jpg", save: map[string]string{"other": "pdq", "otherown": "moderator"}},
		{line: "another picture is not found by PDQ", path: lookup("pdq", "other"), want: `{}`},
		{line: "another picture is not found by our own signal", path: lookup("moderator", "otherown"), want: `{}`},
		{line: "banks selects", path: lookup("pdq", "pdq") + "&banks=DOUBLED,COOP_ORG1_SPAM", want: hit},
		{line: "banks leaves out", path: lookup("pdq", "pdq") + "&banks=DOUBLED", want: `{}`},

		{line: "by URL: a level for each signal type", path: "/m/lookup?url={web}/one.jpg", want: `{"moderator":` + hit + `,"pdq":` + hit + `}`},
		{line: "by URL: nothing found", path: "/m/lookup?url={web}/other.jpg&types=pdq", want: `{"pdq":{}}`},
		{line: "by URL with a signal type: no outer level", path: "/m/lookup?url={web}/one.jpg&signal_type=pdq", want: hit},
		{line: "by URL: low quality finds nothing", path: "/m/lookup?url={web}/flat.jpg", want: `{"pdq":{}}`},
		{line: "by file", method: post, path: "/m/lookup", form: file("photo", one), want: `{"moderator":` + hit + `,"pdq":` + hit + `}`},
		{line: "by file with types and banks", method: post, path: "/m/lookup?types=pdq&banks=DOUBLED", form: file("photo", one), want: `{"pdq":{}}`},
		{line: "by file: no file", method: post, path: "/m/lookup", json: `{}`, status: 400},

		{line: "an empty signal counts as missing", path: "/m/lookup?signal_type=pdq&signal=", status: 400},
		{line: "no signal type", path: "/m/lookup?signal={pdq}", status: 400},
		{line: "neither URL nor signal", path: "/m/lookup", status: 400},
		{line: "an unknown signal type", path: "/m/lookup?signal_type=tmk&signal=00", status: 400, want: `{"message":"No such signal type 'tmk'"}`},
		{line: "an invalid PDQ hash", path: "/m/lookup?signal_type=pdq&signal=abc", status: 400, has: []string{"invalid pdq signal"}},
		{line: "an upper-case PDQ hash", path: "/m/lookup?signal_type=pdq&signal=" + strings.Repeat("AB", 32), status: 400},
		{line: "an invalid own signal", path: "/m/lookup?signal_type=moderator&signal=m1.x", status: 400, has: []string{"invalid moderator signal"}},
		{line: "an own signal of another model", path: "/m/lookup?signal_type=moderator&signal=" + other, status: 400, has: []string{"hash the picture again"}},

		{line: "raw look-up: ids", path: "/m/raw_lookup?signal_type=pdq&signal={pdq}", want: `{"matches":[{one}]}`},
		{line: "raw look-up with distances, a boolean as Python writes it", path: "/m/raw_lookup?signal_type=pdq&signal={pdq}&include_distance=True", want: `{"matches":[{"bank_content_id":{one},"distance":"0"}]}`},
		{line: "raw look-up without distances, as Ruby writes it", path: "/m/raw_lookup?signal_type=pdq&signal={pdq}&include_distance=false", want: `{"matches":[{one}]}`},
		{line: "raw look-up by our own signal", path: "/m/raw_lookup?signal_type=moderator&signal={own}", want: `{"matches":[{one}]}`},
		{line: "raw look-up in a bank", path: "/m/raw_lookup?signal_type=pdq&signal={pdq}&banks=DOUBLED", want: `{"matches":[]}`},
		{line: "raw look-up without a signal", path: "/m/raw_lookup?signal_type=pdq", status: 400},

		{line: "compare: the distance is a number", method: post, path: "/m/compare", json: `{"pdq":["` + zeros + `","` + zeros[:62] + `ff"]}`, want: `{"pdq":[true,{"distance":8}]}`},
		{line: "compare: too far", method: post, path: "/m/compare", json: `{"pdq":["` + zeros + `","` + zeros[:56] + `ffffffff"]}`, want: `{"pdq":[false,{"distance":32}]}`},
		{line: "compare our own signals", method: post, path: "/m/compare", json: `{"moderator":["{own}","{own}"]}`, want: `{"moderator":[true,{"distance":0}]}`},
		{line: "compare one hash", method: post, path: "/m/compare", json: `{"pdq":["` + zeros + `"]}`, status: 400},
		{line: "compare what is no hash", method: post, path: "/m/compare", json: `{"pdq":["a","b"]}`, status: 400},
		{line: "compare a list", method: post, path: "/m/compare", json: `[]`, status: 400},

		{line: "index status", path: "/m/index/status?signal_type=pdq", has: []string{`{"pdq":{"present":true,"built_to":`}},
		{line: "index status of all types", path: "/m/index/status", has: []string{`"moderator":`, `"video_md5":`}},
		{line: "index status before the library is read", server: "unread", path: "/m/index/status?signal_type=video_md5", want: `{"video_md5":{"present":false,"built_to":-1,"size":0}}`},
		{line: "index status of an unknown type", path: "/m/index/status?signal_type=tmk", status: 400},

		{line: "an allowed picture that is nearer suppresses", path: lookup("pdq", "mirror"), want: `{}`, before: func() { s.allow(s.files["/mirror.jpg"]) }},
		{line: "the flagged picture itself is still found", path: lookup("pdq", "pdq"), want: hit},
	}
}

// allow puts a picture on the allow-list.
func (s *stand) allow(data []byte) {
	result, err := imaging.Decode(data, imaging.Request{
		Targets: []imaging.Target{s.model.Folder().Target()}, Views: recognise.QueryViews(), Gray: true, Limits: imaging.DefaultLimits(),
	})
	require.NoError(s.t, err)
	picture, err := recognise.Extract(s.t.Context(), s.model, result)
	require.NoError(s.t, err)
	allowed := matchdb.NewAllowed{SHA256: strings.Repeat("ab", 32), By: "mo", Model: s.model.Folder().Fingerprint()}
	allowed.Embeddings, allowed.PDQ = picture.Signals()
	_, err = s.db.Allow(s.t.Context(), allowed)
	require.NoError(s.t, err)
}
