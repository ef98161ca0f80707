package lists

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"moderator/internal/pdq"
)

// HashType says what hashes are whose list does not say.
type HashType string

// The types, as lists name them.
const (
	TypePDQ    HashType = "pdq"
	TypeSHA256 HashType = "sha256"
	TypeMD5    HashType = "md5"
)

var ourTypes = []HashType{TypePDQ, TypeSHA256, TypeMD5}

// otherTypes are signals that lists of pictures are mixed with, and that no picture can be asked for.
var otherTypes = []string{
	"pdq_ocr", "pdq_index", "vpdq", "video_md5", "video_tmk", "tmk", "raw_text", "text_tlsh", "tlsh_pdf", "trend_query", "url", "url_md5", "raw_html",
}

var digits = regexp.MustCompile(`^[0-9A-Fa-f]+$`)

// looksHashed reports hexadecimal digits as many as our hashes have.
func looksHashed(text string) bool {
	return (len(text) == 32 || len(text) == 64) && digits.MatchString(text)
}

// hashed makes a flag of one hash. The type is "" where the list does not say; then 32 digits are an MD5, and 64 what
// bare says.
func hashed(text, kind string, quality int, bare HashType) (Flag, error) {
	switch {
	case kind != "":
	case len(text) == 32:
		kind = string(TypeMD5)
	case bare == "":
		return Flag{}, fmt.Errorf("%.80q is no MD5: wanted are 32 hexadecimal digits, or --type pdq or --type sha256 for hashes of 64", text)
	default:
		kind = string(bare)
	}
	want := 64
	if HashType(kind) == TypeMD5 {
		want = 32
	}
	raw, err := hex.DecodeString(text)
	switch {
	case slices.Contains(otherTypes, kind):
		return Flag{}, skip("signal type %s, of which pictures have none", kind)
	case !slices.Contains(ourTypes, HashType(kind)):
		return Flag{}, skip("signal type %.40q, which is not known here", kind)
	case err != nil || len(text) != want:
		return Flag{}, fmt.Errorf("%.80q is no %s hash: wanted are %d hexadecimal digits", text, kind, want)
	}
	switch HashType(kind) {
	case TypeMD5:
		return Flag{MD5: raw}, nil
	case TypeSHA256:
		return Flag{SHA256: raw}, nil
	}
	return Flag{PDQ: []PDQ{{View: original, Hash: pdq.Hash(raw), Quality: quality}}}, nil
}

// unknownQuality is that of a PDQ hash whose list gives none: those who share hashes share good ones.
const unknownQuality = 100

// typedLine parses "type hash".
func typedLine(text string, _ HashType) (Flag, error) {
	fields := append(strings.Fields(text), "")
	return hashed(fields[1], fields[0], unknownQuality, "")
}

// bareLine parses a hash, or a hash and a file's name as sha256sum and md5sum print them.
func bareLine(text string, bare HashType) (Flag, error) {
	hash, name, named := cutSum(text)
	if named && bare == "" {
		bare = TypeSHA256
	}
	f, err := hashed(hash, "", unknownQuality, bare)
	f.Source = name
	return f, err
}

// cutSum takes the two columns of sha256sum's and md5sum's output apart: a blank and a blank or an asterisk between.
func cutSum(text string) (hash, name string, ok bool) {
	hash, rest, ok := strings.Cut(text, " ")
	if !ok || rest == "" || rest[0] != ' ' && rest[0] != '*' {
		return strings.TrimSpace(text), "", false
	}
	return hash, rest[1:], true
}

func parseQuality(text string) (int, error) {
	quality, err := strconv.Atoi(text)
	if err != nil || quality < 0 || quality > 100 {
		return 0, fmt.Errorf("the PDQ quality is %.20q, wanted is 0 to 100", text)
	}
	return quality, nil
}
