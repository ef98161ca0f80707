package main

import (
	"io/fs"
	"os"
	"path/filepath"

	"moderator/internal/embed"
	"moderator/internal/imaging"
	"moderator/models"
	"moderator/tools/internal/vit"
)

// model is a model folder, with what the ceiling needs to run its graph.
type model struct {
	name          string
	dir           string
	graph         string // file
	input, output string
	target        imaging.Target
	dims          int
	fingerprint   string
	rival         bool // the rivals run it, too
}

const (
	vitFull      = "vit-b32-fp32"
	vitQuantised = "vit-b32-int8"
	shipped      = "copydetect"
)

const modelSeed = 5

// writeModels writes two towers with random weights, and the shipped model, as folders in dir.
func writeModels(dir string) ([]model, error) {
	all := []model{
		{name: vitFull, graph: vit.Float32.Graph(), rival: true},
		{name: vitQuantised, graph: vit.Int8.Graph(), rival: true},
		{name: shipped, graph: vit.Float32.Graph()},
	}
	for i := range all {
		m := &all[i]
		m.dir = filepath.Join(dir, "models", m.name)
		m.graph = filepath.Join(m.dir, m.graph)
		m.input, m.output = "pixel_values", "image_embeds"
		if err := m.write(); err != nil {
			return nil, err
		}
		folder, err := embed.LoadDir(m.dir)
		if err != nil {
			return nil, err
		}
		m.target, m.dims, m.fingerprint = folder.Target(), folder.Dims(), folder.Fingerprint()
	}
	return all, nil
}

func (m *model) write() error {
	if m.name == shipped {
		return copyFolder(models.CopyDetect(), m.dir)
	}
	precision := vit.Float32
	if m.name == vitQuantised {
		precision = vit.Int8
	}
	return copyFolder(vit.B32.Folder("bench/"+m.name, modelSeed, precision), m.dir)
}

func copyFolder(from fs.FS, dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	return os.CopyFS(dir, from)
}
