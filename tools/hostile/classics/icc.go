package classics

// profileSegments splits a colour profile into APP2 segments (ICC.1, B.4).
func profileSegments(data []byte) [][]byte {
	const most = maxSegment - 14
	count := (len(data) + most - 1) / most
	var segments [][]byte
	for i := range count {
		part := data[i*most : min(len(data), (i+1)*most)]
		segments = append(segments, segment(markerAPP2, join([]byte("ICC_PROFILE\x00"), []byte{byte(i + 1), byte(count)}, part)))
	}
	return segments
}

// profile is an ICC profile (ICC.1, 7) of an RGB display. It claims a number of tags, whose bytes are given.
func profile(tags int, body []byte) []byte {
	header := make([]byte, 128)
	copy(header[0:], be32(len(header)+4+len(body)))
	copy(header[8:], []byte{4, 0x40, 0, 0})
	copy(header[12:], "mntrRGB Lab ")
	copy(header[36:], "acsp")
	return join(header, be32(tags), body)
}

// nestedProfile has tables of all sizes that 8 bits can give, in a multi-process element that contains itself.
func nestedProfile() []byte {
	const at = 128 + 4 + 2*12
	lut := join([]byte("mAB \x00\x00\x00\x00\x03\x03\x00\x00"), be32(0), be32(0), be32(0), be32(32), be32(0),
		[]byte{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2, 0, 0, 0})
	self := join([]byte("mpet\x00\x00\x00\x00\x00\x03\x00\x03"), be32(1), be32(0), be32(1<<20))
	entry := func(tag string, offset, size int) []byte { return join([]byte(tag), be32(offset), be32(size)) }
	return profile(2, join(entry("A2B0", at, len(lut)), entry("D2B0", at+len(lut), 1<<20), lut, self))
}
