package classics

// polyglots are files that are valid in two formats, or name another one.
func polyglots() []File {
	script := []byte("*/=1;alert(1)/*<script>alert(1)</script>")
	archive := []byte("PK\x05\x06" + string(make([]byte, 18)))
	return []File{
		{"gif-and-script.gif", join([]byte("GIF89a/*"), script)},
		{"jpeg-and-archive.jpg", join(smallJPEG(), archive)},
		{"jpeg-and-page.jpg", withSegments(segment(0xfe, script))},
		{"png-and-gif.png", join(smallPNG(), smallGIF())},
		{"gif-and-png.gif", join(smallGIF(), smallPNG())},
		{"document-and-png.pdf", join([]byte("%PDF-1.4\n"), smallPNG())},
		{"drawing-and-jpeg.svg", join([]byte("<svg xmlns='http://www.w3.org/2000/svg'><!--"), smallJPEG(), []byte("--></svg>"))},
		{"drawing-of-entities.svg", []byte("<!DOCTYPE svg [<!ENTITY a '&b;&b;&b;&b;'><!ENTITY b '&a;&a;'>]><svg>&a;</svg>")},
		{"script-of-postscript.eps", []byte("%!PS\n{ } loop\n")},
		{"reference-to-a-file.json", []byte(`{"id": "x", "url": "file:///etc/passwd"}`)},
		{"webp-and-text.webp", join([]byte("RIFF\x10\x00\x00\x00WEBPVP8 "), script)},
		{"film.avif", join(be32(32), []byte("ftypavisavifavisiso8mif1miaf"), make([]byte, 100))},
		{"empty", nil},
		{"zeros-8mb", make([]byte, 8<<20)},
	}
}
