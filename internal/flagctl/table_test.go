package flagctl

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTableAlignsWideCharacters(t *testing.T) {
	require.Equal(t, "PICTURE     ID\n雪景色.jpg  1\nplain.jpg   2\ncafe\u0301.jpg    3\n👩\u200d🔬.jpg      4\n", table([][]string{
		{"PICTURE", "ID"}, {"雪景色.jpg", "1"}, {"plain.jpg", "2"}, {"cafe\u0301.jpg", "3"}, {"👩\u200d🔬.jpg", "4"},
	}, 0))
}

func TestTableIsShortenedToTheTerminal(t *testing.T) {
	rows := func() [][]string {
		return [][]string{
			{"STATUS", "PICTURE", "ID"},
			{"flagged", "/srv/cases/2026/0007/holiday-by-the-sea.jpg", "1234"},
			{"flagged", "some text that is not a path", "5678"},
			{"failed", "雪/雪景色雪景色雪景色雪景色.jpg"},
		}
	}
	require.Equal(t, ""+
		"STATUS   PICTURE                 ID\n"+
		"flagged  …oliday-by-the-sea.jpg  1234\n"+
		"flagged  some text that is not…  5678\n"+
		"failed   … 景色雪景色雪景色.jpg\n", table(rows(), 37))
	require.Contains(t, table(rows(), 5), "…the-sea.jpg  1234", "not to nothing")
	require.Contains(t, table(rows(), 0), "/srv/cases/2026/0007/holiday-by-the-sea.jpg", "no terminal")
	require.Contains(t, table(rows(), 80), "/srv/cases/2026/0007/holiday-by-the-sea.jpg", "it fits")
}
