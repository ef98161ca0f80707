package console_test

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/draw"
	"image/jpeg"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"moderator/internal/app"
	"moderator/internal/config"
	"moderator/internal/endpoint"
	"moderator/internal/event"
	"moderator/internal/imaging"
	"moderator/internal/keypoint"
	"moderator/internal/matchdb"
	"moderator/internal/recognise"
	"moderator/internal/synth"
	"moderator/internal/testenv"
)

const token = "a token of the tests"

// stand is a moderator with its console, on private servers.
type stand struct {
	t   *testing.T
	url string
	js  jetstream.JetStream
	db  *matchdb.DB
	web *httptest.Server

	mu    sync.Mutex
	files map[string][]byte // for references, by path
}

func start(t *testing.T, flags ...string) *stand {
	s := &stand{t: t, files: map[string][]byte{}}
	s.web = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		data := s.files[r.URL.Path]
		s.mu.Unlock()
		if data == nil {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(data)
	}))
	t.Cleanup(s.web.Close)
	dir, database, broker := filepath.Join(t.TempDir(), "data"), testenv.Postgres(t), testenv.NATS(t)
	var c config.Run
	parser, err := config.New(&c, "test", "", t.Output(), t.Output())
	require.NoError(t, err)
	_, err = parser.Parse(append([]string{
		"--data-dir", dir, "--database-url", database, "--nats-url", broker, "--http-listen", "127.0.0.1:0",
		"--onnxruntime-lib", testenv.ONNXRuntime(t), "--sessions", "1", "--decode-workers", "1",
		"--fetch-host", strings.TrimPrefix(s.web.URL, "http://"), "--fetch-allow-cidr", "127.0.0.1/32",
		"--console", "on", "--console-listen", "127.0.0.1:0", "--console-token", token,
	}, flags...))
	require.NoError(t, err)
	_, err = recognise.Migrate(t.Context(), c.Stack, c.Model, "")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- app.Serve(ctx, c, nil, t.Output(), slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})))
	}()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})
	require.Eventually(t, func() bool {
		state, err := endpoint.ReadState(dir)
		if err != nil {
			return false
		}
		u, err := url.Parse(state.ConsoleURL)
		require.NoError(t, err)
		s.url = "http://" + u.Host
		return true
	}, time.Minute, 20*time.Millisecond, "moderator is not ready")
	s.db, err = matchdb.Open(t.Context(), database)
	require.NoError(t, err)
	t.Cleanup(s.db.Close)
	nc, err := nats.Connect(broker)
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	s.js, err = jetstream.New(nc)
	require.NoError(t, err)
	return s
}

// put makes the web server serve data, or nothing if data is nil.
func (s *stand) put(path string, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[path] = data
}

// picture returns a drawing as a JPEG.
func picture(t *testing.T, i int) []byte {
	var file bytes.Buffer
	require.NoError(t, jpeg.Encode(&file, synth.Draw(1, i, 400, 300), &jpeg.Options{Quality: 90}))
	return file.Bytes()
}

// quarter returns the middle of that picture, half as wide and half as high.
func quarter(t *testing.T, i int) []byte {
	whole, err := jpeg.Decode(bytes.NewReader(picture(t, i)))
	require.NoError(t, err)
	middle := image.NewRGBA(image.Rect(0, 0, 200, 150))
	draw.Draw(middle, middle.Bounds(), whole, image.Pt(100, 75), draw.Src)
	var file bytes.Buffer
	require.NoError(t, jpeg.Encode(&file, middle, &jpeg.Options{Quality: 90}))
	return file.Bytes()
}

// points are the keypoints that are stored of a picture.
func points(t *testing.T, file []byte) keypoint.Features {
	decoded, err := imaging.Decode(file, imaging.Request{Gray: true, Limits: imaging.DefaultLimits()})
	require.NoError(t, err)
	found, err := recognise.Points(decoded.Frames[0].Views[0].Gray, decoded.Width, decoded.Height, true)
	require.NoError(t, err)
	return found
}

// upload publishes an upload and returns its decision with the sequence number in DECISIONS.
func (s *stand) upload(header nats.Header, body []byte) (uint64, event.CloudEvent) {
	s.t.Helper()
	ack, err := s.js.PublishMsg(s.t.Context(), &nats.Msg{Subject: "uploads.test", Header: header, Data: body})
	require.NoError(s.t, err)
	stream, err := s.js.Stream(s.t.Context(), "DECISIONS")
	require.NoError(s.t, err)
	var sequence uint64
	var found event.CloudEvent
	require.Eventually(s.t, func() bool {
		info, err := stream.Info(s.t.Context())
		require.NoError(s.t, err)
		for n := info.State.LastSeq; n > 0; n-- {
			msg, err := stream.GetMsg(s.t.Context(), n)
			require.NoError(s.t, err)
			if found, err = event.DecodeDecision(msg.Data); err == nil && found.ID == found.Data.Upload.Key() && found.Data.Upload.Stream == ack.Stream && found.Data.Upload.Sequence == ack.Sequence {
				sequence = n
				return true
			}
		}
		return false
	}, time.Minute, 10*time.Millisecond, "no decision on %s:%d", ack.Stream, ack.Sequence)
	return sequence, found
}

// refer publishes a reference to a file of the web server.
func (s *stand) refer(id, path string, data []byte) (uint64, event.CloudEvent) {
	s.put(path, data)
	body, err := json.Marshal(map[string]string{"id": id, "url": s.web.URL + path + "?signature=abc", "uploader": "<b>u</b>"})
	require.NoError(s.t, err)
	return s.upload(nats.Header{"Content-Type": {"application/json"}}, body)
}

type answer struct {
	code   int
	body   string
	header http.Header
}

// do sends a request with the token, unless it has credentials.
func (s *stand) do(r *http.Request, err error) answer {
	s.t.Helper()
	require.NoError(s.t, err)
	if r.Header.Get("Authorization") == "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(r)
	require.NoError(s.t, err)
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	require.NoError(s.t, err)
	return answer{response.StatusCode, string(data), response.Header}
}

func (s *stand) get(path string) answer {
	s.t.Helper()
	return s.do(http.NewRequest(http.MethodGet, s.url+path, nil))
}

func (s *stand) post(path string, form url.Values) answer {
	s.t.Helper()
	r, err := http.NewRequest(http.MethodPost, s.url+path, strings.NewReader(form.Encode()))
	require.NoError(s.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return s.do(r, nil)
}

type sent struct {
	field, name string
	data        []byte
}

func (s *stand) send(path string, files ...sent) answer {
	s.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, file := range files {
		part, err := form.CreateFormFile(file.field, file.name)
		require.NoError(s.t, err)
		_, err = part.Write(file.data)
		require.NoError(s.t, err)
	}
	require.NoError(s.t, form.Close())
	r, err := http.NewRequest(http.MethodPost, s.url+path, &body)
	require.NoError(s.t, err)
	r.Header.Set("Content-Type", form.FormDataContentType())
	return s.do(r, nil)
}
