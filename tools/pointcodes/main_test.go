package main

import (
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/pointindex"
)

func TestEigen(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	m := new(matrix)
	for range 2 * size {
		var v [size]float64
		for i := range v {
			v[i] = r.NormFloat64()
		}
		m.add(v)
	}
	values, vectors := eigen(m)
	left := product(m, vectors)
	root := inverseRoot(m)
	identity := product(product(root, m), root)
	for i := range size {
		for k := range size {
			require.InDelta(t, vectors[i][k]*values[k], left[i][k], 1e-6)
			want := 0.0
			if i == k {
				want = 1
			}
			require.InDelta(t, want, identity[i][k], 1e-6)
		}
	}
}

// The same pictures give the same table, of the size that the index wants.
func TestTableIsReproducible(t *testing.T) {
	dir := t.TempDir()
	var tables [2][]byte
	for i := range tables {
		out := filepath.Join(dir, "table")
		require.NoError(t, run([]string{"--drawn", "18", "--draws", "3000", "--out", out}, io.Discard))
		var err error
		tables[i], err = os.ReadFile(out)
		require.NoError(t, err)
	}
	require.Len(t, tables[0], 2*pointindex.Projections*(size+1))
	require.Equal(t, tables[0], tables[1])
	require.ErrorContains(t, run([]string{"--drawn", "3"}, io.Discard), "no --out")
	require.ErrorContains(t, run([]string{"--drawn", "3", "--out", filepath.Join(dir, "few")}, io.Discard), "give more pictures")
}
