package fake

import (
	"encoding/xml"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// NCMEC is NCMEC's hash sharing API, version 2, of a root. The pages of a range come in no order of time.
func (s *Source) NCMEC() http.Handler {
	signed := func(r *http.Request) bool {
		user, password, _ := r.BasicAuth()
		return user == User && password == Password
	}
	return s.serve(signed, func(w http.ResponseWriter, r *http.Request) {
		if entry, ok := strings.CutSuffix(r.URL.Path, "/feedback"); ok && r.Method == http.MethodPut {
			var body struct {
				XMLName xml.Name  `xml:"https://hashsharing.ncmec.org/hashsharing/v2 feedbackSubmission"`
				Up      *struct{} `xml:"affirmative"`
				Reasons []string  `xml:"negative>reasonIds>guid"`
			}
			if err := xml.NewDecoder(r.Body).Decode(&body); err != nil || (body.Up == nil) == (len(body.Reasons) == 0) {
				http.Error(w, "affirmative or negative is wanted", http.StatusBadRequest)
				return
			}
			_, key, _ := strings.Cut(entry, "/v2/entries/")
			s.addFeedback(map[bool]string{true: "confirmed", false: "false positive"}[body.Up != nil], key)
			fmt.Fprint(w, `<submissionResult xmlns="https://hashsharing.ncmec.org/hashsharing/v2"/>`)
			return
		}
		if r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, "/v2/entries") {
			http.NotFound(w, r)
			return
		}
		query := r.URL.Query()
		from, err := time.Parse(time.RFC3339, query.Get("from"))
		to, err2 := time.Parse(time.RFC3339, query.Get("to"))
		if err != nil || err2 != nil {
			http.Error(w, "from and to are wanted", http.StatusBadRequest)
			return
		}
		start, size := number(query, "start", 0), s.page(number(query, "size", 1000))
		first, end := s.since(from), s.since(to)
		count := end - first
		step := stride(count)
		var images strings.Builder
		for i := start; i < min(start+size, count); i++ {
			if record, ok := s.record(first + i*step%count); ok {
				writeNCMEC(&images, record)
			}
		}
		fmt.Fprintf(w, "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"+
			`<queryResult xmlns="https://hashsharing.ncmec.org/hashsharing/v2"><images count="%d" maxTimestamp="%s">%s</images>`, size, to.UTC().Format(time.RFC3339), images.String())
		fmt.Fprint(w, `<videos count="1" maxTimestamp="2017-10-24T15:20:00Z"><video><member id="42">A member</member><timestamp>2017-10-24T15:00:00Z</timestamp>`+
			`<id>video1</id><fingerprints><md5>b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1</md5></fingerprints></video></videos>`)
		if start+size < count {
			next := url.Values{"from": {query.Get("from")}, "to": {query.Get("to")}, "start": {strconv.Itoa(start + size)}, "size": {strconv.Itoa(size)}, "max": {strconv.Itoa(count)}}
			fmt.Fprintf(w, "<paging><next>/v2/entries?%s</next></paging>", html.EscapeString(next.Encode()))
		}
		fmt.Fprint(w, "</queryResult>")
	})
}

func writeNCMEC(w *strings.Builder, r Record) {
	head := fmt.Sprintf(`<member id="%d">Member %[1]d</member><timestamp>%s</timestamp><id>image%d</id>`, r.Member(), r.At.Format(time.RFC3339), r.Index)
	if r.Deleted {
		fmt.Fprintf(w, "<deletedImage>%s</deletedImage>", head)
		return
	}
	feedback := map[string]string{
		"up":   `<feedback><affirmativeFeedback type="Pdq"><members><member id="77">Another</member></members></affirmativeFeedback></feedback>`,
		"down": `<feedback><negativeFeedback type="Pdq"><reasons><reason guid="01234567-abcd-0123-4567-012345678900" name="Example Reason"/><members><member id="77">Another</member></members></reasons></negativeFeedback></feedback>`,
	}[r.Votes]
	md5 := ""
	if r.HasMD5() {
		md5 = "<md5>" + r.MD5 + "</md5>"
	}
	fmt.Fprintf(w, `<image>%s<classification>%s</classification><fingerprints>%s<sha1>%s</sha1><pdna>a1a1...</pdna><pdq>%s</pdq></fingerprints>%s</image>`,
		head, []string{"A1", "A2", "B1", "B2"}[r.Index%4], md5, r.SHA1, r.PDQ, feedback)
}

// stride is a step that visits all of count places, in no order.
func stride(count int) int {
	for _, prime := range []int{7919, 7907, 7901} {
		if count%prime != 0 {
			return prime
		}
	}
	return 1
}

// number is a query's parameter, or else.
func number(query url.Values, name string, otherwise int) int {
	if n, err := strconv.Atoi(query.Get(name)); err == nil {
		return n
	}
	return otherwise
}
