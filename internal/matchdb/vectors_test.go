package matchdb

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/deviceset"
	"moderator/internal/embed"
	"moderator/internal/testenv"
)

// onDevice is a second connection to the library of url, which keeps embeddings on a device: the CPU's, or that of the provider that
// is tested.
func onDevice(t *testing.T, url string) *DB {
	t.Helper()
	provider := cmp.Or(os.Getenv("MODERATOR_TEST_PROVIDER"), "cpu")
	device, err := deviceset.Open(t.Context(), embed.Options{Library: testenv.ONNXRuntime(t), Provider: provider})
	require.NoError(t, err)
	db := open(t, url)
	db.Vectors = Vectors{New: func(mean []float32) (VectorSet, error) { return device.NewSet(len(mean)) }, Bytes: device.Bytes}
	return db
}

// judged is the nearest hit, and those that reach a threshold: which others are compared is by sketches, which are about right.
func judged(hits []Hit) (judged []Hit) {
	for i, h := range hits {
		if i == 0 || h.Score >= min(h.BlockAt, *h.ReviewAt) {
			judged = append(judged, h)
		}
	}
	return judged
}

// Searches on a device give the hits, scores and order of those in memory, while flags are added and retracted.
func TestADeviceFindsWhatTheCPUFinds(t *testing.T) {
	for name, noise := range map[string]float64{"random": 0, "clustered": 0.5} {
		t.Run(name, func(t *testing.T) {
			cpu, url := library(t)
			device := onDevice(t, url)
			require.NoError(t, cpu.AddBank(t.Context(), "spam", "ann", ""))
			r := rand.New(rand.NewPCG(8, 8))
			centre := random(r)
			vector := func() []float32 {
				if noise == 0 {
					return random(r)
				}
				return near(r, centre, noise)
			}
			vectors := func(n int) (all [][]float32) {
				for range n {
					all = append(all, vector())
				}
				return all
			}
			flags := vectors(1500)
			fill(t, cpu, "default", flags[:1000], func(int) float32 { return 0.3 * r.Float32() })
			fill(t, cpu, "spam", flags[1000:], func(int) float32 { return 0.3 * r.Float32() })
			inMemory, onDevice := unfollowed(t, cpu), unfollowed(t, device)
			same := func(when string) {
				qs := make([]Query, 70)
				for i := range qs {
					qs[i] = Query{Vector: near(r, flags[r.IntN(len(flags))], r.Float64()), Penalty: 0.3 * r.Float32()}
				}
				want, got := match(t, cpu, qs...), match(t, device, qs...)
				for i := range qs {
					require.Equal(t, judged(want[i]), judged(got[i]), "%s: query %d", when, i)
				}
			}
			read := func() {
				require.NoError(t, inMemory.read(t.Context()))
				require.NoError(t, onDevice.read(t.Context()))
			}
			same("all are read")
			more := vectors(100)
			flags = append(flags, more...)
			fill(t, cpu, "spam", more, noPenalty)
			same("some are not read yet")
			read()
			require.Equal(t, 1600, onDevice.have.Load().set.Len(), "appended")
			same("appended")
			for i := range 200 {
				f := newFlag("default", fmt.Sprint(i), near(r, flags[i], 0.1))
				flag := mustFlag(t, cpu, f)
				if i%2 == 0 {
					_, err := cpu.Retract(t.Context(), flag.ID.String(), "mo", "wrong")
					require.NoError(t, err)
				}
			}
			read()
			same("flags that were retracted before they were read")
			_, err := cpu.pool.Exec(t.Context(), `UPDATE flagged_image SET retracted_at = now(), retracted_by = 'ann', retract_reason = 'all'
				WHERE id IN (SELECT image_id FROM flagged_embedding ORDER BY embedding LIMIT 500)`)
			require.NoError(t, err)
			same("retracted")
			require.NotEmpty(t, onDevice.have.Load().deleted)
			same("and forgotten")
		})
	}
}

func TestADevicesFootprint(t *testing.T) {
	cpu, url := library(t)
	fill(t, cpu, "default", randoms(rand.New(rand.NewPCG(9, 9)), 100), noPenalty)
	device := onDevice(t, url)
	want, err := cpu.Footprint(t.Context(), []string{testModel.Fingerprint}, true)
	require.NoError(t, err)
	got, err := device.Footprint(t.Context(), []string{testModel.Fingerprint}, true)
	require.NoError(t, err)
	const width = 40 // dims + 1, up to a multiple of eight
	require.EqualValues(t, 100*2*width, got.Device)
	require.Zero(t, want.Device)
	require.Less(t, got.Bytes-got.Device, want.Bytes)
}
