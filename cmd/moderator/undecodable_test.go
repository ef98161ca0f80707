package main

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/event"
	"moderator/internal/synth"
)

// An undecodable file is blocked if its SHA-256, SHA-1 or MD5 is flagged.
func TestUndecodableFlaggedFiles(t *testing.T) {
	t.Parallel()
	r := start(t, dataDir(t), "--max-pixels", "100000")
	js := r.jetStream()
	damaged := append([]byte("\xff\xd8\xff\xe0"), make([]byte, 1000)...)
	unsupported := []byte("no picture")
	damagedToo := append([]byte("\xff\xd8\xff\xe0"), make([]byte, 1001)...)
	large := encode(t, synth.Draw(1, 0, 640, 480), 90)
	list := fmt.Sprintf("sha256 %x\nmd5 %x\nsha256 %x\nsha1 %x\n", sha256.Sum256(damaged), md5.Sum(unsupported), sha256.Sum256(large), sha1.Sum(damagedToo))

	files := [][]byte{damaged, unsupported, large, damagedToo}
	reasons := []event.Reason{event.Undecodable, event.Unsupported, event.TooLarge, event.Undecodable}
	for _, file := range files {
		publish(t, js, file)
	}
	decided := r.all(js, len(files))
	for i, reason := range reasons {
		d := decided[fmt.Sprintf("UPLOADS:%d", i+1)]
		require.Equal(t, []any{event.Review, reason}, []any{d.Verdict, d.Reason}, d.Detail)
		require.NotEmpty(t, d.Detail)
	}
	_, err := r.flagctl("import", write(t, "list.txt", []byte(list)))
	require.NoError(t, err)
	for _, file := range files {
		publish(t, js, file)
	}
	decided = r.all(js, 2*len(files))
	for i := range files {
		d := decided[fmt.Sprintf("UPLOADS:%d", len(files)+i+1)]
		require.Equal(t, []any{event.Block, event.Match, event.SignalExact}, []any{d.Verdict, d.Reason, d.Signal}, d.Detail)
	}
}
