package flagctl

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Without a terminal, a line is written from time to time, with the progress after a minute.
func TestMeterWithoutATerminal(t *testing.T) {
	for name, test := range map[string]struct {
		flags   int
		at, all int64
		line    string
	}{
		"flags of a list":        {30_000, 25, 100, "import: 30000 flags, 500 a second, 25 %, about 3m0s left\n"},
		"of a list without end":  {30_000, 25, 0, "import: 30000 flags, 500 a second\n"},
		"blocks of a table":      {0, 75, 100, "import, 75 %, about 20s left\n"},
		"nothing is done yet":    {0, 0, 100, "import\n"},
		"nothing is counted yet": {0, 0, 0, "import\n"},
		"all of it":              {60_000, 100, 100, "import: 60000 flags, 1000 a second, 100 %, about 0s left\n"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				m := newMeter(&out, "import", test.all)
				time.Sleep(meterEvery - 1)
				m.add(test.flags)
				require.Empty(t, out.String(), "too early")

				time.Sleep(time.Minute - meterEvery + 1)
				m.reach(test.at, test.all)
				require.Equal(t, test.line, out.String())
				time.Sleep(meterEvery - 1)
				m.add(1)
				m.finish()
				require.Equal(t, test.line, out.String(), "once, and not for every part")
				time.Sleep(time.Nanosecond)
				m.add(1)
				require.Greater(t, out.Len(), len(test.line), "and again")
			})
		})
	}
}
