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

// CopyModel copies a model folder to dir, which must not exist or be empty. Links in it, as in the cache of Hugging Face,
// become files.
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

// WriteBackground writes unit vectors, all of one width, as background.npy of a model folder: a NumPy file with a matrix of
// little-endian float32 (numpy.lib.format, version 1.0).
func WriteBackground(dir string, vectors [][]float32) error {
	dict := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }", len(vectors), len(vectors[0]))
	for (10+len(dict)+1)%64 != 0 { // the numbers are aligned
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

// RemoveThresholds removes a model folder's moderation.json: its thresholds are another background's.
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
			"how":   fmt.Sprintf("flagctl calibrate; block_at lets %g of the non-matching pairs through, review_at ten times as many", r.FPR),
			"pairs": r.Pairs, "pictures": r.Pictures, "edited": r.Edited, "date": time.Now().Format(time.DateOnly),
		},
	}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "moderation.json"), append(data, '\n'), 0o644)
}
