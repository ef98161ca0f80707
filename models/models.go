// Package models holds the model that ships inside the binaries.
package models

import (
	"embed"
	"io/fs"
)

// The whole folder, so that what runs is what the model card describes.
//
//go:embed all:copydetect
var files embed.FS

// CopyDetect is the folder of the shipped copy-detection network, in the Hugging Face layout.
func CopyDetect() fs.FS {
	sub, err := fs.Sub(files, "copydetect")
	if err != nil {
		panic(err) // only for a malformed path
	}
	return sub
}
