package hma_test

import (
	"context"
	"net/http"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	get  = http.MethodGet
	post = http.MethodPost
	put  = http.MethodPut
	del  = http.MethodDelete
)

// traps are what breaks clients most, see the package's comment.
func (s *stand) traps() []row {
	s.files["/one.jpg"] = encoded(s.t, drawn(1), 90)
	bearer := func(k string) http.Header { return http.Header{"Authorization": {"Bearer " + k}} }
	return []row{
		{
			line: "a bank is made by 201 with a ratio with a decimal point", method: post, path: "/c/banks", json: `{"name":"COOP_ORG1_SPAM"}`, status: 201,
			want: `{"name":"COOP_ORG1_SPAM","matching_enabled_ratio":1.0}`,
		},
		{line: "a bank that exists is 200, its name letter for letter", path: "/c/bank/COOP_ORG1_SPAM", want: `{"name":"COOP_ORG1_SPAM","matching_enabled_ratio":1.0}`},
		{line: "a bank that does not exist is 404", path: "/c/bank/COOP_ORG1_OTHER", status: 404, want: `{"message":"bank 'COOP_ORG1_OTHER' not found"}`},
		{line: "names differ by case", path: "/c/bank/coop_org1_spam", status: 404},
		{line: "a bank before the library is read is 200", server: "unread", path: "/c/bank/COOP_ORG1_SPAM"},
		{line: "a look-up before the library is read is 503", server: "unread", path: "/m/lookup?signal_type=pdq&signal={wanted}", status: 503, want: `{"message":"index not yet ready"}`},
		{line: "status before the library is read", server: "unread", path: "/status", status: 503, want: "INDEX-NOT-LOADED"},

		{
			line: "the database away: a bank that exists is 503", path: "/c/bank/COOP_ORG1_SPAM", status: 503, has: []string{`"message"`},
			before: func() { require.NoError(s.t, s.pg.Stop(context.Background())) },
		},
		{line: "the database away: a bank that does not exist is 503", path: "/c/bank/COOP_ORG1_OTHER", status: 503},
		{line: "the database away: all banks", path: "/c/banks", status: 503},
		{line: "the database away: a new bank", method: post, path: "/c/banks", json: `{"name":"NEVER"}`, status: 503},
		{line: "the database away: a changed bank", method: put, path: "/c/bank/COOP_ORG1_SPAM", json: `{"enabled":false}`, status: 503},
		{line: "the database away: a deleted bank", method: del, path: "/c/bank/COOP_ORG1_SPAM", status: 503},
		{line: "the database away: a look-up", path: "/m/lookup?signal_type=pdq&signal={wanted}", status: 503},
		{line: "the database away: content", path: "/c/bank/COOP_ORG1_SPAM/content/1", status: 503},
		{line: "the database away: hashing goes on", method: post, path: "/h/hash", form: file("photo", s.files["/one.jpg"])},
		{line: "the database away: the process lives", path: "/status/live", want: "I-AM-ALIVE"},
		{line: "the database back: the bank is there", path: "/c/bank/COOP_ORG1_SPAM", before: s.restart},

		{line: "a doubled slash", path: "//c/banks"},
		{line: "a doubled slash by POST keeps its body", method: post, path: "//c/banks", json: `{"name":"DOUBLED"}`, status: 201, want: `{"name":"DOUBLED","matching_enabled_ratio":1.0}`},
		{line: "doubled slashes inside", path: "/c//bank//DOUBLED"},
		{line: "a bank whose name is taken: already exists", method: post, path: "/c/banks", json: `{"name":"DOUBLED"}`, status: 403, want: `{"message":"Bank already exists"}`},
		{line: "a login that may only read: missing role", server: "reader", method: post, path: "/c/banks", json: `{"name":"NEVER"}`, status: 403, has: []string{"missing role"}},
		{line: "a login that may only read deletes nothing", server: "reader", method: del, path: "/c/bank/DOUBLED", status: 403, has: []string{"missing role"}},

		{line: "a host that the fetch rules refuse is 400", path: "/h/hash?url=http://example.com/a.jpg", status: 400, has: []string{"the host example.com is not allowed"}},
		{line: "a private address is 400", path: "/h/hash?url=http://169.254.169.254/latest/meta-data", status: 400, has: []string{"not allowed"}},

		{line: "no key: 401 as plain text", server: "key", path: "/c/banks", status: 401, want: "Unauthorized"},
		{line: "a wrong key", server: "key", path: "/c/banks", header: bearer("another"), status: 401},
		{line: "an empty key", server: "key", path: "/c/banks", header: bearer(""), status: 401},
		{line: "the key", server: "key", path: "/c/banks", header: bearer(key)},
		{line: "a key with a doubled slash", server: "key", path: "//c/banks", status: 401},
		{line: "status needs no key", server: "key", path: "/status", want: "I-AM-ALIVE"},
		{line: "status/live needs no key", server: "key", path: "/status/live", want: "I-AM-ALIVE"},
		{line: "site-map needs no key", server: "key", path: "/site-map"},
		{line: "an empty key where none is set, as policyserv sends it", path: "/c/banks", header: bearer("")},
		{line: "a web page of another origin cannot change banks", method: del, path: "/c/bank/DOUBLED", header: http.Header{"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://evil.example"}}, status: 403},
	}
}

// restart starts Postgres again and waits until pooled connections are new.
func (s *stand) restart() {
	s.startPostgres()
	require.Eventually(s.t, func() bool {
		status, _, _ := s.send(s.t, row{line: "wait", path: "/c/bank/COOP_ORG1_SPAM"}, nil)
		again, _, _ := s.send(s.t, row{line: "wait", path: "/m/lookup?signal_type=pdq&signal=" + zeros}, nil)
		reader, _, _ := s.send(s.t, row{line: "wait", server: "reader", path: "/c/banks"}, nil)
		return status == http.StatusOK && again == http.StatusOK && reader == http.StatusOK
	}, time.Minute, 50*time.Millisecond)
}
