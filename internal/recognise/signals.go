package recognise

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"

	"moderator/internal/matchdb"
	"moderator/internal/pdq"
)

// Signals are what a flagged or an allowed picture is found by, beside its file and its keypoints. A flat one has
// none: they would be near to every flat upload.
func (e Extracted) Signals() (embeddings []matchdb.Embedding, hashes []matchdb.PDQ) {
	if e.Flat() {
		return nil, nil
	}
	for _, v := range e.Vectors {
		embeddings = append(embeddings, matchdb.Embedding{View: v.Name(), Vector: v.Vector, Penalty: v.Penalty + ViewPenalty(v.View)})
		hashes = append(hashes, matchdb.PDQ{View: v.Name(), Hash: v.PDQ, Quality: v.Quality})
	}
	return embeddings, hashes
}

// Describe sets all that a flag of the picture is found by: the hashes of its file, and of a picture that is not flat its embeddings,
// PDQ hashes and keypoints.
func (e Extracted) Describe(f *matchdb.NewFlag, file []byte) (err error) {
	sum, md5Sum := sha256.Sum256(file), md5.Sum(file)
	f.SHA256, f.MD5 = hex.EncodeToString(sum[:]), hex.EncodeToString(md5Sum[:])
	f.Embeddings, f.PDQ = e.Signals()
	if !e.Flat() {
		f.Keypoints, err = e.Points(true)
	}
	return err
}

// Flat reports whether there is nothing to see in any frame or view: only copies of the file are found then.
func (e Extracted) Flat() bool {
	for _, v := range e.Vectors {
		if v.Quality >= pdq.FlatQuality {
			return false
		}
	}
	return true
}
