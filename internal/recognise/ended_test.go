package recognise

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"moderator/internal/feature"
)

// A batch whose time ends at any moment of its matching is an error.
func TestMatchingWhoseTimeEnds(t *testing.T) {
	points, err := Points(drawn(), 512, 512, true)
	require.NoError(t, err)
	p := newPoliced(t, points)
	uploads := slices.Repeat([]feature.Query{p.upload("again", 4, drawn())}, 8)
	began := time.Now()
	_, err = p.matcher.Match(t.Context(), uploads)
	require.NoError(t, err)
	whole := time.Since(began)
	for part := range 40 {
		ctx, cancel := context.WithTimeout(t.Context(), whole*time.Duration(part)/33)
		_, _ = p.matcher.Match(ctx, uploads) // an error or the hits, and no panic
		cancel()
	}
}
