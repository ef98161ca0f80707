package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/dot"
)

func TestSlopeOfBursts(t *testing.T) {
	var at []float64
	for batch := range 20 { // 32 results at once, twice a second
		for range 32 {
			at = append(at, float64(batch)/2)
		}
	}
	require.InDelta(t, 64, slope(at), 0.3)
}

func TestPercentile(t *testing.T) {
	values := []float64{5, 1, 4, 2, 3}
	require.Equal(t, 3.0, percentile(values, 50))
	require.Equal(t, 5.0, percentile(values, 99))
	require.Equal(t, 7.0, percentile([]float64{7}, 50))
}

func TestHarmonic(t *testing.T) {
	require.Equal(t, figure{20, 10}, harmonic(figure{25, 12.5}, figure{100, 50}))
}

func TestOneSlowRoundMovesNothing(t *testing.T) {
	ours := []figure{{10, 5}, {20, 8}, {11, 5}, {1, 1}}
	theirs := []figure{{10, 4}, {10, 4}, {10, 4}, {1, 0.8}}
	require.Equal(t, figure{10.5, 5}, medians(ours))
	require.Equal(t, figure{1.05, 1.25}, ratio(ours, theirs))
}

func TestUsageCountsChildren(t *testing.T) {
	child := exec.Command("sh", "-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done")
	before, err := usageOf(os.Getpid())
	require.NoError(t, err)
	require.NoError(t, child.Run())
	after, err := usageOf(os.Getpid())
	require.NoError(t, err)
	require.Greater(t, after.cpu, before.cpu, "an ended child counts")
	require.Positive(t, after.rss)
	_, err = usageOf(1 << 30)
	require.ErrorContains(t, err, "has ended")
}

func TestLinesAreWrittenAndRead(t *testing.T) {
	var said bytes.Buffer
	r := &report{out: &said}
	r.add("end_to_end_over_ceiling", field{"", 0.9712}, field{"model", "a b"}, field{"n", 3})
	r.atLeast("speed", 2, 1.5)
	r.below("delay", 60, 50)
	r.judge()
	require.Equal(t, `bench: end_to_end_over_ceiling 0.9712 model="a b" n=3
bench: goal reached what=speed wanted=">=1.50" got=2.00
bench: goal missed what=delay wanted="<50.0" got=60.0
`, said.String())
	file := filepath.Join(t.TempDir(), "lines.json")
	require.NoError(t, r.write(file))
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	var lines []map[string]any
	require.NoError(t, json.Unmarshal(data, &lines))
	require.Equal(t, map[string]any{"line": "end_to_end_over_ceiling", "value": 0.9712, "model": "a b", "n": 3.0}, lines[0])
}

func TestEditsReachTheThresholdByTheirSource(t *testing.T) {
	c := newCatalogue(3000)
	for _, q := range c.edits[:50] {
		require.InDelta(t, 1, dot.Product(q.Vector, q.Vector), 1e-4)
		match, doubtful := c.exact(q)
		require.True(t, match)
		require.False(t, doubtful)
	}
	require.InDelta(t, 0.5, dot.Product(at(c.flags[0].vector, c.flags[1].vector, 0.5), c.flags[0].vector), 1e-4)
}
