// Package classics makes files that break decoders: decompression bombs, false headers, files of two formats, endless files
// and truncated ones. Each is written from its format's specification, in less than a second.
package classics

import (
	"fmt"
	"slices"
)

// File is one hostile file.
type File struct {
	Name string
	Data []byte
}

// All makes every file: about 450 with about 50 MB.
func All() []File {
	return slices.Concat(pngs(), jpegs(), gifs(), webps(), tiffs(), bmps(), polyglots(), truncated())
}

// truncated truncates a small valid file of each format at every tenth byte.
func truncated() []File {
	var files []File
	for _, whole := range valid() {
		for at := 0; at < len(whole.Data); at += 10 {
			files = append(files, File{fmt.Sprintf("truncated-%04d-%s", at, whole.Name), whole.Data[:at]})
		}
	}
	return files
}
