package deviceset

import (
	"cmp"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"moderator/internal/embed"
	"moderator/internal/testenv"
	"moderator/models"
)

// A moderator searches a library while it embeds uploads on the same device, and reads what was added.
func TestSearchesBesideInferences(t *testing.T) {
	device := openDevice(t)
	folder, err := embed.LoadFS(models.CopyDetect())
	require.NoError(t, err)
	model, err := embed.Open(t.Context(), folder, embed.Options{
		Library: testenv.ONNXRuntime(t), Provider: cmp.Or(os.Getenv("MODERATOR_TEST_PROVIDER"), "cpu"), MaxBatch: 2,
	})
	require.NoError(t, err)
	defer func() { require.NoError(t, model.Close()) }()
	width, height := folder.Target().Size()
	picture := make([]byte, 3*width*height)
	for i := range picture {
		picture[i] = byte(i * 37)
	}
	want, err := model.Embed(t.Context(), [][]byte{picture})
	require.NoError(t, err)
	var beside errgroup.Group
	for range 2 {
		beside.Go(func() error {
			for range 4 {
				got, err := model.Embed(t.Context(), [][]byte{picture, picture})
				if err != nil {
					return err
				}
				require.InDeltaSlice(t, want[0], got[1], 0.01)
			}
			return nil
		})
		beside.Go(func() error {
			s, err := device.NewSet(dims)
			if err != nil {
				return err
			}
			r := rand.New(rand.NewPCG(7, 8))
			for n := range 20 {
				v := random(r)
				if err := s.Add(uuid.UUID{byte(n)}, v, 0); err != nil {
					return err
				}
				near, _, err := s.Nearest([][]float32{v}, 1, nil)
				if err != nil {
					return err
				}
				require.InDelta(t, 1, near[0][0].Score, 0.001)
			}
			return nil
		})
	}
	require.NoError(t, beside.Wait())
}
