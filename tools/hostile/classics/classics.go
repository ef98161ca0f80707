// Package classics makes the files that break decoders: bombs that unpack to far more than they are, headers that lie,
// files of two formats, files that never end, files that end too early. Each is made from its format's specification,
// a few bytes of code for many pixels of harm; none needs more than a second to make.
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

// All makes every file, some 450 of about 50 MB together.
func All() []File {
	return slices.Concat(pngs(), jpegs(), gifs(), webps(), tiffs(), bmps(), polyglots(), truncated())
}

// truncated cuts a small valid file of each format off at every tenth byte.
func truncated() []File {
	var files []File
	for _, whole := range valid() {
		for at := 0; at < len(whole.Data); at += 10 {
			files = append(files, File{fmt.Sprintf("truncated-%04d-%s", at, whole.Name), whole.Data[:at]})
		}
	}
	return files
}
