package hma_test

import (
	"strings"

	"github.com/stretchr/testify/require"
)

func (s *stand) banks() []row {
	return []row{
		{line: "banks are listed with ratios", path: "/c/banks", has: []string{`[{"name":"COOP_ORG1_SPAM","matching_enabled_ratio":1.0}`, `{"name":"default","matching_enabled_ratio":1.0}`}},
		{line: "a bank of flagctl's", path: "/c/bank/default", want: `{"name":"default","matching_enabled_ratio":1.0}`},
		{line: "a ratio at creation, as Coop sends it", method: post, path: "/c/banks", json: `{"name":"RATED","enabled_ratio":"0.25"}`, status: 201, want: `{"name":"RATED","matching_enabled_ratio":0.25}`},
		{line: "the ratio of the creation stays", path: "/c/bank/RATED", want: `{"name":"RATED","matching_enabled_ratio":0.25}`},
		{line: "enabled has no effect at creation", method: post, path: "/c/banks", json: `{"name":"ENABLED","enabled":false}`, status: 201, want: `{"name":"ENABLED","matching_enabled_ratio":1.0}`},
		{line: "gem's matching_enabled_ratio is ignored", method: post, path: "/c/banks", json: `{"name":"GEM","matching_enabled_ratio":0.5,"enabled":"true"}`, status: 201, has: []string{":1.0}"}},
		{line: "a ratio of 0 at creation", method: post, path: "/c/banks", json: `{"name":"OFF","enabled_ratio":0}`, status: 201, want: `{"name":"OFF","matching_enabled_ratio":0.0}`},
		{line: "the ratio stays", path: "/c/bank/OFF", want: `{"name":"OFF","matching_enabled_ratio":0.0}`},
		{line: "255 characters", method: post, path: "/c/banks", json: `{"name":"` + strings.Repeat("A", 255) + `"}`, status: 201},
		{line: "256 characters", method: post, path: "/c/banks", json: `{"name":"` + strings.Repeat("A", 256) + `"}`, status: 400},
		{line: "a lower-case name", method: post, path: "/c/banks", json: `{"name":"spam"}`, status: 400},
		{line: "a name that begins with a digit", method: post, path: "/c/banks", json: `{"name":"1A"}`, status: 400},
		{line: "no name: 422 with a list", method: post, path: "/c/banks", json: `{}`, status: 422, want: `[{"type":"missing","loc":["name"],"msg":"Field required"}]`},
		{line: "a name that is no string", method: post, path: "/c/banks", json: `{"name":5}`, status: 422},
		{line: "a ratio that is no number", method: post, path: "/c/banks", json: `{"name":"N","enabled_ratio":"half"}`, status: 422},
		{line: "a ratio above 1", method: post, path: "/c/banks", json: `{"name":"N","enabled_ratio":1.5}`, status: 400},
		{line: "no JSON", method: post, path: "/c/banks", json: `name=N`, status: 422},

		{line: "a bank is renamed in place", method: put, path: "/c/bank/COOP_ORG1_SPAM", json: `{"name":"COOP_ORG1_SPAM_2"}`, want: `{"name":"COOP_ORG1_SPAM_2","matching_enabled_ratio":1.0}`},
		{line: "the old name is gone", path: "/c/bank/COOP_ORG1_SPAM", status: 404},
		{line: "its content came with it", path: "/m/lookup?signal_type=pdq&signal={pdq}", want: `{"COOP_ORG1_SPAM_2":[{"bank_content_id":{one},"distance":"0"}]}`},
		{line: "a name that is taken", method: put, path: "/c/bank/COOP_ORG1_SPAM_2", json: `{"name":"DOUBLED"}`, status: 403, has: []string{"already exists"}},
		{line: "a bad name", method: put, path: "/c/bank/COOP_ORG1_SPAM_2", json: `{"name":"a b"}`, status: 400},
		{line: "a bank that does not exist", method: put, path: "/c/bank/NONE", json: `{"enabled":true}`, status: 404},

		{line: "a bank is deleted", method: del, path: "/c/bank/COOP_ORG1_SPAM_2", want: `{"message":"Done"}`},
		{line: "its flags are retracted, with the audit trail", path: "/c/bank/COOP_ORG1_SPAM_2", status: 404, before: func() {
			require.Equal(s.t, 1, s.count("SELECT count(*) FROM flagged_image WHERE retracted_by = 'hma' AND retract_reason = 'HMA: DELETE /c/bank/COOP_ORG1_SPAM_2'"))
			require.NotZero(s.t, s.count("SELECT count(*) FROM audit_log WHERE actor = 'hma' AND table_name = 'flagged_image' AND after ->> 'retracted_by' = 'hma'"))
			require.NotZero(s.t, s.count("SELECT count(*) FROM audit_log WHERE actor = 'hma' AND table_name = 'bank' AND before ->> 'name' = 'COOP_ORG1_SPAM_2'"))
		}},
		{line: "nothing is found in it", path: "/m/raw_lookup?signal_type=pdq&signal={pdq}", want: `{"matches":[]}`},
		{line: "it is not listed", path: "/c/banks", hasNot: []string{"COOP_ORG1_SPAM"}},
		{line: "it is not reached by the name that flagctl shows", path: "/c/bank/deleted.2.COOP_ORG1_SPAM_2", status: 404},
		{line: "deleting it again is fine", method: del, path: "/c/bank/COOP_ORG1_SPAM_2", want: `{"message":"Done"}`},
		{line: "its name is free", method: post, path: "/c/banks", json: `{"name":"COOP_ORG1_SPAM_2"}`, status: 201},
		{line: "the new bank is empty", path: "/m/lookup?signal_type=pdq&signal={pdq}", want: `{}`},
	}
}

