package pointindex

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"moderator/internal/keypoint"
	"moderator/internal/testenv"
)

// randomFlag is so many points anywhere. Half of a description's bits are set, as those of real ones are.
func randomFlag(r *rand.Rand, points int) keypoint.Features {
	f := keypoint.Features{Width: 320, Height: 240}
	for range points {
		var b keypoint.Bits
		for _, i := range r.Perm(descBits)[:descBits/2] {
			b[i/64] |= 1 << (i % 64)
		}
		f.Points = append(f.Points, keypoint.Point{
			X: r.Float32() * 319, Y: r.Float32() * 239, Scale: 1.6 * float32(math.Exp2(4*r.Float64())), Angle: r.Float32() * 2 * math.Pi, Bits: b,
		})
	}
	return f
}

// copyOf is a flag turned by a right angle, at half of its size, with some bits changed and half of its points deleted.
func copyOf(r *rand.Rand, f keypoint.Features) keypoint.Upload {
	c := keypoint.Features{Width: f.Height, Height: f.Width}
	for i, p := range f.Points {
		if i%2 == 0 {
			continue
		}
		for range 4 {
			b := r.IntN(descBits)
			p.Bits[b/64] ^= 1 << (b % 64)
		}
		p.X, p.Y, p.Scale, p.Angle = (239-p.Y)/2, p.X/2, p.Scale/2, p.Angle+math.Pi/2
		c.Points = append(c.Points, p)
	}
	return keypoint.Prepare(c)
}

// A flag is found from when Add returns until Remove returns, through all merges of its partitions, mirrored and negative too.
func TestFlagsCountAtOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	x := New()
	require.Empty(t, x.Search(copyOf(r, randomFlag(r, FlagPoints)), 8))
	const n = 6000
	flags := make([]keypoint.Features, n)
	merged := 0
	for i := range flags {
		flags[i] = randomFlag(r, FlagPoints)
		before := x.partitions[0]
		require.Equal(t, uint32(i), x.Add(flags[i]))
		if x.partitions[0] != before {
			merged++
		}
		if i%200 == 0 || x.partitions[0] != before {
			found := x.Search(copyOf(r, flags[i]), 8)
			require.NotEmpty(t, found, "flag %d", i)
			require.Equal(t, uint32(i), found[0].ID)
			require.GreaterOrEqual(t, found[0].Points, FlagPoints/4)
		}
	}
	require.Positive(t, merged)
	require.Equal(t, n, x.Len())
	for i := 0; i < n; i += 500 {
		upload := copyOf(r, flags[i])
		for v, as := range [][3]int{{0, 1, 2}, {1, 0, 2}, {2, 1, 0}} { // as it is, mirrored, in the negative
			shown := upload[v]
			found := x.Search(keypoint.Prepare(shown), 8)
			require.NotEmpty(t, found, "flag %d, %v", i, as)
			require.Equal(t, uint32(i), found[0].ID)
			require.Equal(t, keypoint.Variant(v), found[0].Variant)
		}
		x.Remove(uint32(i))
		x.Remove(uint32(i))
		require.Empty(t, x.Search(upload, 8))
	}
	require.Equal(t, n-n/500, x.Len())
	require.Panics(t, func() { x.Remove(n) })
	require.Less(t, x.Bytes()/n, int64(2000))
}

// What is removed leaves memory with the next merge, and nothing else does.
func TestMergeKeepsWhatIsThere(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	p := newPartition(0)
	want := map[uint64]uint32{}
	for round := range 5 {
		for range 5000 {
			e := entry{code: r.Uint64(), spot: spot{flag: r.Uint32N(100)}}
			p.insert(e)
			want[e.code] = e.spot.flag
		}
		deleted := uint32(round)
		more := []entry{{code: r.Uint64(), spot: spot{flag: deleted}}, {code: r.Uint64(), spot: spot{flag: deleted + 1}}}
		want[more[0].code], want[more[1].code] = deleted, deleted+1
		p = p.merged(more, func(flag uint32) bool { return flag == deleted })
		for code, flag := range want {
			if flag == deleted {
				delete(want, code)
			}
		}
		require.Empty(t, p.delta)
		require.Len(t, p.codes.Values, len(want))
		for code, flag := range want {
			at := p.bucket(code)
			bucket := p.codes.Values[p.starts.Values[at]:p.starts.Values[at+1]]
			i := slices.Index(bucket, code)
			require.GreaterOrEqual(t, i, 0)
			require.Equal(t, flag, p.spots.Values[int(p.starts.Values[at])+i].flag)
		}
	}
}

