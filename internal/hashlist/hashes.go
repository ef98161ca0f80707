package hashlist

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"moderator/internal/pdq"
)

// HashType is the type of hashes whose list does not say it.
type HashType string

// The types, as lists name them.
const (
	TypePDQ    HashType = "pdq"
	TypeSHA256 HashType = "sha256"
	TypeSHA1   HashType = "sha1"
	TypeMD5    HashType = "md5"
)

var ourTypes = []HashType{TypePDQ, TypeSHA256, TypeSHA1, TypeMD5}

// otherTypes are signals of exchanged lists that the library does not hold.
var otherTypes = []string{
	"sha224", "sha384", "sha512", "pdq_ocr", "pdq_index", "vpdq", "video_md5", "video_tmk", "tmk", "raw_text", "text_tlsh", "tlsh_pdf", "trend_query", "url", "url_md5", "raw_html",
}

var digits = regexp.MustCompile(`^[0-9A-Fa-f]+$`)

// otherSums are file hashes that the library does not hold, by their number of hexadecimal digits.
var otherSums = map[int]string{56: "sha224", 96: "sha384", 128: "sha512"}

// looksHashed reports whether text is hexadecimal digits of a hash's length.
func looksHashed(text string) bool {
	_, other := otherSums[len(text)]
	return (len(text) == 32 || len(text) == 40 || len(text) == 64 || other) && digits.MatchString(text)
}

// signalType normalises a type's name: SHA-256 is sha256.
func signalType(text string) string { return strings.ReplaceAll(strings.ToLower(text), "-", "") }

func knownType(kind string) bool {
	return slices.Contains(otherTypes, kind) || slices.Contains(ourTypes, HashType(kind))
}

// hashed returns a flag of one hash. Without a type, 32 digits are an MD5 and 40 a SHA-1, and bare is the type of 64 digits.
func hashed(text, kind string, quality int, bare HashType) (Flag, error) {
	kind = signalType(kind)
	switch {
	case kind != "":
	case len(text) == 32:
		kind = string(TypeMD5)
	case len(text) == 40:
		kind = string(TypeSHA1)
	case otherSums[len(text)] != "" && looksHashed(text):
		kind = otherSums[len(text)]
	case bare == "":
		return Flag{}, fmt.Errorf("%.80q is not an MD5 or SHA-1: wanted 32 or 40 hexadecimal digits, or --type pdq or --type sha256 for hashes of 64", text)
	default:
		kind = string(bare)
	}
	want := 64
	switch HashType(kind) {
	case TypeMD5:
		want = 32
	case TypeSHA1:
		want = 40
	}
	raw, err := hex.DecodeString(text)
	switch {
	case slices.Contains(otherTypes, kind):
		return Flag{}, skip("signal type %s, which the library does not hold", kind)
	case !slices.Contains(ourTypes, HashType(kind)):
		return Flag{}, skip("unknown signal type %.40q", kind)
	case err != nil || len(text) != want:
		return Flag{}, fmt.Errorf("%.80q is not a hash of type %s: wanted %d hexadecimal digits", text, kind, want)
	}
	switch HashType(kind) {
	case TypeMD5:
		return Flag{MD5: raw}, nil
	case TypeSHA1:
		return Flag{SHA1: raw}, nil
	case TypeSHA256:
		return Flag{SHA256: raw}, nil
	}
	return Flag{PDQ: []PDQ{{View: original, Hash: pdq.Hash(raw), Quality: quality}}}, nil
}

// unknownQuality is the quality of a PDQ hash whose list gives no quality: shared hashes are usually good.
const unknownQuality = 100

// typedLine parses "type hash".
func typedLine(text string, _ HashType) (Flag, error) {
	fields := append(strings.Fields(text), "")
	return hashed(fields[1], fields[0], unknownQuality, "")
}

// bareLine parses a hash, or a line of sha256sum, sha1sum or md5sum.
func bareLine(text string, bare HashType) (Flag, error) {
	s, tagged := cutTagged(text)
	if !tagged {
		s = cutSum(text)
	}
	if s.named && bare == "" {
		bare = TypeSHA256
	}
	f, err := hashed(s.hash, s.kind, unknownQuality, bare)
	f.Source = s.name
	return f, err
}

// sum is a line of sha256sum, md5sum and the like.
type sum struct {
	kind  string // empty if the line does not say
	hash  string
	name  string
	named bool
}

// cutSum splits a line of sha256sum, sha1sum or md5sum. The separator is a blank and then a blank or an asterisk. A line without it is
// only a hash.
func cutSum(text string) sum {
	plain, escapes := strings.CutPrefix(text, `\`)
	hash, rest, ok := strings.Cut(plain, " ")
	if !ok || rest == "" || rest[0] != ' ' && rest[0] != '*' {
		return sum{hash: strings.TrimSpace(text)}
	}
	return sum{hash: hash, name: unescape(rest[1:], escapes), named: true}
}

// tagged matches a line of BSD's md5 and sha256, and of sha256sum --tag.
var tagged = regexp.MustCompile(`^(\\?)([A-Za-z][A-Za-z0-9-]*) \((.*)\) = ([0-9A-Fa-f]+)$`)

// cutTagged splits "MD5 (name) = hash".
func cutTagged(text string) (s sum, ok bool) {
	m := tagged.FindStringSubmatch(text)
	if m == nil {
		return s, false
	}
	return sum{kind: m[2], hash: m[4], name: unescape(m[3], m[1] != ""), named: true}, true
}

// unescaping restores a name that the tools have escaped, as it holds a backslash or a line's end. Such a line begins with a
// backslash.
var unescaping = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\r`, "\r")

func unescape(name string, escapes bool) string {
	if !escapes {
		return name
	}
	return unescaping.Replace(name)
}

func parseQuality(text string) (int, error) {
	quality, err := strconv.Atoi(text)
	if err != nil || quality < 0 || quality > 100 {
		return 0, fmt.Errorf("the PDQ quality is %.20q, wanted 0 to 100", text)
	}
	return quality, nil
}
