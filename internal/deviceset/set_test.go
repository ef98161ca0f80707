package deviceset

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"
	"weak"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"moderator/internal/embed"
	"moderator/internal/half"
	"moderator/internal/sketch"
	"moderator/internal/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

// openDevice is the CPU's, or that of the provider that is tested.
func openDevice(t *testing.T) *Device {
	t.Helper()
	d, err := Open(t.Context(), embed.Options{Library: testenv.ONNXRuntime(t), Provider: cmp.Or(os.Getenv("MODERATOR_TEST_PROVIDER"), "cpu")})
	require.NoError(t, err)
	return d
}

const dims = 20

// library is the vectors of a set, and each one's flag: some have several.
type library struct {
	ids       []uuid.UUID
	vectors   [][]float32
	penalties []float32
}

func (l *library) add(t *testing.T, s *Set, flag int, vector []float32, penalty float32) {
	t.Helper()
	id := uuid.UUID{byte(flag), byte(flag >> 8), byte(flag >> 16)}
	require.NoError(t, s.Add(id, vector, penalty))
	l.ids, l.vectors, l.penalties = append(l.ids, id), append(l.vectors, vector), append(l.penalties, penalty)
}

// scores are those of all flags that are not deleted, of each its best, the highest first. Vectors are rounded as stored ones are.
func (l *library) scores(q []float32, deleted map[uuid.UUID]bool) []sketch.Near {
	round := func(x float32) float64 { return float64(half.ToFloat(half.FromFloat(x))) }
	best := map[uuid.UUID]float64{}
	for i, id := range l.ids {
		if deleted[id] {
			continue
		}
		score := round(1-l.penalties[i]) - 1
		for k, x := range l.vectors[i] {
			score += round(x) * round(q[k])
		}
		if old, ok := best[id]; !ok || score > old {
			best[id] = score
		}
	}
	all := make([]sketch.Near, 0, len(best))
	for id, score := range best {
		all = append(all, sketch.Near{ID: id, Score: float32(score)})
	}
	slices.SortFunc(all, func(a, b sketch.Near) int { return cmp.Compare(b.Score, a.Score) })
	return all
}

func random(r *rand.Rand) []float32 { return testenv.RandomUnit(r, dims) }

func near(r *rand.Rand, v []float32, noise float64) []float32 {
	w := slices.Clone(v)
	for i := range w {
		w[i] += float32(noise * r.NormFloat64())
	}
	return testenv.Unit(w)
}

// requireExact compares a search with all scores: what is found above the bound is the best, in this order, and nothing else exceeds it.
func requireExact(t *testing.T, s *Set, l *library, queries [][]float32, k int, deleted map[uuid.UUID]bool) {
	t.Helper()
	const slack = 1e-5
	found, bounds, err := s.Nearest(queries, k, deleted)
	require.NoError(t, err)
	require.Len(t, found, len(queries))
	for i, q := range queries {
		want, got := l.scores(q, deleted), found[i]
		require.LessOrEqual(t, len(got), k)
		for n, f := range got {
			require.False(t, deleted[f.ID])
			if f.Score < bounds[i]-slack { // others were hidden by what is deleted
				continue
			}
			require.InDelta(t, want[n].Score, f.Score, slack, "query %d, rank %d", i, n)
		}
		named := map[uuid.UUID]bool{}
		for _, f := range got {
			require.False(t, named[f.ID], "each once")
			named[f.ID] = true
		}
		for _, w := range want {
			if !named[w.ID] {
				require.LessOrEqual(t, w.Score, bounds[i]+slack, "query %d: the bound", i)
			}
		}
		if len(deleted) == 0 && len(got) > 0 {
			require.LessOrEqual(t, bounds[i], got[len(got)-1].Score+slack, "query %d: the bound is needlessly high", i)
		}
	}
}

