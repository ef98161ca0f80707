package hma_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"testing"

	"moderator/internal/hma"

	"github.com/stretchr/testify/require"
)

// row is a line of the contract: a request, and what its answer must be. {name} in texts stands for a saved value.
type row struct {
	line         string
	server       string // which configuration, see newStand
	method, path string // "GET" without one
	header       http.Header
	json         string // the body
	form         []part // or the body
	status       int    // 200 without one
	want         string // the whole answer
	has, hasNot  []string
	save         map[string]string // name -> dotted path in the answer's JSON
	before       func()
}

// part is a field of a multipart form; one with data is a file, sent as policyserv sends it: without a useful type.
type part struct {
	name, text string
	data       []byte
}

func file(name string, data []byte) []part { return []part{{name: name, data: data}} }

// TestConformance goes through the contract in order: the traps first, and then every endpoint.
func TestConformance(t *testing.T) {
	s := newStand(t)
	saved := map[string]string{"web": s.web.URL, "wanted": strings.Repeat("0", 64)}
	checked := 0
	for _, section := range [][]row{s.traps(), s.hashing(), s.matching(), s.ratios(), s.banks(), s.contents(), s.others()} {
		for _, r := range section {
			s.check(t, r, saved)
			checked++
		}
	}
	t.Logf("conformance: %d contract lines checked", checked)
	require.GreaterOrEqual(t, checked, 80)
}

func (s *stand) check(t *testing.T, r row, saved map[string]string) {
	t.Helper()
	if r.before != nil {
		r.before()
	}
	status, header, body := s.send(t, r, saved)
	// A pool may hold several connections of the Postgres that was stopped: each costs one 503, which asks for another try.
	for again := 0; status == http.StatusServiceUnavailable && r.status != status && again < stalePooled; again++ {
		status, header, body = s.send(t, r, saved)
	}
	about := fmt.Sprintf("%s: %s %s answered %d %s", r.line, r.method, fill(r.path, saved), status, body)
	if r.status == 0 {
		r.status = http.StatusOK
	}
	require.Equal(t, r.status, status, about)
	if r.want != "" {
		require.Equal(t, fill(r.want, saved), body, about)
	}
	for _, text := range r.has {
		require.Contains(t, body, fill(text, saved), about)
	}
	for _, text := range r.hasNot {
		require.NotContains(t, body, fill(text, saved), about)
	}
	if role := strings.TrimLeft(r.path, "/"); strings.HasPrefix(role, "h/") || strings.HasPrefix(role, "m/") || strings.HasPrefix(role, "c/") {
		if status != http.StatusUnauthorized && status != http.StatusNoContent {
			require.Equal(t, "application/json", header.Get("Content-Type"), about)
		}
		if status >= 400 && status != http.StatusUnauthorized && status != http.StatusUnprocessableEntity {
			require.Contains(t, body, `{"message":"`, about)
		}
	}
	if status == http.StatusServiceUnavailable {
		require.NotEmpty(t, header.Get("Retry-After"), about)
	}
	for name, path := range r.save {
		saved[name] = at(t, body, path)
	}
}

// stalePooled is more than the connections of one library.
const stalePooled = 20

// fill replaces {name} by the saved value.
func fill(text string, saved map[string]string) string {
	for name, value := range saved {
		text = strings.ReplaceAll(text, "{"+name+"}", value)
	}
	return text
}

// at is a value in JSON as text.
func at(t *testing.T, body, path string) string {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(body))
	decoder.UseNumber()
	var value any
	require.NoError(t, decoder.Decode(&value), body)
	for _, name := range strings.Split(path, ".") {
		object, ok := value.(map[string]any)
		require.True(t, ok, "%s in %s", path, body)
		value = object[name]
		require.NotNil(t, value, "%s in %s", path, body)
	}
	return fmt.Sprint(value)
}

func (s *stand) send(t *testing.T, r row, saved map[string]string) (status int, header http.Header, text string) {
	t.Helper()
	var body io.Reader
	contentType := ""
	switch {
	case r.json != "":
		body, contentType = strings.NewReader(fill(r.json, saved)), "application/json"
	case r.form != nil:
		var form bytes.Buffer
		w := multipart.NewWriter(&form)
		for _, p := range r.form {
			disposition, data := fmt.Sprintf("form-data; name=%q", p.name), []byte(p.text)
			if p.data != nil {
				disposition, data = disposition+`; filename="x"`, p.data
			}
			to, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {disposition}})
			require.NoError(t, err)
			_, err = to.Write(data)
			require.NoError(t, err)
		}
		require.NoError(t, w.Close())
		body, contentType = &form, w.FormDataContentType()
	}
	request, err := http.NewRequestWithContext(t.Context(), r.method, s.servers[r.server].URL+fill(r.path, saved), body)
	require.NoError(t, err)
	for name, values := range r.header {
		request.Header[name] = values
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	require.NoError(t, err, r.line)
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, response.Header, strings.TrimSpace(string(data))
}

// Clients hide failures from people: requests are counted.
func TestRequestsAreCounted(t *testing.T) {
	s := newStand(t)
	s.serve("counted", hma.Config{}, s.db)
	for _, path := range []string{"/c/banks", "/c/banks", "/c/bank/NONE"} {
		s.send(t, row{line: "counted", server: "counted", path: path}, nil)
	}
	families, err := s.metrics.Gather()
	require.NoError(t, err)
	counts := map[string]float64{}
	for _, m := range families[0].GetMetric() {
		counts[m.GetLabel()[0].GetValue()+" "+m.GetLabel()[1].GetValue()] = m.GetCounter().GetValue()
	}
	require.Equal(t, 2.0, counts["GET /c/banks 2xx"])
	require.Equal(t, 1.0, counts["GET /c/bank/{bank} 4xx"])
	require.Contains(t, counts, "POST /h/hash 5xx")
}
