package exchange

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"math/bits"
	"slices"
	"strings"

	"moderator/internal/hashlist"
	"moderator/internal/matchdb"
	"moderator/internal/pdq"
)

// source is the client of one programme. It is used by one goroutine.
type source interface {
	// next returns the page behind place, which is nil at the beginning and else a Checkpoint of an earlier page.
	next(ctx context.Context, place json.RawMessage) (page, error)
}

// page is what a source says at one place.
type page struct {
	matchdb.ExchangePage
	last bool // the source has no more at present
}

// longestKey bounds an entry's key, which is part of an index.
const longestKey = 500

// entry is a source's entry while it is read.
type entry struct {
	key       string
	address   string // by which feedback names it, if not by its key
	note      string // of its flags
	confirmed int    // so many members say that it is right
	disputed  bool   // some say that it is wrong
	hashes    [][2]string
}

// hash adds a hash of a type of hashlist, or of another that is counted and not taken.
func (e *entry) hash(kind, digits string) {
	e.hashes = append(e.hashes, [2]string{kind, strings.TrimSpace(digits)})
}

// reader turns entries into a page, and counts what is not taken.
type reader struct {
	name string // the flags' source
	Settings
	page page
}

func (r *reader) refuse(reason string) {
	if r.page.Refused == nil {
		r.page.Refused = map[string]int{}
	}
	r.page.Refused[reason]++
}

// delete says that the entry is gone.
func (r *reader) delete(key string) {
	r.page.Entries = append(r.page.Entries, matchdb.ExchangeEntry{Key: key})
}

// add takes the entry's hashes. An entry of which nothing is taken counts as deleted: it may have had other hashes before.
func (r *reader) add(e entry) {
	if e.key == "" || len(e.key) > longestKey {
		r.refuse("entry without a usable key")
		return
	}
	bank, reason := "", ""
	switch {
	case e.disputed:
		bank, reason = r.ReviewBank, "disputed by members"
	case e.confirmed < r.Confirmations:
		bank, reason = r.ReviewBank, "confirmed by too few members"
	}
	var flags []hashlist.Flag
	for _, hash := range e.hashes {
		f, fault := flagOf(hash[0], hash[1])
		switch {
		case fault != "":
			r.refuse(hash[0] + ": " + fault)
		case reason != "" && bank == "":
			r.refuse(reason)
		default:
			f.Bank, f.Source, f.Note = bank, r.name, e.note
			flags = append(flags, f)
		}
	}
	r.page.Entries = append(r.page.Entries, matchdb.ExchangeEntry{Key: e.key, Address: e.address, Flags: flags})
}

// resumed reads a place that next returned. At the beginning, where place is nil, it leaves to as it is.
func resumed(place json.RawMessage, to any) error {
	if place == nil {
		return nil
	}
	return json.Unmarshal(place, to)
}

// wants reports whether a filter lets the value through.
func wants(filter []string, value string) bool {
	return len(filter) == 0 || slices.ContainsFunc(filter, func(f string) bool { return strings.EqualFold(f, value) })
}

// flatBits is how many bits of a PDQ hash are at least set, and unset: of a picture with detail it is half of them.
const flatBits = 64

// flagOf returns the flag of one hash, or why it is not taken.
func flagOf(kind, digits string) (f hashlist.Flag, fault string) {
	sizes := map[string]int{string(hashlist.TypePDQ): pdq.Bits / 8, string(hashlist.TypeSHA256): 32, string(hashlist.TypeSHA1): 20, string(hashlist.TypeMD5): 16}
	size, held := sizes[kind]
	if !held {
		return f, "the library does not hold it"
	}
	raw, err := hex.DecodeString(digits)
	if err != nil {
		return f, "not hexadecimal"
	}
	if len(raw) != size {
		return f, "wrong length"
	}
	set := 0
	for _, b := range raw {
		set += bits.OnesCount8(b)
	}
	switch {
	case set == 0:
		return f, "all zero"
	case kind == string(hashlist.TypeSHA256):
		f.SHA256 = raw
	case kind == string(hashlist.TypeSHA1):
		f.SHA1 = raw
	case kind == string(hashlist.TypeMD5):
		f.MD5 = raw
	case set < flatBits || set > pdq.Bits-flatBits:
		return f, "of a flat picture"
	default:
		f.PDQ = []hashlist.PDQ{{View: "original", Hash: pdq.Hash(raw), Quality: 100}}
	}
	return f, ""
}