// A purge gives the memory of removed flags back, and loses no other for those who search meanwhile.
func TestPurge(t *testing.T) {
	const n = 1000
	r := rand.New(rand.NewPCG(4, 4))
	x := New()
	flags := make([]keypoint.Features, n)
	for i := range flags {
		flags[i] = randomFlag(r, FlagPoints)
	}
	x.Add(flags...)
	full := x.Bytes()
	for i := range n - 10 {
		x.Remove(uint32(i))
	}
	require.Equal(t, n-10, x.Removed())
	upload := copyOf(r, flags[n-1])
	stop := testenv.Meanwhile(1, func() bool {
		found := x.Search(upload, 1)
		return assert.Len(t, found, 1, "lost a flag") && assert.EqualValues(t, n-1, found[0].ID)
	})
	x.Purge()
	stop()
	require.Equal(t, []int{10, 0}, []int{x.Len(), x.Removed()})
	require.Less(t, x.Bytes(), full/5)
	require.Empty(t, x.Search(copyOf(r, flags[0]), 1))
	added := x.Add(flags[0])
	require.EqualValues(t, n, added)
	found := x.Search(copyOf(r, flags[0]), 1)
	require.Len(t, found, 1)
	require.Equal(t, added, found[0].ID)
}

func TestSearchWhileFlagsAreAdded(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	x := New()
	first := randomFlag(r, FlagPoints)
	x.Add(first)
	upload := copyOf(r, first)
	stop := testenv.Meanwhile(2, func() bool {
		found := x.Search(upload, 1)
		return assert.Len(t, found, 1, "lost the first flag") && assert.Zero(t, found[0].ID)
	})
	for range 40 {
		flags := make([]keypoint.Features, 100)
		for i := range flags {
			flags[i] = randomFlag(r, FlagPoints)
		}
		id := x.Add(flags...)
		found := x.Search(copyOf(r, flags[99]), 1)
		require.Len(t, found, 1)
		require.Equal(t, id+99, found[0].ID)
		x.Remove(id)
	}
	stop()
}

// What several cores find is what one does, before all is merged and after.
func TestCoresFindTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	x := New()
	flags := make([]keypoint.Features, 300)
	for i := range flags {
		flags[i] = randomFlag(r, FlagPoints)
	}
	x.Add(flags...)
	x.Remove(3)
	for range 2 {
		for i := range 20 {
			upload := copyOf(r, flags[i])
			alone := x.Search(upload, 8)
			require.Equal(t, i != 3, len(alone) > 0)
			require.Equal(t, alone, x.SearchOn(4, upload, 8))
		}
		x.Purge()
	}
}

// Flags without points have IDs, and uploads without points no candidates.
func TestWithoutPoints(t *testing.T) {
	x := New()
	require.Equal(t, uint32(0), x.Add(keypoint.Features{}, keypoint.Features{}))
	require.Equal(t, uint32(2), x.Add(keypoint.Features{}))
	require.Equal(t, 3, x.Len())
	require.Empty(t, x.Search(keypoint.Prepare(keypoint.Features{Width: 3, Height: 3}), 8))
}

// The kernel sums up what the table says.
func TestProjections(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	f := randomFlag(r, 30)
	got := projected(f.Points)
	weight := func(i int) int { return int(int16(uint16(projections[2*i]) | uint16(projections[2*i+1])<<8)) }
	for i, p := range f.Points {
		for d := range Projections {
			want := -weight(Projections*descBits + d)
			for b := range descBits {
				want += weight(d*descBits+b) * (int(p.Bits[b/64]>>(b%64)&1)*2 - 1)
			}
			require.Equal(t, want, int(got[i*width+d]), "point %d, projection %d", i, d)
		}
	}
}

// A set of flips comes after each set of fewer of them: look relies on it, where fewer projections choose a bucket.
func TestFlips(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for range 100 {
		z := make([]int16, 26)
		for i := range z {
			z[i] = int16(r.IntN(4000) - 2000)
		}
		flips := make([]uint32, mostProbes)
		flipped(z, len(z), flips)
		require.Zero(t, flips[0])
		seen := map[uint32]bool{}
		for _, flip := range flips {
			for f := flip; f != 0; f &= f - 1 {
				require.True(t, seen[flip&^(f&-f)], "%b before one that it has more than", flip)
			}
			require.False(t, seen[flip])
			seen[flip] = true
		}
		least := 0
		for i := range z {
			if max(z[i], -z[i]) < max(z[least], -z[least]) {
				least = i
			}
		}
		require.Equal(t, least, bits.TrailingZeros32(flips[1]))
	}
}
