package hma_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"moderator/internal/config"
	"moderator/internal/devstack"
	"moderator/internal/embed"
	"moderator/internal/fetch"
	"moderator/internal/hma"
	"moderator/internal/imaging"
	"moderator/internal/matchdb"
	"moderator/internal/recognise"
	"moderator/internal/synth"
	"moderator/internal/testenv"
)

const (
	key       = "a key of the tests"
	mostBytes = 1 << 20
)

// stand is a library on a PostgreSQL server of the test's own, with HMA's API in several configurations.
type stand struct {
	t        *testing.T
	dir      string
	pg       *devstack.Postgres
	model    *embed.Model
	metrics  *prometheus.Registry // of the server that started last
	pictures *hma.Pictures
	fetcher  *fetch.Fetcher
	db       *matchdb.DB
	web      *httptest.Server            // that URLs refer to
	files    map[string][]byte           // by path
	servers  map[string]*httptest.Server // "" is the usual one
}

func newStand(t *testing.T) *stand {
	s := &stand{t: t, files: map[string][]byte{}, servers: map[string]*httptest.Server{}}
	if _, err := devstack.FindPostgres(); err != nil {
		t.Skip(err)
	}
	library := testenv.ONNXRuntime(t)
	var err error
	s.dir, err = os.MkdirTemp("", "hma-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(s.dir)) })
	require.NoError(t, os.Chmod(s.dir, 0o755))
	s.startPostgres()
	t.Cleanup(func() { require.NoError(t, s.pg.Stop(context.Background())) })

	folder, err := recognise.Folder(config.Model{})
	require.NoError(t, err)
	s.model, err = embed.Open(t.Context(), folder, embed.Options{Library: library, Provider: "cpu", Sessions: 1})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.model.Close()) })
	_, _, err = matchdb.Migrate(t.Context(), s.pg.URL)
	require.NoError(t, err)
	s.db = s.open(s.pg.URL)
	record, _ := recognise.ModelRecord(s.model.Folder())
	require.NoError(t, s.db.RegisterModel(t.Context(), record))
	_, _, err = s.db.Warm(t.Context(), record.Fingerprint)
	require.NoError(t, err)
	_, _, err = s.db.WarmHashes(t.Context())
	require.NoError(t, err)

	s.web = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data := s.files[r.URL.Path]
		if data == nil {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(data)
	}))
	t.Cleanup(s.web.Close)
	nc, err := nats.Connect(testenv.NATS(t))
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	s.fetcher, err = fetch.New(fetch.Config{
		Hosts: []string{strings.TrimPrefix(s.web.URL, "http://"), "localhost"}, Timeout: 10 * time.Second,
		AllowCIDRs: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
	}, js)
	require.NoError(t, err)
	t.Cleanup(s.fetcher.Close)

	limits := config.Sandbox{DecodeWorkers: 1, DecodeMemory: 1 << 30, DecodeTimeout: time.Minute, DecodeCPUTime: 10 * time.Second, DecodeRecycle: 1000}
	s.pictures, err = hma.NewPictures(s.model, imaging.DefaultLimits(), limits, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(s.pictures.Close)
	s.serve("", hma.Config{}, s.db)
	s.serve("key", hma.Config{Key: key}, s.db)
	s.serve("stale", hma.Config{StaleAfter: time.Nanosecond}, s.db)
	s.serve("unread", hma.Config{}, s.open(s.pg.URL))
	reader := s.open(s.login("moderator_reader"))
	_, _, err = reader.WarmHashes(t.Context())
	require.NoError(t, err)
	s.serve("reader", hma.Config{}, reader)
	return s
}

func (s *stand) startPostgres() {
	var err error
	s.pg, err = devstack.StartPostgres(s.t.Context(), devstack.PGOptions{DataDir: s.dir, Volatile: true})
	require.NoError(s.t, err)
}

func (s *stand) open(url string) *matchdb.DB {
	db, err := matchdb.Open(s.t.Context(), url)
	require.NoError(s.t, err)
	s.t.Cleanup(db.Close)
	return db
}

// login makes a user of that role and returns its URL.
func (s *stand) login(role string) string {
	s.exec("CREATE ROLE someone LOGIN IN ROLE " + role)
	u, err := url.Parse(s.pg.URL)
	require.NoError(s.t, err)
	q := u.Query()
	q.Set("user", "someone")
	u.RawQuery, u.User = q.Encode(), nil
	return u.String()
}

func (s *stand) exec(sql string, args ...any) {
	s.t.Helper()
	conn, err := pgx.Connect(s.t.Context(), s.pg.URL)
	require.NoError(s.t, err)
	defer func() { _ = conn.Close(context.Background()) }()
	_, err = conn.Exec(s.t.Context(), sql, args...)
	require.NoError(s.t, err)
}

// count is the one number that a statement returns.
func (s *stand) count(sql string) (n int) {
	s.t.Helper()
	conn, err := pgx.Connect(s.t.Context(), s.pg.URL)
	require.NoError(s.t, err)
	defer func() { _ = conn.Close(context.Background()) }()
	require.NoError(s.t, conn.QueryRow(s.t.Context(), sql).Scan(&n))
	return n
}

func (s *stand) serve(name string, c hma.Config, db *matchdb.DB) {
	c.MaxUploadBytes, c.Concurrent = mostBytes, 2
	s.metrics = prometheus.NewRegistry()
	if c.StaleAfter == 0 {
		c.StaleAfter = time.Hour
	}
	s.servers[name] = httptest.NewServer(hma.New(c, db, s.pictures, s.fetcher, s.metrics, slog.New(slog.NewTextHandler(s.t.Output(), nil))).Handler())
	s.t.Cleanup(s.servers[name].Close)
}

// drawn is a picture with detail.
func drawn(i int) *image.RGBA {
	picture := image.NewRGBA(image.Rect(0, 0, 400, 300))
	draw.Draw(picture, picture.Bounds(), synth.Draw(1, i, 400, 300), image.Point{}, draw.Src)
	return picture
}

func encoded(t *testing.T, picture image.Image, quality int) []byte {
	var file bytes.Buffer
	require.NoError(t, jpeg.Encode(&file, picture, &jpeg.Options{Quality: quality}))
	return file.Bytes()
}

func mirrored(picture *image.RGBA) *image.RGBA {
	b := picture.Bounds()
	out := image.NewRGBA(b)
	for y := range b.Dy() {
		for x := range b.Dx() {
			out.Set(x, y, picture.At(b.Dx()-1-x, y))
		}
	}
	return out
}

// cropped is the picture without a margin: too far for PDQ, near for the model.
func cropped(picture *image.RGBA) image.Image {
	return picture.SubImage(picture.Bounds().Inset(30))
}

func flat() image.Image {
	picture := image.NewRGBA(image.Rect(0, 0, 400, 300))
	draw.Draw(picture, picture.Bounds(), image.NewUniform(color.RGBA{200, 30, 30, 255}), image.Point{}, draw.Src)
	return picture
}

// mp4 begins like a video and has a content of its own.
func mp4(i int) []byte {
	return fmt.Appendf(nil, "\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom video %d", i)
}
