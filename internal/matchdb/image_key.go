package matchdb

import (
	"crypto/md5"
	"crypto/sha256"
	"fmt"

	"moderator/internal/hashlist"
	"moderator/internal/pdq"
)

// imageKey identifies a flag's picture in its bank: by the SHA-256 of its file, or else the MD5, or else its signals.
type imageKey struct{ sha256, md5, signals []byte }

// key fails, with an error that wraps ErrInvalid, for a malformed hash and for a flag that nothing can find.
func (f NewFlag) key() (key imageKey, err error) {
	if key.sha256, err = fileHash("SHA-256", f.SHA256, sha256.Size); err != nil {
		return key, err
	}
	if key.md5, err = fileHash("MD5", f.MD5, md5.Size); err != nil || key.sha256 != nil || key.md5 != nil {
		return key, err
	}
	signals := hashlist.Flag{}
	for _, p := range f.PDQ {
		if p.Quality >= pdq.MinQuality {
			signals.PDQ = append(signals.PDQ, hashlist.PDQ{View: p.View, Hash: p.Hash, Quality: p.Quality})
		}
	}
	for _, e := range f.Embeddings {
		signals.Embeddings = append(signals.Embeddings, hashlist.Embedding{Model: f.Model, View: e.View, Penalty: e.Penalty, Vector: e.Vector})
	}
	if len(signals.PDQ)+len(signals.Embeddings) == 0 {
		return key, fmt.Errorf("%w flag: it has no signal: want a SHA-256, an MD5, a PDQ hash or an embedding", ErrInvalid)
	}
	key.signals = signals.SignalKey()
	return key, nil
}
