package hub

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"moderator/internal/embed"
	"moderator/models"
)

const (
	commit = "0123456789abcdef0123456789abcdef01234567"
	token  = "hf_secret"
)

// hubServer serves a repository as the hub does: small files itself, large ones by a redirect to a server that holds them.
type hubServer struct {
	*httptest.Server
	storage *httptest.Server
	files   map[string][]byte
	private bool

	mu       sync.Mutex
	requests []string          // of storage: "RANGE path"
	cut      int               // bytes after which storage ends the connection, once
	ignore   bool              // storage knows no ranges
	wrong    map[string]string // contents that storage has in place of a file's
	leaked   bool              // storage has seen the token
}

func startHub(t *testing.T) *hubServer {
	t.Helper()
	h := &hubServer{files: map[string][]byte{}, wrong: map[string]string{}}
	require.NoError(t, fs.WalkDir(models.CopyDetect(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		h.files[name], err = fs.ReadFile(models.CopyDetect(), name)
		return err
	}))
	h.Server = httptest.NewServer(http.HandlerFunc(h.hub))
	h.storage = httptest.NewServer(http.HandlerFunc(h.store))
	t.Cleanup(func() { h.Close(); h.storage.Close() })
	return h
}

func (h *hubServer) hub(w http.ResponseWriter, r *http.Request) {
	if h.private && r.Header.Get("Authorization") != "Bearer "+token {
		http.Error(w, "who are you?", http.StatusUnauthorized)
		return
	}
	path, found := strings.CutPrefix(r.URL.Path, "/owner/model/resolve/")
	revision, name, _ := strings.Cut(path, "/")
	data, known := h.files[name]
	if !found || !known || (revision != commit && revision != "main") {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("X-Repo-Commit", commit)
	if !strings.HasSuffix(name, ".onnx") && !strings.HasSuffix(name, ".npy") {
		if r.URL.RawQuery == "" { // a small file is in the hub's cache, at another path
			http.Redirect(w, r, r.URL.Path+"?cached", http.StatusTemporaryRedirect)
			return
		}
		sum := sha1.New()
		fmt.Fprintf(sum, "blob %d\x00%s", len(data), data)
		w.Header().Set("ETag", `"`+hex.EncodeToString(sum.Sum(nil))+`"`)
		http.ServeContent(w, r, name, time.Time{}, strings.NewReader(string(data)))
		return
	}
	sum := sha256.Sum256(data)
	w.Header().Set("X-Linked-Etag", `"`+hex.EncodeToString(sum[:])+`"`)
	w.Header().Set("X-Linked-Size", fmt.Sprint(len(data)))
	http.Redirect(w, r, h.storage.URL+"/"+name, http.StatusFound)
}

func (h *hubServer) store(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	name := r.URL.Path[1:]
	h.requests = append(h.requests, strings.TrimSpace(r.Header.Get("Range")+" "+name))
	h.leaked = h.leaked || r.Header.Get("Authorization") != ""
	data := h.files[name]
	if text, wrong := h.wrong[name]; wrong {
		data = []byte(text)
	}
	if h.ignore {
		r.Header.Del("Range")
	}
	if h.cut > 0 && len(data) > h.cut {
		w.Header().Set("Content-Length", fmt.Sprint(len(data)))
		_, _ = w.Write(data[:h.cut])
		h.cut = 0
		panic(http.ErrAbortHandler)
	}
	http.ServeContent(w, r, name, time.Time{}, strings.NewReader(string(data)))
}

func (h *hubServer) pull(t *testing.T, dir, revision string) (Pulled, error) {
	t.Helper()
	source, err := NewSource("owner/model", revision, h.URL, token)
	require.NoError(t, err)
	return (&Client{Source: source}).Pull(t.Context(), dir)
}

func TestPullFetchesAModelFolder(t *testing.T) {
	h := startHub(t)
	h.private = true
	dir := filepath.Join(t.TempDir(), "models", "owner", "model")
	source, err := NewSource("owner/model", "", h.URL, token)
	require.NoError(t, err)
	var last int64
	client := Client{Source: source, Progress: func(_ string, done, all int64) {
		require.LessOrEqual(t, done, all)
		last = done
	}}
	got, err := client.Pull(t.Context(), dir)
	require.NoError(t, err)
	require.Positive(t, last)
	require.Equal(t, commit, got.Commit)
	require.Equal(t, dir, got.Dir)
	shipped, err := embed.LoadFS(models.CopyDetect())
	require.NoError(t, err)
	require.Equal(t, shipped.Fingerprint(), got.Folder.Fingerprint())
	require.False(t, h.leaked, "the token is the hub's alone")
	left, err := filepath.Glob(dir + ".*")
	require.NoError(t, err)
	require.Empty(t, left)

	again, err := h.pull(t, dir, "main")
	require.NoError(t, err, "an earlier folder is replaced")
	require.Equal(t, got.Folder.Fingerprint(), again.Folder.Fingerprint())
}

func TestPullResumes(t *testing.T) {
	for name, ignore := range map[string]bool{"ranges": false, "no ranges": true} {
		t.Run(name, func(t *testing.T) {
			h := startHub(t)
			h.cut, h.ignore = 100_000, ignore
			_, err := h.pull(t, filepath.Join(t.TempDir(), "model"), "")
			require.NoError(t, err)
			require.Contains(t, h.requests[1], "bytes=")
			require.NotEqual(t, "bytes=0- onnx/vision_model.onnx", h.requests[1])
		})
	}
}

// What an earlier command has fetched is not fetched again, if it is right.
func TestPullGoesOnWhereAnEarlierOneEnded(t *testing.T) {
	h := startHub(t)
	dir := filepath.Join(t.TempDir(), "model")
	part := dir + ".part-" + commit
	require.NoError(t, os.MkdirAll(filepath.Join(part, "onnx"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(part, "background.npy"), h.files["background.npy"], 0o644))
	graph := filepath.Join(part, "onnx", "vision_model.onnx.part")
	require.NoError(t, os.WriteFile(graph, h.files["onnx/vision_model.onnx"][:1000], 0o644))
	_, err := h.pull(t, dir, "")
	require.NoError(t, err)
	require.Equal(t, []string{"bytes=1000- onnx/vision_model.onnx"}, h.requests)
}

func TestPullRefusesWrongFiles(t *testing.T) {
	graph := "onnx/vision_model.onnx"
	for want, spoil := range map[string]func(h *hubServer){
		"SHA-256": func(h *hubServer) { h.wrong[graph] = strings.Repeat("x", len(h.files[graph])) },
		"the server sends more than the": func(h *hubServer) {
			h.wrong[graph] = string(h.files[graph]) + "x"
			h.ignore = true
		},
		"has no ONNX graph":                    func(h *hubServer) { delete(h.files, graph) },
		"is no model that moderator runs":      func(h *hubServer) { h.files[graph] = []byte("version https://git-lfs.github.com/spec/v1\n") },
		"preprocessor_config.json is missing":  func(h *hubServer) { delete(h.files, "preprocessor_config.json") },
		"has no model owner/model at revision": func(h *hubServer) { clear(h.files) },
		"accept the model's terms there, and":  func(h *hubServer) { h.private = true },
	} {
		t.Run(want, func(t *testing.T) {
			h := startHub(t)
			spoil(h)
			dir := filepath.Join(t.TempDir(), "model")
			source, err := NewSource("owner/model", "", h.URL, "")
			require.NoError(t, err)
			_, err = (&Client{Source: source}).Pull(t.Context(), dir)
			require.ErrorContains(t, err, want)
			require.NoDirExists(t, dir)
		})
	}
}

// An earlier part that is wrong is fetched anew by the next command.
func TestPullDropsAWrongPart(t *testing.T) {
	h := startHub(t)
	dir := filepath.Join(t.TempDir(), "model")
	graph := filepath.Join(dir+".part-"+commit, "onnx", "vision_model.onnx.part")
	require.NoError(t, os.MkdirAll(filepath.Dir(graph), 0o755))
	require.NoError(t, os.WriteFile(graph, []byte("something else"), 0o644))
	_, err := h.pull(t, dir, "")
	require.ErrorContains(t, err, "SHA-256")
	_, err = h.pull(t, dir, "")
	require.NoError(t, err)
}

func TestSources(t *testing.T) {
	for name, want := range map[string]string{
		"owner/model": "https://hub.example/owner/model/resolve/main/f tok",
		"model":       "https://hub.example/model/resolve/main/f tok",
		"https://hub.example/owner/model/tree/v2":                    "https://hub.example/owner/model/resolve/v2/f tok",
		"https://hub.example/owner/model/resolve/v2/onnx/model.onnx": "https://hub.example/owner/model/resolve/v2/f tok",
		"https://other.example/owner/model":                          "https://other.example/owner/model/resolve/main/f ",
	} {
		s, err := NewSource(name, "", "https://hub.example", "tok")
		require.NoError(t, err)
		require.Equal(t, want, s.file(s.Revision, "f")+" "+s.Token)
	}
	s, err := NewSource("https://hub.example/owner/model/tree/v2", "refs/pr/1", "https://hub.example", "")
	require.NoError(t, err)
	require.Equal(t, "https://hub.example/owner/model/resolve/refs%2Fpr%2F1/f", s.file(s.Revision, "f"))

	for want, bad := range map[string][4]string{
		"wanted OWNER/NAME":          {"../etc", "", "https://hub.example", ""},
		"or the URL of a repository": {"a/b/c", "", "https://hub.example", ""},
		"wanted a branch":            {"a/b", "../main", "https://hub.example", ""},
		"wanted a URL such as":       {"a/b", "", "hub.example", ""},
		"hub.example unencrypted":    {"a/b", "", "http://hub.example", "tok"},
	} {
		_, err := NewSource(bad[0], bad[1], bad[2], bad[3])
		require.ErrorContains(t, err, want)
	}
}

func TestTokenIsOfTheEnvironmentOrAFile(t *testing.T) {
	home := t.TempDir()
	for _, name := range []string{"HF_TOKEN", "HF_TOKEN_PATH", "XDG_CACHE_HOME"} {
		t.Setenv(name, "")
	}
	t.Setenv("HF_HOME", home)
	is := func(want string) {
		got, err := Token()
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	is("")
	require.NoError(t, os.WriteFile(filepath.Join(home, "token"), []byte("of home\n"), 0o600))
	is("of home")
	t.Setenv("HF_TOKEN_PATH", filepath.Join(home, "absent"))
	_, err := Token()
	require.ErrorContains(t, err, "HF_TOKEN_PATH")
	t.Setenv("HF_TOKEN", "of the environment")
	is("of the environment")
}
