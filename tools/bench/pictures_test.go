package main

import (
	"bytes"
	"image"
	"image/jpeg"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/synth"
)

func TestPicturesHaveTheirSizes(t *testing.T) {
	p := sizes()[2]
	scene := synth.Draw(drawSeed, scenic(0), 256, 192)
	require.NoError(t, p.photograph([]image.Image{scene, scene}))
	for _, file := range p.files {
		config, err := jpeg.DecodeConfig(bytes.NewReader(file))
		require.NoError(t, err)
		require.Equal(t, [2]int{p.width, p.height}, [2]int{config.Width, config.Height})
		require.InDelta(t, p.wanted, len(file), 0.25*float64(p.wanted))
	}
	require.NotEqual(t, p.files[0], p.files[1], "each has its own grain")
}
