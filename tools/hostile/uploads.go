package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"moderator/tools/hostile/classics"
)

// upload is one hostile file and its decision.
type upload struct {
	name   string
	data   []byte
	key    string // "<stream>:<sequence>"
	reason string // of the decision; empty without a decision
}

// uploads returns the folder's files and the generated ones.
func (o options) uploads() ([]upload, error) {
	var all []upload
	if o.Generated {
		for _, f := range classics.All() {
			all = append(all, upload{name: "generated/" + f.Name, data: f.Data})
		}
	}
	if o.Files != "" {
		err := filepath.WalkDir(o.Files, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() {
				return err
			}
			data, err := os.ReadFile(path)
			all = append(all, upload{name: path, data: data})
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("read the folder %s: %w", o.Files, err)
		}
	}
	if len(all) == 0 {
		return nil, errors.New("there are no files to publish: give a folder with --files, or leave --generated on")
	}
	return all, nil
}
