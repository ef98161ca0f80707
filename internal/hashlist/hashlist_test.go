package hashlist

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/pdq"
)

const (
	sumA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	sumB = "Bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	md5C = "cccccccccccccccccccccccccccccccc"

	sha1A = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
)

func bytesOf(t testing.TB, digits string) []byte {
	t.Helper()
	var raw hexBytes
	require.NoError(t, raw.UnmarshalText([]byte(digits)))
	return raw
}

func pdqOf(t testing.TB, digits string, quality int) []PDQ {
	t.Helper()
	return []PDQ{{View: original, Hash: pdq.Hash(bytesOf(t, digits)), Quality: quality}}
}

// readAll returns the flags, and the errors of the other lines.
func readAll(t testing.TB, r *Reader) (flags []Flag, bad, skips []string) {
	t.Helper()
	for {
		f, err := r.Next()
		var line *LineError
		switch {
		case errors.Is(err, io.EOF):
			return flags, bad, skips
		case errors.As(err, &line) && line.Skipped:
			skips = append(skips, err.Error())
		case errors.As(err, &line):
			bad = append(bad, err.Error())
		default:
			require.NoError(t, err)
			flags = append(flags, f)
		}
	}
}

func TestFormatsOfTheField(t *testing.T) {
	a, b := pdqOf(t, sumA, 100), pdqOf(t, sumB, 100)
	for name, c := range map[string]struct {
		text   string
		bare   HashType
		format Format
		flags  []Flag
		bad    []string // beginnings of the errors
		skips  []string
	}{
		"pdq-photo-hasher's output": {
			text:   "hash,quality,filename\n" + sumA + ",100,/a.jpg\n" + sumB + ",50,with, comma.jpg\n\n" + sumA + ",49,flat.jpg\n" + sumA + ",high,x\n" + "zz,100,x\n" + sumA + "\n",
			format: HashCSV,
			flags:  []Flag{{PDQ: a, Source: "/a.jpg"}, {PDQ: pdqOf(t, sumB, 50), Source: "with, comma.jpg"}},
			bad:    []string{"line 5: its only signal is a PDQ hash of quality 49", `line 6: the PDQ quality is "high"`, `line 7: "zz" is not a hash of type pdq`, "line 8: it has 1 columns"},
		},
		"the same without a header, quoted": {
			text: sumA + `,77,"a ""b"", c.jpg"`, format: HashCSV,
			flags: []Flag{{PDQ: pdqOf(t, sumA, 77), Source: `a "b", c.jpg`}},
		},
		"hash and file": {
			text: "hash,filename\r\n" + sumA + ",a.jpg\r\n" + md5C + ",c.jpg\r\n", bare: TypeSHA256, format: HashCSV,
			flags: []Flag{{SHA256: bytesOf(t, sumA), Source: "a.jpg"}, {MD5: bytesOf(t, md5C), Source: "c.jpg"}},
		},
		"hash and file without a header": {
			text: sumB + ",100 b.jpg", bare: TypePDQ, format: HashCSV, flags: []Flag{{PDQ: b, Source: "100 b.jpg"}},
		},
		"tx dataset --csv": {
			text: "signal_type,signal_str,collab,category,tags\npdq," + sumA + ",Sample,TRUE_POSITIVE,a b\nvideo_md5," + md5C + ",Sample,TRUE_POSITIVE,\n" +
				"md5," + md5C + ",Sample,POSITIVE_CLASS,\npdq," + sumB + ",Sample,FALSE_POSITIVE,\npdq," + sumB + ",Sample,INVESTIGATION_SEED,\npdq,short,Sample,TRUE_POSITIVE,\n",
			format: Exchange,
			flags:  []Flag{{PDQ: a, Source: "Sample", Note: "a b"}, {MD5: bytesOf(t, md5C), Source: "Sample"}},
			bad:    []string{`line 7: "short" is not a hash of type pdq`},
			skips:  []string{"line 3: signal type video_md5", `line 5: category "FALSE_POSITIVE"`, `line 6: category "INVESTIGATION_SEED"`},
		},
		"tx dataset --csv with the columns as it writes them now": {
			text:   "collab,signal_type,signal_str,category,tags\n\"My, list\",sha256," + sumA + ",TRUE_POSITIVE,\n",
			format: Exchange, flags: []Flag{{SHA256: bytesOf(t, sumA), Source: "My, list"}},
		},
		"typed": {
			text: "# a comment\npdq " + sumA + "\nmd5\t" + md5C + "\nraw_text some words\nsha256 " + sumB + "\nsha256\nmagic 1\n", format: Signals,
			flags: []Flag{{PDQ: a}, {MD5: bytesOf(t, md5C)}, {SHA256: bytesOf(t, sumB)}},
			bad:   []string{`line 6: "" is not a hash of type sha256`},
			skips: []string{"line 4: signal type raw_text", `line 7: unknown signal type "magic"`},
		},
		"bare PDQ": {
			text: "\uFEFF" + sumA + "\n" + sumB + "\n" + md5C + "\nhello\n", bare: TypePDQ, format: Bare,
			flags: []Flag{{PDQ: a}, {PDQ: b}, {MD5: bytesOf(t, md5C)}}, bad: []string{`line 4: "hello" is not a hash of type pdq`},
		},
		"bare MD5": {
			text: md5C + "\n" + sumA + "\n", format: Bare, flags: []Flag{{MD5: bytesOf(t, md5C)}}, bad: []string{"line 2: "},
		},
		"sha256sum": {
			text: sumA + "  dir/a b.jpg\n" + sumB + " *b.jpg\n", format: Bare,
			flags: []Flag{{SHA256: bytesOf(t, sumA), Source: "dir/a b.jpg"}, {SHA256: bytesOf(t, sumB), Source: "b.jpg"}},
		},
		"sha256sum and md5sum of names that they escape": {
			text: `\` + sumA + `  new\nline \\n.jpg` + "\n" + `\` + md5C + ` *a\rb.jpg` + "\n" + sumB + `  plain\n.jpg` + "\n", format: Bare,
			flags: []Flag{
				{SHA256: bytesOf(t, sumA), Source: "new\nline \\n.jpg"},
				{MD5: bytesOf(t, md5C), Source: "a\rb.jpg"},
				{SHA256: bytesOf(t, sumB), Source: `plain\n.jpg`},
			},
		},
		"md5 and sha256 of BSD": {
			text: "MD5 (a (1).jpg) = " + md5C + "\nSHA256 (b.jpg) = " + sumA + "\n" + `\SHA256 (x\ny) = ` + sumB + "\nSHA1 (c) = " + sha1A + "\nMD5 (d) = 12\nSHA512 (e) = " + sumA + sumA + "\n", format: Bare,
			flags: []Flag{
				{MD5: bytesOf(t, md5C), Source: "a (1).jpg"},
				{SHA256: bytesOf(t, sumA), Source: "b.jpg"},
				{SHA256: bytesOf(t, sumB), Source: "x\ny"},
				{SHA1: bytesOf(t, sha1A), Source: "c"},
			},
			bad: []string{`line 5: "12" is not a hash of type md5`}, skips: []string{"line 6: signal type sha512, which the library does not hold"},
		},
		"sha1sum": {
			text: sha1A + "  a.jpg\n" + sha1A + "\n" + sumA + "  b.jpg\n" + sumA[:56] + "  c.jpg\n", format: Bare,
			flags: []Flag{{SHA1: bytesOf(t, sha1A), Source: "a.jpg"}, {SHA1: bytesOf(t, sha1A)}, {SHA256: bytesOf(t, sumA), Source: "b.jpg"}},
			skips: []string{"line 4: signal type sha224"},
		},
		"types in capitals": {
			text: "MD5 " + md5C + "\nSHA-256 " + sumA + "\nPDQ " + sumB + "\nSHA-1 " + sha1A + "\nSHA1 " + sumA + "\n", format: Signals,
			flags: []Flag{{MD5: bytesOf(t, md5C)}, {SHA256: bytesOf(t, sumA)}, {PDQ: b}, {SHA1: bytesOf(t, sha1A)}}, bad: []string{"line 5: "},
		},
		"tx dataset with semicolons and capitals": {
			text:   "Signal_Type;Signal_Str;Collab;Category;Tags\nPDQ;" + sumA + ";\"My; list\";true_positive;a,b\n",
			format: Exchange, flags: []Flag{{PDQ: a, Source: "My; list", Note: "a,b"}},
		},
		"semicolons": {
			text: "hash;quality;filename\n" + sumA + ";77;a, b; c.jpg\n", format: HashCSV,
			flags: []Flag{{PDQ: pdqOf(t, sumA, 77), Source: "a, b; c.jpg"}},
		},
		"semicolons without a header": {
			text: sumA + ";77;a.jpg\n", format: HashCSV, flags: []Flag{{PDQ: pdqOf(t, sumA, 77), Source: "a.jpg"}},
		},
		"tabs": {
			text: "hash\tfilename\n" + md5C + "\ta.jpg\n", format: HashCSV, flags: []Flag{{MD5: bytesOf(t, md5C), Source: "a.jpg"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Open(strings.NewReader(c.text), c.bare)
			require.NoError(t, err)
			require.Equal(t, c.format, r.Format)
			flags, bad, skips := readAll(t, r)
			require.Equal(t, c.flags, flags)
			require.Len(t, bad, len(c.bad))
			for i := range bad {
				require.Contains(t, bad[i], c.bad[i])
			}
			require.Len(t, skips, len(c.skips))
			for i := range skips {
				require.Contains(t, skips[i], c.skips[i])
			}
			require.EqualValues(t, len(c.text), r.Read())
		})
	}
}

func TestUnknownFormats(t *testing.T) {
	for text, want := range map[string]string{
		"":                  "the list is empty",
		"\n# nothing\n":     "the list is empty",
		`{"a": 1}`:          `tried were: moderator's own (a first line {"format":"moderator-flags","version":1,…}); CSV of hash,quality,filename`,
		"some words":        `Its first line is "some words"`,
		"\x89PNG\r\n\x1a\n": "no list in a known format",
		"id,name\n1,a":      "no list in a known format",
		sumA:                "give --type pdq or --type sha256",
		sumA + ",a.jpg":     "give --type pdq or --type sha256",
		`{"format":"moderator-flags","version":2}`: "the list has version 2, this flagctl reads up to 1: use a newer flagctl",
		strings.Repeat("x", maxLine+10):            "no list in a known format",
	} {
		_, err := Open(strings.NewReader(text), "")
		require.ErrorContains(t, err, want, "%.40q", text)
	}
}

func example(t testing.TB) (Header, []Flag) {
	model := strings.Repeat("ab", 32)
	penalty := func(f Flag) Flag {
		for i := range f.Embeddings {
			f.Embeddings[i].Model = model
		}
		return f
	}
	flags := []Flag{
		{Bank: "default", SHA256: bytesOf(t, sumA), Source: "<a & b>\u2028", Note: "naïve \"雪\"", PDQ: []PDQ{
			{View: "flip-horizontal", Hash: pdq.Hash(bytesOf(t, sumB)), Quality: 50}, pdqOf(t, sumA, 100)[0],
		}},
		penalty(Flag{Bank: "spam", SHA256: bytesOf(t, sumB), SHA1: bytesOf(t, sha1A), MD5: bytesOf(t, md5C), Embeddings: []Embedding{
			{View: "original", Penalty: 0.0312042236328125, Vector: []float32{0.6, -0.8, 0}}, {View: "rotate-90", Penalty: -0.5, Vector: []float32{1, 5.9604645e-08, 0}},
		}}),
	}
	flags[1].Embeddings[0].Vector[0] = 0.60009765625 // after rounding to binary16
	flags[1].Embeddings[0].Vector[1] = -0.7998046875
	return Header{Models: []Model{{Fingerprint: model, Dims: 3}}, DisabledBanks: []string{"spam"}}, flags
}

func written(t testing.TB, format Format, h Header, flags []Flag) (text string, lines int) {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(&out, format, h)
	require.NoError(t, err)
	for _, f := range flags {
		n, err := w.Write(f)
		require.NoError(t, err)
		lines += n
	}
	require.NoError(t, w.Close())
	return out.String(), lines
}

func TestOwnFormatThereAndBack(t *testing.T) {
	header, flags := example(t)
	text, lines := written(t, Own, header, flags)
	require.Equal(t, 2, lines)
	r, err := Open(strings.NewReader(text), "")
	require.NoError(t, err)
	require.Equal(t, Own, r.Format)
	require.Equal(t, header.Models, r.Header.Models)
	require.Equal(t, header.DisabledBanks, r.Header.DisabledBanks)
	back, bad, _ := readAll(t, r)
	require.Empty(t, bad)
	require.Equal(t, flags, back)
	again, _ := written(t, Own, r.Header, back)
	require.Equal(t, text, again)
	require.True(t, strings.HasPrefix(text, `{"format":"moderator-flags","version":1,"models":[{"fingerprint":"abab`), text)
	require.Contains(t, text, `{"model":"`+header.Models[0].Fingerprint+`","view":"original","half":0.031204224,"vector":"zThmugAA"}`)
}

func TestOwnFormatRefuses(t *testing.T) {
	head := `{"format":"moderator-flags","version":1,"models":[],"added":"later"}` + "\n"
	for text, want := range map[string]string{
		`{"sha256":"ab"}`: "the SHA-256 has 2 hexadecimal digits, wanted 64",
		`{"sha1":"ab"}`:   "the SHA-1 has 2 hexadecimal digits, wanted 40",
		`{"md5":"xy"}`:    "not a flag: ",
		`{"bank":"spam"}`: "it has no signal",
		`{"sha256":`:      "not a flag: ",
		`[]`:              "not a flag: ",
		`{"sha256":"` + sumA + `","note":"a\u0000b"}`:                                                   "the note is not text",
		`{"pdq":[{"view":"original","quality":90}]}`:                                                    "a PDQ entry without its hash",
		`{"pdq":[{"view":"","hash":"` + sumA + `","quality":90}]}`:                                      `the view is ""`,
		`{"pdq":[{"view":"original","hash":"` + sumA + `","quality":900}]}`:                             "the PDQ quality is 900",
		`{"pdq":[{"view":"original","hash":"` + sumA + `","quality":3}]}`:                               "quality 3, wanted 50 or more",
		`{"embeddings":[{"model":"ab","view":"v","half":0,"vector":"AAA"}]}`:                            "not base64 of 16-bit numbers",
		`{"embeddings":[{"model":"ab","view":"` + strings.Repeat("v", 101) + `","vector":"AAAAAAAA"}]}`: "wanted 1 to 100 bytes",
		`{"sha256":"` + sumA + `","keypoints":"AAAA"}`:                                                  "line 2: ",
		`{"sha256":"` + sumA + `","note":"` + strings.Repeat("x", maxLine) + `"}`:                       "it is longer than",
	} {
		r, err := Open(strings.NewReader(head+text+"\n"+`{"sha256":"`+sumA+`","later":1}`), "")
		require.NoError(t, err)
		flags, bad, _ := readAll(t, r)
		require.Len(t, bad, 1, "%.60s", text)
		require.Contains(t, bad[0], "line 2: ")
		require.Contains(t, bad[0], want)
		require.Equal(t, []Flag{{SHA256: bytesOf(t, sumA)}}, flags, "the next line is read, and its unknown field is ignored")
	}
}

func TestOtherFormatsAreWritten(t *testing.T) {
	header, flags := example(t)
	flags = append(flags, Flag{Bank: "default", MD5: bytesOf(t, md5C)}, Flag{Bank: "default", PDQ: []PDQ{{View: "plain"}}})
	lower := strings.ToLower(sumB)
	for format, want := range map[Format]string{
		HashCSV:  "hash,quality,filename\n" + sumA + ",100,<a & b>\u2028\n",
		Exchange: "signal_type,signal_str,collab,category,tags\npdq," + sumA + ",default,TRUE_POSITIVE,\nsha256," + sumA + ",default,TRUE_POSITIVE,\nsha256," + lower + ",spam,TRUE_POSITIVE,\nsha1," + sha1A + ",spam,TRUE_POSITIVE,\nmd5," + md5C + ",spam,TRUE_POSITIVE,\nmd5," + md5C + ",default,TRUE_POSITIVE,\n",
		Signals:  "pdq " + sumA + "\nsha256 " + sumA + "\nsha256 " + lower + "\nsha1 " + sha1A + "\nmd5 " + md5C + "\nmd5 " + md5C + "\n",
	} {
		text, _ := written(t, format, header, flags)
		require.Equal(t, want, text)
		r, err := Open(strings.NewReader(text), "")
		require.NoError(t, err)
		require.Equal(t, format, r.Format)
		_, bad, skips := readAll(t, r)
		require.Empty(t, append(bad, skips...))
	}
	_, err := NewWriter(io.Discard, Bare, header)
	require.ErrorContains(t, err, "moderator, pdq-csv, tx-csv or signals")
}

func TestSignalKey(t *testing.T) {
	_, flags := example(t)
	turned := flags[0]
	turned.PDQ = []PDQ{flags[0].PDQ[1], flags[0].PDQ[0]}
	turned.Bank, turned.Note = "other", ""
	require.Equal(t, flags[0].SignalKey(), turned.SignalKey())
	require.NotEqual(t, flags[0].SignalKey(), Flag{PDQ: flags[0].PDQ[:1]}.SignalKey())
	require.NotEqual(t, flags[0].SignalKey(), flags[1].SignalKey())
	require.Len(t, flags[1].SignalKey(), 32)
}

// Reading any list ends, and every flag that it gives can be stored.
func FuzzRead(f *testing.F) {
	f.Add("hash,quality,filename\n"+sumA+",100,a\n", "")
	f.Add("pdq "+sumA+"\nmd5 "+md5C, "")
	f.Add(sumA+"\n"+sumB, "pdq")
	f.Add(`{"format":"moderator-flags","version":1}`+"\n"+`{"sha256":"`+sumA+`"}`, "")
	f.Add("signal_type,signal_str\npdq,"+sumA, "sha256")
	f.Fuzz(func(t *testing.T, text, bare string) {
		r, err := Open(strings.NewReader(text), HashType(bare))
		if err != nil {
			return
		}
		for {
			flag, err := r.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err == nil {
				require.NoError(t, flag.check())
			}
		}
	})
}
