package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"moderator/internal/config"
	"moderator/internal/embed"
	"moderator/internal/event"
	"moderator/internal/imaging"
	"moderator/internal/matchdb"
	"moderator/internal/recognise"
	"moderator/internal/synth"
	"moderator/internal/testenv"
	"moderator/internal/transforms"
	"moderator/models"
)

// nextModel returns a folder with the shipped network and another preprocessing, which makes it another model.
func nextModel(t *testing.T) string {
	dir := filepath.Join(t.TempDir(), "next")
	require.NoError(t, os.CopyFS(dir, models.CopyDetect()))
	for name, text := range map[string]string{
		"config.json": `{"_name_or_path": "next", "model_type": "copydetect", "projection_dim": 256}`,
		"preprocessor_config.json": `{"image_processor_type": "ViTImageProcessor", "size": {"height": 144, "width": 144}, "resample": 3,
			"do_center_crop": true, "crop_size": {"height": 128, "width": 128},
			"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	return dir
}

// flagBy stores a drawn picture as one model alone sees it: without hashes and points.
func flagBy(t *testing.T, db *matchdb.DB, folder *embed.Folder, number int) string {
	model, err := embed.Open(t.Context(), folder, embed.Options{Library: testenv.ONNXRuntime(t), Provider: "cpu"})
	require.NoError(t, err)
	x := recognise.NewExtractor(model, imaging.DefaultLimits(), config.Sandbox{DecodeMemory: 1 << 30, DecodeCPUTime: time.Minute, DecodeTimeout: time.Minute, DecodeRecycle: 100})
	defer func() { require.NoError(t, x.Close()) }()
	found, err := x.Extract(t.Context(), encode(t, synth.Draw(5, number, 640, 480), 95), recognise.FlagViews())
	require.NoError(t, err)
	record, _ := recognise.ModelRecord(folder)
	require.NoError(t, db.RegisterModel(t.Context(), record))
	flag := matchdb.NewFlag{Bank: "default", SHA256: fmt.Sprintf("%064d", number), By: "test", Model: folder.Fingerprint()}
	flag.Embeddings, _ = found.Signals()
	stored, err := db.Flag(t.Context(), flag)
	require.NoError(t, err)
	return stored.ID.String()
}

// While a library changes its model, uploads match the flags of either model, and each is decided once.
func TestTwoModels(t *testing.T) {
	t.Parallel()
	before, err := embed.LoadFS(models.CopyDetect())
	require.NoError(t, err)
	dir := nextModel(t)
	after, err := embed.LoadDir(dir)
	require.NoError(t, err)
	require.NotEqual(t, before.Target(), after.Target())
	data := dataDir(t)

	r := start(t, data)
	db, err := matchdb.Open(t.Context(), r.state.DatabaseURL)
	require.NoError(t, err)
	old, recent := flagBy(t, db, before, 0), flagBy(t, db, after, 1)
	db.Close()
	js := r.jetStream()
	copies := func() {
		for number := range 3 {
			publish(t, js, encode(t, synth.Draw(5, number, 640, 480), 60))
		}
	}
	copies()
	decided := r.all(js, 3)
	for id, verdict := range map[string]event.Verdict{"UPLOADS:1": event.Block, "UPLOADS:2": event.Allow, "UPLOADS:3": event.Allow} {
		require.Equal(t, verdict, decided[id].Verdict, "%s by the first model alone", id)
	}
	require.NoError(t, r.signal(syscall.SIGTERM))

	r = start(t, data, "--model", "shipped", "--model", dir)
	js = r.jetStream()
	copies()
	publish(t, js, []byte("no picture"))
	decided = r.all(js, 7)
	for id, want := range map[string]struct {
		flag  string
		model *embed.Folder
	}{"UPLOADS:4": {old, before}, "UPLOADS:5": {recent, after}} {
		d := decided[id]
		require.Equal(t, []any{event.Block, event.Match, event.SignalEmbedding}, []any{d.Verdict, d.Reason, d.Signal}, id)
		require.Equal(t, []string{want.flag, want.model.Name(), want.model.Fingerprint()}, []string{d.Match.FlaggedID, d.Model.Name, d.Model.Fingerprint})
		require.NotNil(t, d.Match.Probability)
		require.GreaterOrEqual(t, *d.Match.Probability, *d.Threshold, "of the evidence")
		require.Greater(t, *d.Similarity, 0.95, "with this model's preprocessing")
		require.Len(t, d.Matches, 1)
	}
	for _, id := range []string{"UPLOADS:6", "UPLOADS:7"} {
		require.NotEqual(t, event.Block, decided[id].Verdict)
		require.Equal(t, before.Fingerprint(), decided[id].Model.Fingerprint, "without a match, the first model")
	}
	// An allowed picture is weighed by the model whose flag it is near to.
	all := transforms.Quality()
	cropped, err := all[slices.IndexFunc(all, func(e transforms.Edit) bool { return e.Name == "crop-95" })].Picture(rgba(synth.Draw(5, 1, 640, 480)), nil, 1)
	require.NoError(t, err)
	_, err = r.flagctl("--model", dir, "allow", "add", write(t, "innocent.jpg", encode(t, cropped, 90)))
	require.NoError(t, err)
	publish(t, js, encode(t, cropped, 60))
	d := r.all(js, 8)["UPLOADS:8"]
	require.Equal(t, []any{event.Allow, event.AllowListed, after.Fingerprint()}, []any{d.Verdict, d.Reason, d.Model.Fingerprint})
	require.Equal(t, recent, d.Match.FlaggedID)
	_, metrics := r.get("/metrics")
	require.Equal(t, 2, strings.Count(metrics, "\nmoderator_model_info{"))
	require.NoError(t, r.signal(syscall.SIGTERM))

	// After the change, with the new model alone, whose embeddings are on a device:
	r = start(t, data, "--model", dir, "--match-device", "cpu")
	js = r.jetStream()
	publish(t, js, encode(t, synth.Draw(5, 1, 640, 480), 60))
	d = r.all(js, 9)["UPLOADS:9"]
	require.Equal(t, []any{event.Block, event.SignalEmbedding, after.Fingerprint()}, []any{d.Verdict, d.Signal, d.Model.Fingerprint})
	_, metrics = r.get("/metrics")
	require.Contains(t, metrics, `match_device="cpu"`)
	require.NoError(t, r.signal(syscall.SIGTERM))
}
