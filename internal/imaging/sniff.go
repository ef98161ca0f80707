package imaging

import (
	"bytes"
	"encoding/binary"
)

// The supported formats, as named by Result.Format and Sniff.
const (
	formatJPEG = "jpeg"
	formatPNG  = "png"
	formatWebP = "webp"
	formatGIF  = "gif"
	formatTIFF = "tiff"
	formatBMP  = "bmp"
	formatHEIC = "heic"
	formatAVIF = "avif"
)

// Sniff returns the format of a picture by its magic bytes. It ignores names and content types, which the sender chooses.
// ok is false for formats that Decode does not support.
func Sniff(data []byte) (format string, ok bool) {
	switch {
	case hasPrefix(data, "\xff\xd8\xff"):
		return formatJPEG, true
	case hasPrefix(data, "\x89PNG\r\n\x1a\n"):
		return formatPNG, true
	case hasPrefix(data, "GIF87a"), hasPrefix(data, "GIF89a"):
		return formatGIF, true
	case hasPrefix(data, "RIFF") && len(data) >= 12 && string(data[8:12]) == "WEBP":
		return formatWebP, true
	case hasPrefix(data, "II*\x00"), hasPrefix(data, "MM\x00*"), // classic, then BigTIFF
		hasPrefix(data, "II+\x00"), hasPrefix(data, "MM\x00+"):
		return formatTIFF, true
	case isBMP(data):
		return formatBMP, true
	case len(data) >= 16 && string(data[4:8]) == "ftyp":
		return sniffBrands(data)
	}
	return "", false
}

func hasPrefix(data []byte, magic string) bool { return bytes.HasPrefix(data, []byte(magic)) }

// isBMP looks for "BM" and a known header size, because texts may begin with these two letters.
func isBMP(data []byte) bool {
	if !hasPrefix(data, "BM") || len(data) < 18 {
		return false
	}
	size := binary.LittleEndian.Uint32(data[14:])
	return size == 12 || size >= 16 && size <= 64 || size == 108 || size == 124
}

// sniffBrands reads the ftyp box at the start of an ISO base media file (ISO/IEC 23008-12, AVIF specification). It accepts
// still pictures coded with HEVC or AV1, but not image sequences (avis, hevc, msf1), films and other codings. With the
// general brands mif1 and miaf, the compatible brands decide.
func sniffBrands(data []byte) (format string, ok bool) {
	size := int(min(binary.BigEndian.Uint32(data), uint32(len(data)), 1024))
	if size < 16 {
		return "", false
	}
	switch major := string(data[8:12]); major {
	case "mif1", "miaf":
		for brands := data[16:size]; len(brands) >= 4; brands = brands[4:] {
			if format, ok := codingOf(string(brands[:4])); ok {
				return format, true
			}
		}
		return "", false
	default:
		return codingOf(major)
	}
}

func codingOf(brand string) (format string, ok bool) {
	switch brand {
	case "heic", "heix", "heim", "heis":
		return formatHEIC, true
	case "avif":
		return formatAVIF, true
	}
	return "", false
}
