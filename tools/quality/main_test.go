package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/synth"
	"moderator/internal/testenv"
	"moderator/internal/transforms"
)

// drawInto writes pictures into a folder.
func drawInto(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		number := int(name[len(name)-len("a.jpg")]) // another picture for another letter
		file, err := transforms.Encode(synth.Draw(5, number, 200, 150), transforms.JPEG, 92)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), file, 0o600))
	}
}

func TestRun(t *testing.T) {
	t.Setenv("MODERATOR_ONNXRUNTIME_LIB", testenv.ONNXRuntime(t))
	dir, out := t.TempDir(), t.TempDir()
	drawInto(t, dir, "a.jpg", "b.jpg", "meme_c.jpg", "screen_d.jpg", "e.jpg")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("no picture"), 0o600))

	measure := func(more ...string) string {
		var stdout bytes.Buffer
		require.NoError(t, run(t.Context(), append([]string{"--images", dir, "--out", out, "--originals", "2"}, more...), &stdout))
		return stdout.String()
	}
	first := measure("--ablate")
	require.Contains(t, first, "pictures: 5 of "+dir+"; 1 files")
	require.Contains(t, first, "flag with quarter-tl")
	require.Contains(t, first, "at the model's own block_at=")
	lines := strings.Split(strings.TrimSpace(first), "\n")
	last := lines[len(lines)-1]
	// 2 x 38 uploads against 4 others, but for the pictures laid beside, and 3 of the other caption.
	pattern := `^quality: images=5 pairs=312 fpr=1e-6( (pdq_)?(easy|medium|hard|all)=[01]\.\d{3}){8}$`
	require.Regexp(t, regexp.MustCompile(pattern), last)

	page, err := os.ReadFile(filepath.Join(out, "report.html"))
	require.NoError(t, err)
	require.Contains(t, string(page), last)
	require.Contains(t, string(page), "data:image/jpeg;base64,")
	require.NotContains(t, string(page), "ZgotmplZ", "the template engine took something for unsafe")
	require.NotRegexp(t, `(src|href)="(http|//)`, string(page), "the report needs no other file")

	require.True(t, strings.HasSuffix(strings.TrimSpace(measure()), last), "a second run gives something else")
}

func TestOtherModel(t *testing.T) {
	t.Setenv("MODERATOR_ONNXRUNTIME_LIB", testenv.ONNXRuntime(t))
	dir := t.TempDir()
	drawInto(t, dir, "a.jpg", "b.jpg", "c.jpg")
	var stdout bytes.Buffer
	model := filepath.Join(testenv.Data(t), "golden", "model", "tiny-vit")
	require.NoError(t, run(t.Context(), []string{"--images", dir, "--out", dir, "--originals", "1", "--model", model}, &stdout))
	require.Contains(t, stdout.String(), "tiny-vit, 512 dimensions")
}

func TestWrongSettings(t *testing.T) {
	empty := t.TempDir()
	for want, args := range map[string][]string{
		"--fpr 2":       {"--fpr", "2"},
		"--originals 0": {"--originals", "0"},
		"--drawn 1":     {"--drawn", "1"},
		"0 found":       {"--images", empty},
		"no-such-dir":   {"--images", "no-such-dir"},
		"unknown flag":  {"--no-such-flag"},
	} {
		require.ErrorContains(t, run(t.Context(), args, &bytes.Buffer{}), want)
	}
}

func TestPlanIsFixed(t *testing.T) {
	c := &collection{originals: make([]original, 50)}
	c.originals[7].twin = []byte("another caption")
	plan := c.plan(10, 1, transforms.Quality())
	require.Len(t, plan, 10*38+3)
	names := func(plan []query) (all []string) {
		for _, q := range plan {
			all = append(all, fmt.Sprint(q.original, q.other, q.edit.Name, q.seed))
		}
		return all
	}
	require.Equal(t, names(plan), names(c.plan(10, 1, transforms.Quality())))
	require.NotEqual(t, names(plan), names(c.plan(10, 2, transforms.Quality())))
	for _, q := range plan {
		require.NotEqual(t, q.original, q.other)
		require.Equal(t, q.edit.NeedsOther(), q.other >= 0)
		require.Equal(t, q.twin, q.original == 7 && q.twin)
	}
	require.Len(t, c.plan(500, 1, transforms.Quality()), 50*38+3, "no more than there are")
}

func TestDrawnWithoutFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("MODERATOR_TESTDATA", "")
	var stdout bytes.Buffer
	c, err := options{Drawn: 3}.pictures(&stdout)
	require.NoError(t, err)
	require.Len(t, c.originals, 3)
	require.Contains(t, stdout.String(), "3 drawn ones")
}
