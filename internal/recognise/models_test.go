package recognise

import (
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/config"
	"moderator/internal/testenv"
	"moderator/models"
)

// otherModel is a folder with the shipped network that sees the colours otherwise: another model.
func otherModel(t *testing.T) string {
	dir := filepath.Join(t.TempDir(), "other")
	require.NoError(t, os.CopyFS(dir, models.CopyDetect()))
	path := filepath.Join(dir, "preprocessor_config.json")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	changed := strings.Replace(string(text), "0.485", "0.1", 1)
	require.NotEqual(t, string(text), changed)
	require.NoError(t, os.WriteFile(path, []byte(changed), 0o644))
	return dir
}

func TestFolders(t *testing.T) {
	other := otherModel(t)
	for name, test := range map[string]struct {
		given  []string
		models int
		err    string
	}{
		"none":            {nil, 1, ""},
		"an empty one":    {[]string{""}, 1, ""},
		"by name":         {[]string{"shipped"}, 1, ""},
		"another":         {[]string{other}, 1, ""},
		"two":             {[]string{other, "shipped"}, 2, ""},
		"three":           {[]string{other, "shipped", "c"}, 0, "model is given 3 times (" + other + ", shipped, c), wanted one model, or two"},
		"twice the same":  {[]string{other, other}, 0, "are the same model"},
		"not there":       {[]string{"nowhere", other}, 0, "model folder nowhere"},
		"not there, next": {[]string{other, "nowhere"}, 0, "model folder nowhere"},
	} {
		t.Run(name, func(t *testing.T) {
			folders, err := Folders(config.Model{Model: test.given})
			if test.err != "" {
				require.ErrorContains(t, err, test.err)
				return
			}
			require.NoError(t, err)
			require.Len(t, folders, test.models)
			first, err := Folder(config.Model{Model: test.given})
			require.NoError(t, err)
			require.Equal(t, first.Fingerprint(), folders[0].Fingerprint())
			text, err := fs.ReadFile(ModelFiles(config.Model{Model: test.given}), "preprocessor_config.json")
			require.NoError(t, err)
			require.Equal(t, len(test.given) > 0 && test.given[0] == other, strings.Contains(string(text), "0.1"))
		})
	}
}

// Each model gets its own crops, and each crop its own vector back.
func TestEmbedderOfTwoModels(t *testing.T) {
	c := config.Model{Model: []string{"shipped", otherModel(t)}, Provider: "cpu", ONNXRuntimeLib: testenv.ONNXRuntime(t)}
	folders, err := Folders(c)
	require.NoError(t, err)
	opened, err := OpenModels(t.Context(), folders, c, 32, t.TempDir(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer func() { require.NoError(t, CloseModels(opened)) }()

	width, height := folders[0].Target().Size()
	noise := rand.NewChaCha8([32]byte{})
	crops := make([][]byte, 6)
	for i := range crops {
		crops[i] = make([]byte, 3*width*height)
		_, _ = noise.Read(crops[i])
	}
	vectors, err := Embedder(opened).Embed(t.Context(), crops)
	require.NoError(t, err)
	require.Len(t, vectors, len(crops))
	for i, crop := range crops {
		for place, model := range opened {
			alone, err := model.Embed(t.Context(), [][]byte{crop})
			require.NoError(t, err)
			if same := cosine(alone[0], vectors[i]); place == i%2 {
				require.Greater(t, same, 0.9999, "crop %d", i)
			} else {
				require.Less(t, same, 0.999, "crop %d is the other model's", i)
			}
		}
	}
}
