package imaging

import "encoding/binary"

// hasMovie reports whether the file has a movie box, that of an image sequence (ISO/IEC 14496-12, section 4.2). A file may
// have both a still picture and a sequence, and viewers differ on which they show.
func hasMovie(data []byte) bool {
	for len(data) >= 8 {
		size, kind := uint64(binary.BigEndian.Uint32(data)), string(data[4:8])
		if kind == "moov" {
			return true
		}
		if size == 1 && len(data) >= 16 { // the size follows in 8 bytes
			size = binary.BigEndian.Uint64(data[8:])
		}
		if size < 8 || size > uint64(len(data)) { // 0: to the end
			return false
		}
		data = data[size:]
	}
	return false
}
