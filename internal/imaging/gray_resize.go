package imaging

// Resized returns the plane in another size, by averaging.
func (g *Gray) Resized(width, height int) (*Gray, error) {
	p, err := plane{width: g.Width, height: g.Height, bands: 1, pix: g.Pix}.resampled(
		rect{0, 0, g.Width, g.Height}, width, height, KernelLinear, rect{0, 0, width, height}, make([]byte, width*height))
	if err != nil {
		return nil, err
	}
	return &Gray{Width: p.width, Height: p.height, Pix: p.pix}, nil
}
