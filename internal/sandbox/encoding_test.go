package sandbox

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/imaging"
)

// An encoded answer decodes to itself. Truncated and extended ones fail.
func TestAnswers(t *testing.T) {
	for _, a := range []answer{
		{Error: "too many pixels", Fault: "too large"},
		{Format: "gif", Width: 300, Height: 1 << 20, FrameCount: 2, Frames: []answerFrame{
			{Index: 0, Views: []answerView{{imaging.ViewOriginal, 0, 0}}},
			{Index: 1, Views: []answerView{{imaging.ViewOriginal, 512, 300}, {imaging.ViewTrimmed, 1, 1}}},
		}},
	} {
		var frame bytes.Buffer
		require.NoError(t, writeAnswer(&frame, a))
		whole := frame.Bytes()
		back, err := readAnswer(bytes.NewReader(whole))
		require.NoError(t, err)
		require.Equal(t, a, back)
		for n := 5; n < len(whole); n++ {
			_, err := readAnswer(bytes.NewReader(withLength(whole[4:n])))
			require.ErrorContains(t, err, "malformed answer", n)
		}
		_, err = readAnswer(bytes.NewReader(withLength(append(whole[4:], 0))))
		require.ErrorContains(t, err, "malformed answer")
	}
}

func withLength(data []byte) []byte { return append([]byte{byte(len(data)), 0, 0, 0}, data...) }
