package embed

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// fingerprint returns the SHA-256 over these parts, each after its length as a little-endian uint64: the graph; each file of
// external weights, in the graph's order; the canonical text of the preprocessing; background.npy (length 0 without one).
func fingerprint(fsys fs.FS, graph []byte, graphDir string, external []string, pre string, background []byte) (string, error) {
	h := sha256.New()
	add := func(r io.Reader, size int64) error {
		_ = binary.Write(h, binary.LittleEndian, uint64(size)) // writes to a hash never fail
		_, err := io.CopyN(h, r, size)
		return err
	}
	_ = add(bytes.NewReader(graph), int64(len(graph)))
	for _, name := range external {
		if err := func() error {
			file, err := fsys.Open(path.Join(graphDir, name))
			if err != nil {
				return err
			}
			defer file.Close()
			info, err := file.Stat()
			if err != nil {
				return err
			}
			return add(file, info.Size())
		}(); err != nil {
			return "", fmt.Errorf("the graph's weights: %w: fetch %s too", err, name)
		}
	}
	_ = add(strings.NewReader(pre), int64(len(pre)))
	_ = add(bytes.NewReader(background), int64(len(background)))
	return hex.EncodeToString(h.Sum(nil)), nil
}