func (s *stand) contents() []row {
	const bank = "/c/bank/COOP_ORG1_SPAM_2"
	two := encoded(s.t, drawn(3), 90)
	withText := func(data []byte, fields ...string) []part {
		form := file("photo", data)
		for i := 0; i < len(fields); i += 2 {
			form = append(form, part{name: fields[i], text: fields[i+1]})
		}
		return form
	}
	save := func(name string) map[string]string { return map[string]string{name: "id"} }
	return []row{
		{
			line: "content by URL, metadata and note in the body", method: post, path: bank + "/content?url={web}/one.jpg%3Fsignature=x",
			json: `{"metadata":{"content_id":"c1","content_uri":"https://a.example/1","json":{"a":1}},"note":"seen"}`, has: []string{`"signals":{`}, save: save("a"),
		},
		{line: "an id is never used again", path: bank + "/content/{one}", status: 404, before: func() {
			require.Equal(s.t, s.count("SELECT count(*) FROM flagged_image"), s.count("SELECT count(DISTINCT number) FROM flagged_image"))
		}},
		{
			line: "content has metadata, note and its URL without the query", path: bank + "/content/{a}",
			has: []string{`"original_media_uri":"{web}/one.jpg"`, `"content_id":"c1"`, `"note":"seen"`}, hasNot: []string{"signature", `"signals"`},
		},
		{line: "signals on request", path: bank + "/content/{a}?include_signals=true&include_metadata=false", has: []string{`"pdq":"{pdq}"`, `"moderator":"m1.`}, hasNot: []string{"metadata"}},
		{line: "metadata and note as form fields", method: post, path: bank + "/content", form: withText(two, "metadata", `{"content_id":"c2","collab":{"X":["1"]}}`, "note", "two"), save: save("b")},
		{line: "collab is dropped", path: bank + "/content/{b}", has: []string{`"content_id":"c2"`, `"note":"two"`}, hasNot: []string{"collab"}},
		{line: "metadata in the query", method: post, path: bank + "/content?url={web}/other.jpg&metadata=%7B%22content_id%22:%22c3%22%7D", save: save("c")},
		{line: "metadata of the query is kept", path: bank + "/content/{c}", has: []string{`"content_id":"c3"`}},
		{line: "the same file again has the same id", method: post, path: bank + "/content", form: file("photo", two), has: []string{`"id":{b},`}},
		{line: "types selects the signals of the answer", method: post, path: bank + "/content?types=pdq", form: file("photo", two), hasNot: []string{"moderator"}},
		{line: "a video", method: post, path: bank + "/content", form: file("video", mp4(1)), has: []string{`"video_md5":"`}, save: map[string]string{"v": "id", "md5": "signals.video_md5"}},
		{line: "a video is found by its MD5, the distance 0", path: "/m/lookup?signal_type=video_md5&signal={md5}", want: `{"COOP_ORG1_SPAM_2":[{"bank_content_id":{v},"distance":"0"}]}`},
		{line: "a video's signals", path: bank + "/content/{v}?include_signals=1", has: []string{`"signals":{"video_md5":"{md5}"}`}},
		{line: "an invalid MD5", path: "/m/lookup?signal_type=video_md5&signal=abc", status: 400},

		{line: "unknown keys of metadata", method: post, path: bank + "/content?url={web}/one.jpg", json: `{"metadata":{"label":"x"}}`, status: 400, has: []string{"unexpected keys: label"}},
		{line: "metadata that is no object", method: post, path: bank + "/content", form: withText(two, "metadata", "[]"), status: 400},
		{line: "a note over 255 characters", method: post, path: bank + "/content?url={web}/one.jpg", json: `{"note":"` + strings.Repeat("ü", 256) + `"}`, status: 400},
		{line: "neither URL nor file", method: post, path: bank + "/content", json: `{}`, status: 400, has: []string{"Neither `url` nor multipart file upload was received"}},
		{line: "content for a bank that does not exist", method: post, path: "/c/bank/NONE/content", form: file("photo", two), status: 404},
		{line: "a login that may only read adds nothing", server: "reader", method: post, path: bank + "/content", form: file("photo", encoded(s.t, drawn(9), 90)), status: 403, has: []string{"missing role"}},

		{line: "a note is changed", method: put, path: bank + "/content/{a}", json: `{"note":"looked at"}`, has: []string{`"note":"looked at"`, `"disable_until_ts":1`}},
		{line: "an empty note clears", method: put, path: bank + "/content/{a}", json: `{"note":""}`, hasNot: []string{`"note"`}},
		{line: "a note over 255 characters is not taken", method: put, path: bank + "/content/{a}", json: `{"note":"` + strings.Repeat("n", 256) + `"}`, status: 400},
		{line: "changing content that does not exist", method: put, path: bank + "/content/999999", json: `{"note":"x"}`, status: 404},
		{line: "content that does not exist", path: bank + "/content/999999", status: 404},
		{line: "content of another bank", path: "/c/bank/DOUBLED/content/{a}", status: 404},
		{line: "an id that is no number: 422", path: bank + "/content/x", status: 422},

		{line: "a signal is added", method: post, path: bank + "/signal", json: `{"pdq":"` + zeros + `","note":"from a list"}`, has: []string{`"signals":{"pdq":"` + zeros + `"}`}, save: save("s")},
		{line: "the signal is found, 8 bits away", path: "/m/lookup?signal_type=pdq&signal=" + zeros[:62] + "ff", want: `{"COOP_ORG1_SPAM_2":[{"bank_content_id":{s},"distance":"8"}]}`},
		{line: "the signal is not found 32 bits away", path: "/m/lookup?signal_type=pdq&signal=" + zeros[:56] + "ffffffff", want: `{}`},
		{line: "our own signal is added", method: post, path: "/c/bank/DOUBLED/signal", json: `{"moderator":"{own}"}`, save: save("o")},
		{line: "our own signal is found", path: "/m/lookup?signal_type=moderator&signal={cropown}&banks=DOUBLED", has: []string{`"bank_content_id":{o}`}},
		{line: "no signals", method: post, path: bank + "/signal", json: `{"note":"x"}`, status: 400},
		{line: "an unknown signal", method: post, path: bank + "/signal", json: `{"tmk":"x"}`, status: 400},
		{line: "an invalid signal", method: post, path: bank + "/signal", json: `{"pdq":"x"}`, status: 400},
		{line: "a signal for a bank that does not exist", method: post, path: "/c/bank/NONE/signal", json: `{"pdq":"` + zeros + `"}`, status: 404},

		{line: "content is deleted", method: del, path: bank + "/content/{b}", want: `{"deleted":1}`},
		{line: "deleted content is retracted, with the audit trail", path: bank + "/content/{b}", status: 404, before: func() {
			require.Equal(s.t, 1, s.count("SELECT count(*) FROM flagged_image WHERE retract_reason LIKE 'HMA: DELETE /c/bank/COOP_ORG1_SPAM_2/content/%'"))
		}},
		{line: "deleting it again", method: del, path: bank + "/content/{b}", want: `{"deleted":0}`},
		{line: "a deleted file that is added again has another id", method: post, path: bank + "/content", form: file("photo", two), hasNot: []string{`"id":{b},`}},
		{line: "content is deleted whichever bank it is in", method: del, path: "/c/bank/DOUBLED/content/{c}", want: `{"deleted":1}`},
		{line: "deleting from a bank that does not exist", method: del, path: "/c/bank/NONE/content/{a}", status: 404},
	}
}

