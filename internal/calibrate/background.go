package calibrate

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"time"
)

// CopyModel copies a model folder to dir, which must be empty or missing. Links, such as in Hugging Face's cache, become files.
func CopyModel(folder fs.FS, dir string) error {
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty: give a new folder for the copy of the model", dir)
	}
	return fs.WalkDir(folder, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := fs.Stat(folder, name)
		if err != nil {
			return err
		}
		path := filepath.Join(dir, filepath.FromSlash(name))
		if info.IsDir() {
			return os.MkdirAll(path, 0o755)
		}
		from, err := folder.Open(name)
		if err != nil {
			return err
		}
		defer from.Close()
		to, err := os.Create(path)
		if err != nil {
			return err
		}
		_, err = io.Copy(to, from)
		if closeErr := to.Close(); err == nil {
			err = closeErr
		}
		return err
	})
}

// WriteBackground writes unit vectors of one width as background.npy of a model folder: a matrix of little-endian float32 in
// NumPy's format, version 1.0 (numpy.lib.format).
func WriteBackground(dir string, vectors [][]float32) error {
	dict := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }", len(vectors), len(vectors[0]))
	for (10+len(dict)+1)%64 != 0 { // aligns the numbers
		dict += " "
	}
	data := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(dict)+1))
	data = append(data, dict+"\n"...)
	for _, v := range vectors {
		for _, x := range v {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(x))
		}
	}
	return os.WriteFile(filepath.Join(dir, "background.npy"), data, 0o644)
}

// RemoveThresholds removes moderation.json of a model folder, whose thresholds do not apply to a new background.
func RemoveThresholds(dir string) error {
	err := os.Remove(filepath.Join(dir, "moderation.json"))
	if os.IsNotExist(err) {
		return nil
	}
	return err
}

// WriteThresholds writes moderation.json of a model folder.
func WriteThresholds(dir string, normalised bool, r *Result) error {
	score := "cosine"
	if normalised {
		score = "normalised"
	}
	data, err := json.MarshalIndent(map[string]any{
		"score": score, "block_at": r.BlockAt, "review_at": r.ReviewAt,
		"measured": map[string]any{
			"how":   fmt.Sprintf("flagctl calibrate; a share of %g of the pairs of different pictures reaches block_at, and ten times as many review_at", r.FPR),
			"pairs": r.Pairs, "pictures": r.Pictures, "edited": r.Edited, "date": time.Now().Format(time.DateOnly),
		},
	}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "moderation.json"), append(data, '\n'), 0o644)
}