func TestNearestIsExact(t *testing.T) {
	device := openDevice(t)
	for name, clustered := range map[string]bool{"random": false, "clustered": true} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			s, err := device.NewSet(dims)
			require.NoError(t, err)
			s.perBlock = granule
			l := &library{}
			requireExact(t, s, l, [][]float32{random(r)}, 10, nil)
			centre := random(r)
			vector := func() []float32 {
				if clustered {
					return near(r, centre, 0.01)
				}
				return random(r)
			}
			deleted := map[uuid.UUID]bool{}
			for _, until := range []int{1, 5, returned + 1, granule - 1, granule, granule + 1, 3*granule + 100} { // appended between searches
				for n := len(l.ids); n < until; n++ {
					l.add(t, s, n*2/3, vector(), 0.4*r.Float32())
				}
				require.Equal(t, until, s.Len())
				var queries [][]float32
				for range 8 {
					queries = append(queries, near(r, l.vectors[r.IntN(len(l.vectors))], 0.02))
				}
				requireExact(t, s, l, queries, 100, deleted)
				requireExact(t, s, l, queries[:3], 7, nil)
				for range until / 10 { // retracted
					deleted[l.ids[r.IntN(len(l.ids))]] = true
				}
				requireExact(t, s, l, queries, 100, deleted)
			}
			requireExact(t, s, l, l.vectors[:queriesAtOnce+3], 100, deleted) // more than a device gets at once
		})
	}
}

// More retracted flags than come back of a block hide those behind them: the bound says how near these may be.
func TestWhatIsHiddenByRetractedFlagsIsBounded(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	s, err := openDevice(t).NewSet(dims)
	require.NoError(t, err)
	l, deleted, v := &library{}, map[uuid.UUID]bool{}, random(r)
	for n := range 2 * returned {
		l.add(t, s, n, near(r, v, 0.01), 0)
		deleted[l.ids[n]] = true
	}
	l.add(t, s, len(l.ids), near(r, v, 0.2), 0)
	found, bounds, err := s.Nearest([][]float32{v}, 10, deleted)
	require.NoError(t, err)
	require.Empty(t, found[0])
	require.GreaterOrEqual(t, bounds[0], l.scores(v, deleted)[0].Score)
}

// A set that nothing refers to frees its device's memory. On the CPU that unpins its rows: the runtime panics over rows that are
// collected while they are pinned.
func TestASetFreesItsMemory(t *testing.T) {
	s, err := openDevice(t).NewSet(dims)
	require.NoError(t, err)
	require.NoError(t, s.Add(uuid.UUID{1}, random(rand.New(rand.NewPCG(5, 6))), 0))
	_, _, err = s.Nearest([][]float32{make([]float32, dims)}, 1, nil)
	require.NoError(t, err)
	onDevice := weak.Make(s.onDevice)
	s = nil
	require.Eventually(t, func() bool {
		runtime.GC()
		return onDevice.Value() == nil
	}, time.Minute, time.Millisecond)
}

func TestNonsenseIsRefused(t *testing.T) {
	b := best{k: 2, bound: float32(math.Inf(-1))}
	require.ErrorContains(t, b.add([]float32{float32(math.NaN())}, []int64{0}, 0, make([]uuid.UUID, 1), nil), "nonsense")
	require.ErrorContains(t, b.add([]float32{1}, []int64{-1}, 0, make([]uuid.UUID, 1), nil), "nonsense")
}

func TestADeviceThatDoesNotWork(t *testing.T) {
	_, err := Open(t.Context(), embed.Options{Library: testenv.ONNXRuntime(t), Provider: "cpu", DeviceIDs: []int{1}})
	require.ErrorContains(t, err, "no provider works: cpu: open the graph of searches: device ids are set, but the CPU has none")
	_, err = Open(t.Context(), embed.Options{Provider: "abacus"})
	require.ErrorContains(t, err, `provider "abacus"`)
}

func TestBytes(t *testing.T) {
	d := openDevice(t)
	s, err := d.NewSet(256)
	require.NoError(t, err)
	require.Equal(t, 264, s.width)
	device, own := d.Bytes(1000, 256)
	require.EqualValues(t, 528_000, device)
	require.Contains(t, []int64{16_000, 544_000}, own, fmt.Sprint(d))
}
