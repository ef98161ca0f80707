package main

import (
	"bytes"
	"fmt"
	"image/jpeg"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"moderator/internal/imaging"
	"moderator/internal/keypoint"
	"moderator/internal/pdq"
	"moderator/internal/recognise"
	"moderator/internal/synth"
)

// original is a picture that no other original is a copy of.
type original struct {
	name string
	data []byte // the file
}

const (
	drawSeed            = 1
	drawWidth           = 800
	drawHeight          = 600
	smallest            = 100 // pixels: shorter sides leave nothing to recognise after an edit
	plainest            = pdq.MinQuality
	related             = 100 // bits of PDQ's 256: unrelated pictures differ in about 128
	folderMost          = 60
	maxFolderFile int64 = 32 << 20
)

// originals draws the pictures, or takes the folder's.
func (o options) originals(stdout io.Writer) ([]original, error) {
	if o.Images != "" {
		return fromFolder(o.Images, stdout)
	}
	all := make([]original, o.Pictures)
	for i := range all {
		var file bytes.Buffer
		if err := jpeg.Encode(&file, synth.Draw(drawSeed, i, drawWidth, drawHeight), &jpeg.Options{Quality: 92}); err != nil {
			return nil, err
		}
		all[i] = original{synth.Name(i) + ".jpg", file.Bytes()}
	}
	fmt.Fprintf(stdout, "pictures: %d drawn\n", len(all))
	return all, nil
}

// fromFolder takes the folder's pictures, one of each group of copies: which of two copies is flagged and which is sent
// as a stranger would otherwise decide what is right. What is alike is told by PDQ, far beyond the distance that decides,
// and by points of interest: several shots of one scene are copies too.
func fromFolder(dir string, stdout io.Writer) ([]original, error) {
	var all []original
	var taken []pdq.Hash
	var shown []keypoint.Features
	var files, copies, plain, unreadable int
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || len(all) == folderMost {
			return err
		}
		files++
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		// Borders are trimmed too: a letterboxed copy is one all the same.
		result, err := imaging.Decode(data, imaging.Request{Gray: true, Views: []imaging.View{imaging.ViewOriginal, imaging.ViewTrimmed}})
		if err != nil {
			unreadable++
			return nil
		}
		hashes, quality := hashesOf(result.Frames[0])
		points, err := recognise.Points(result.Frames[0].Views[0].Gray, result.Width, result.Height, true)
		if err != nil {
			return err
		}
		switch {
		case quality < plainest || min(result.Width, result.Height) < smallest:
			plain++
			return nil
		case alike(hashes, taken), shows(points, shown):
			copies++
			return nil
		}
		taken, shown = append(taken, hashes...), append(shown, points)
		name, err := filepath.Rel(dir, path)
		all = append(all, original{strings.ReplaceAll(name, string(filepath.Separator), "_"), data})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the folder %s: %w", dir, err)
	}
	if len(all) < 3 {
		return nil, fmt.Errorf("the folder %s has %d different pictures, wanted at least 3", dir, len(all))
	}
	fmt.Fprintf(stdout, "pictures: %d files in %s: %d different pictures, %d copies of one of them, %d too small or too plain, %d unreadable\n",
		files, dir, len(all), copies, plain, unreadable)
	return all, nil
}

// hashesOf are the frame's PDQ hashes in all turns and mirrors, and the least of its views' qualities.
func hashesOf(frame imaging.Frame) (hashes []pdq.Hash, quality int) {
	quality = 100
	for _, view := range frame.Views {
		turns, q := pdq.Turns(view.Gray.Width, view.Gray.Height, view.Gray.Pix)
		hashes, quality = append(hashes, turns[:]...), min(quality, q)
	}
	return hashes, quality
}

func alike(hashes, taken []pdq.Hash) bool {
	for _, h := range hashes {
		for _, t := range taken {
			if h.Distance(t) <= related {
				return true
			}
		}
	}
	return false
}

// shows tells whether a picture has something of another to see.
func shows(points keypoint.Features, taken []keypoint.Features) bool {
	upload := keypoint.Prepare(points)
	return slices.ContainsFunc(taken, func(f keypoint.Features) bool { return keypoint.Verify(f, upload).Score() >= keypoint.ReviewAt/2 })
}

// split flags every third picture.
func split(all []original) (flagged, unrelated []original) {
	for i, o := range all {
		if i%3 == 0 {
			flagged = append(flagged, o)
		} else {
			unrelated = append(unrelated, o)
		}
	}
	return flagged, unrelated
}
