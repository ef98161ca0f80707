package k8s_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"moderator/internal/consumer"
	"moderator/internal/event"
	"moderator/internal/testenv"
)

// The streams and the durable of the component are those that moderator makes by itself, but for their replicas.
func TestStreamsAreModerators(t *testing.T) {
	objects, err := build(manifests(t), "operators")
	require.NoError(t, err)
	f := &found{t: t, made: map[string]bool{}}
	for _, object := range objects {
		f.collect(object)
	}
	settings, err := parseSettings(t, f.settings)
	require.NoError(t, err)

	nc, err := nats.Connect(testenv.NATS(t))
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	made, _, err := consumer.EnsureStreams(t.Context(), js, consumer.StreamOptions{
		Replicas: 1, AckWait: settings.AckWait, DuplicateWindow: settings.DuplicateWindow, KeepDecisions: settings.KeepDecisions, MaxAckPending: 4096,
	})
	require.NoError(t, err)

	compared := 0
	for _, object := range objects {
		switch o := object.(type) {
		case *custom[stream]:
			have, err := js.Stream(t.Context(), o.Spec.Name)
			require.NoError(t, err)
			cfg := have.CachedInfo().Config
			maxAge := "0s"
			if o.Spec.MaxAge != "" {
				maxAge = o.Spec.MaxAge
			}
			require.Equal(t, cfg.Subjects, o.Spec.Subjects)
			require.Equal(t, cfg.Description, o.Spec.Description)
			require.Equal(t, map[string]jetstream.RetentionPolicy{"workqueue": jetstream.WorkQueuePolicy, "limits": jetstream.LimitsPolicy}[o.Spec.Retention], cfg.Retention)
			require.Equal(t, map[string]jetstream.DiscardPolicy{"new": jetstream.DiscardNew, "old": jetstream.DiscardOld}[o.Spec.Discard], cfg.Discard)
			require.Equal(t, map[string]jetstream.StorageType{"file": jetstream.FileStorage}[o.Spec.Storage], cfg.Storage)
			require.Equal(t, map[string]jetstream.StoreCompression{"": jetstream.NoCompression, "s2": jetstream.S2Compression}[o.Spec.Compression], cfg.Compression)
			require.Equal(t, cfg.MaxAge, duration(t, maxAge))
			require.Equal(t, cfg.Duplicates, duration(t, o.Spec.DuplicateWindow))
			require.Equal(t, cfg.AllowDirect, o.Spec.AllowDirect)
			compared++
		case *custom[durable]:
			cfg := made.CachedInfo().Config
			require.Equal(t, cfg.Durable, o.Spec.DurableName)
			require.Equal(t, event.UploadsStream, o.Spec.StreamName)
			require.Equal(t, cfg.AckPolicy.String(), "AckExplicit")
			require.Equal(t, "explicit", o.Spec.AckPolicy)
			require.Equal(t, cfg.AckWait, duration(t, o.Spec.AckWait))
			require.Equal(t, cfg.MaxDeliver, o.Spec.MaxDeliver)
			require.Equal(t, cfg.MaxAckPending, o.Spec.MaxAckPending)
			compared++
		}
	}
	require.Equal(t, 3, compared)
}

func duration(t *testing.T, text string) time.Duration {
	d, err := time.ParseDuration(text)
	require.NoError(t, err)
	return d
}
