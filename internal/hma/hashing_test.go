package hma_test

import (
	"crypto/md5"
	"fmt"
	"strings"
)

var zeros = strings.Repeat("0", 64)

func (s *stand) hashing() []row {
	one := encoded(s.t, drawn(1), 90)
	s.files["/flat.jpg"], s.files["/text.html"], s.files["/video"] = encoded(s.t, flat(), 90), []byte("<html>"), mp4(1)
	s.files["/large.jpg"] = make([]byte, mostBytes+1)
	md5JSON := fmt.Sprintf(`{"video_md5":"%x"}`, md5.Sum(mp4(1)))
	save := map[string]string{"pdq": "pdq", "own": "moderator"}
	return []row{
		{line: "status", path: "/status", want: "I-AM-ALIVE"},
		{line: "status of an old index", server: "stale", path: "/status", status: 503, want: "INDEX-STALE"},
		{line: "GET / redirects to the status", path: "/", status: 302},
		{line: "site-map", path: "/site-map", has: []string{`"/h/hash"`, `"/c/bank/<bank>"`}},
		{line: "OpenAPI", path: "/openapi/openapi.json", has: []string{`"title":"Open Media Match API"`, `"/m/lookup"`}},

		{line: "a photo's hashes are strings", method: post, path: "/h/hash", form: file("photo", one), has: []string{`"pdq":"`, `"moderator":"m1.`}, save: save},
		{line: "types selects", method: post, path: "/h/hash?types=pdq", form: file("photo", one), want: `{"pdq":"{pdq}"}`},
		{line: "types with blanks and empty elements", method: post, path: "/h/hash?types=pdq,+,", form: file("photo", one), want: `{"pdq":"{pdq}"}`},
		{line: "by URL", path: "/h/hash?url={web}/one.jpg", want: `{"moderator":"{own}","pdq":"{pdq}"}`},
		{line: "by URL with a content type", path: "/h/hash?url={web}/one.jpg&content_type=photo&types=pdq", want: `{"pdq":"{pdq}"}`},
		{line: "low quality: an empty string", path: "/h/hash?url={web}/flat.jpg", want: `{"pdq":""}`},
		{line: "a video's MD5", method: post, path: "/h/hash", form: file("video", mp4(1)), want: md5JSON},
		{line: "a video by URL", path: "/h/hash?url={web}/video", want: md5JSON},
		{line: "a URL's file as a video", path: "/h/hash?url={web}/one.jpg&content_type=video", has: []string{`{"video_md5":"`}, hasNot: []string{md5JSON}},

		{line: "no URL", path: "/h/hash", status: 400, want: `{"message":"url is required"}`},
		{line: "another scheme", path: "/h/hash?url=file:///etc/passwd", status: 400},
		{line: "a fetch that fails", path: "/h/hash?url={web}/none.jpg", status: 400, has: []string{"404 Not Found"}},
		{line: "neither photo nor video", path: "/h/hash?url={web}/text.html", status: 400},
		{line: "an unknown content type", path: "/h/hash?url={web}/one.jpg&content_type=text", status: 400, has: []string{"no such content_type: 'text'"}},
		{line: "an unknown signal type", path: "/h/hash?url={web}/one.jpg&types=tmk", status: 400, has: []string{"signal type 'tmk' doesn't exist"}},
		{line: "a type of another content type", path: "/h/hash?url={web}/one.jpg&types=video_md5", status: 400},
		{line: "an empty selection", path: "/h/hash?url={web}/one.jpg&types=,", status: 400, has: []string{"empty signal type selection"}},
		{line: "too large a file by URL", path: "/h/hash?url={web}/large.jpg", status: 413},
		{line: "too large a file", method: post, path: "/h/hash", form: file("photo", make([]byte, mostBytes+1)), status: 413},
		{line: "no file", method: post, path: "/h/hash", json: `{}`, status: 400, want: `{"message":"Missing multipart/form-data file upload"}`},
		{line: "a form without a file", method: post, path: "/h/hash", form: []part{{name: "photo", text: "x"}}, status: 400},
		{line: "two files", method: post, path: "/h/hash", form: append(file("photo", one), file("video", one)...), status: 400, has: []string{"Only one file allowed per request"}},
		{line: "an unknown field", method: post, path: "/h/hash", form: file("picture", one), status: 400, has: []string{"no such content_type: 'picture'"}},
		{line: "no picture", method: post, path: "/h/hash", form: file("photo", []byte("no picture")), status: 400},
		{line: "an unknown path is JSON", path: "/h/nothing", status: 404},
		{line: "a wrong method is JSON", method: put, path: "/h/hash", status: 405},
	}
}