func (s *stand) others() []row {
	return []row{
		{line: "signal types", path: "/c/signal_type", want: `[{"name":"pdq","enabled_ratio":1.0},{"name":"video_md5","enabled_ratio":1.0},{"name":"moderator","enabled_ratio":1.0}]`},
		{line: "content types", path: "/c/content_type", want: `[{"name":"photo","enabled":true},{"name":"video","enabled":true}]`},
		{line: "a signal type's ratio", method: put, path: "/c/signal_type/pdq", json: `{"enabled_ratio":"1"}`, status: 204},
		{line: "a signal type is not turned off", method: put, path: "/c/signal_type/pdq", json: `{"enabled_ratio":0}`, status: 400},
		{line: "no ratio", method: put, path: "/c/signal_type/pdq", json: `{}`, status: 422},
		{line: "index of signal types", path: "/c/signal_type/index", has: []string{`"pdq":{"db_size":`, `"index_out_of_date":false`}},
		{line: "APIs of exchanges", path: "/c/exchanges/apis", want: `[]`},
		{line: "an unknown API", path: "/c/exchanges/api/ncmec", status: 400},
		{line: "credentials of an unknown API", method: post, path: "/c/exchanges/api/ncmec", json: `{"credential_json":{}}`, status: 400},
		{line: "the schema of an unknown API", path: "/c/exchanges/api/ncmec/schema", status: 404},
		{line: "exchanges", path: "/c/exchanges", want: `[]`},
		{line: "a new exchange", method: post, path: "/c/exchanges", json: `{"bank":"X","api":"ncmec","api_json":{}}`, status: 400},
		{line: "an exchange without a bank", method: post, path: "/c/exchanges", json: `{"api":"ncmec"}`, status: 422},
		{line: "an exchange", path: "/c/exchange/DOUBLED", status: 404, has: []string{"Exchange 'DOUBLED' not found"}},
		{line: "an exchange's status", path: "/c/exchange/DOUBLED/status", status: 404},
		{line: "a changed exchange", method: put, path: "/c/exchange/DOUBLED", json: `{"enabled":true}`, status: 404},
		{line: "a deleted exchange", method: del, path: "/c/exchange/DOUBLED", want: `{"message":"Exchange deleted"}`},
		{line: "a deleted exchange that was none keeps the bank", path: "/c/bank/DOUBLED"},
	}
}
