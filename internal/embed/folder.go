package embed

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"moderator/internal/imaging"
)

// Folder is a complete model folder that was read. It is immutable and safe for concurrent use.
type Folder struct {
	name        string
	graphPath   string // within the folder
	fingerprint string
	graph       []byte
	graphFile   string // the graph's path on disk if it has external weights, else ""
	tensors     tensors
	half        bool // the graph's weights are of float16
	pre         preprocessing
	background  *Background
	thresholds  *thresholds
}

// modelConfig holds the used fields of config.json.
type modelConfig struct {
	Name          string `json:"_name_or_path"`
	ModelType     string `json:"model_type"`
	ProjectionDim int    `json:"projection_dim"`
	Classes       *int   `json:"num_classes"` // timm's; 0: the network has no classifier
}

func (c modelConfig) headless() bool { return c.Classes != nil && *c.Classes == 0 }

// LoadDir reads and checks the model folder dir. It does not need the runtime.
func LoadDir(dir string) (*Folder, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("model folder %s: %w: give a folder in the Hugging Face layout", dir, errors.Unwrap(err))
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("model folder %s is a file: give the folder that holds config.json and onnx/", dir)
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	f, err := load(os.DirFS(dir), abs)
	if err != nil {
		return nil, fmt.Errorf("model folder %s: %w", dir, err)
	}
	return f, nil
}

// LoadFS is LoadDir for a folder that is not on disk. Its graph must not have external weights.
func LoadFS(fsys fs.FS) (*Folder, error) {
	f, err := load(fsys, "")
	if err != nil {
		return nil, fmt.Errorf("model folder: %w", err)
	}
	return f, nil
}

// Name returns the model's name: _name_or_path in config.json, else the folder's name.
func (f *Folder) Name() string { return f.name }

// Fingerprint returns the SHA-256 over graph, external weights, preprocessing and background, in hex. Vectors with different
// fingerprints must not be compared.
func (f *Folder) Fingerprint() string { return f.fingerprint }

// Dims returns the width D of the vectors, or 0 if neither the graph nor config.json has it. Model.Folder always knows it.
func (f *Folder) Dims() int { return f.tensors.width }

// Preprocessing returns the preprocessing in one line, as the fingerprint has it.
func (f *Folder) Preprocessing() string { return f.pre.canonical() }

// Target returns the geometry of the pictures for Embed.
func (f *Folder) Target() imaging.Target { return f.pre.target }

// Background returns the folder's background. It is nil if there is none, and the score is then the cosine.
func (f *Folder) Background() *Background { return f.background }

// BackgroundPenalty returns ½·b(v), which the score subtracts, or 0 without a background.
func (f *Folder) BackgroundPenalty(v []float32) float32 {
	if f.background == nil {
		return 0
	}
	return f.background.Penalty(v)
}

// BackgroundPenalties returns the BackgroundPenalty of each vector. It is faster than single calls.
func (f *Folder) BackgroundPenalties(vectors [][]float32) []float32 {
	if f.background == nil {
		return make([]float32, len(vectors))
	}
	return f.background.Penalties(vectors)
}

// Thresholds returns the lowest scores at which this model's matches are blocked and reviewed. ok is false if the folder has
// no thresholds. review equals block if the folder has only that.
func (f *Folder) Thresholds() (block, review float64, ok bool) {
	if f.thresholds == nil {
		return 0, 0, false
	}
	return *f.thresholds.BlockAt, *f.thresholds.ReviewAt, true
}

// load reads the folder at the root of fsys. dir is its absolute path, or "" if it is not on disk.
func load(fsys fs.FS, dir string) (*Folder, error) {
	graphPath, err := findGraph(fsys)
	if err != nil {
		return nil, err
	}
	f := &Folder{graphPath: graphPath}
	var config modelConfig
	if err := readJSON(fsys, "config.json", &config); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	f.name = modelName(config, dir)
	if f.pre, err = readPreprocessing(fsys, graphPath); err != nil {
		return nil, err
	}
	if f.graph, err = fs.ReadFile(fsys, graphPath); err != nil {
		return nil, err
	}
	g, err := parseGraph(f.graph)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: fetch the file again (a Git LFS pointer is not the file)", graphPath, err)
	}
	f.half = g.half
	width, height := f.pre.target.Size()
	if f.tensors, err = chooseTensors(g, config, width, height); err != nil {
		return nil, fmt.Errorf("%s: %w", graphPath, err)
	}
	if f.tensors.width == 0 && f.tensors.output == "image_embeds" {
		if d := config.ProjectionDim; d < 0 || d > widest {
			return nil, fmt.Errorf("config.json: projection_dim %d: wanted 1 to %d", d, widest)
		}
		f.tensors.width = config.ProjectionDim
	}
	if len(g.external) > 0 {
		if dir == "" {
			return nil, fmt.Errorf("%s keeps its weights in %s: wanted a graph that holds them, or a folder on disk", graphPath, strings.Join(g.external, ", "))
		}
		for _, name := range g.external {
			if !filepath.IsLocal(filepath.FromSlash(name)) {
				return nil, fmt.Errorf("%s keeps its weights in %q, outside of its folder: wanted a file beside it", graphPath, name)
			}
		}
		f.graphFile = filepath.Join(dir, filepath.FromSlash(graphPath))
	}
	background, err := f.readBackground(fsys)
	if err != nil {
		return nil, err
	}
	if err := f.readThresholds(fsys); err != nil {
		return nil, err
	}
	f.fingerprint, err = fingerprint(fsys, f.graph, path.Dir(graphPath), g.external, f.pre.canonical(), background)
	return f, err
}

func modelName(c modelConfig, dir string) string {
	name := c.Name
	if path.IsAbs(name) || strings.HasPrefix(name, ".") { // a path on the exporter's disk
		name = path.Base(name)
	}
	if name == "" && dir != "" {
		name = filepath.Base(dir)
	}
	return cmp.Or(name, c.ModelType, "model")
}

// readBackground reads background.npy and returns its bytes, or nil without one.
func (f *Folder) readBackground(fsys fs.FS) ([]byte, error) {
	data, err := fs.ReadFile(fsys, "background.npy")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		f.background, err = parseBackground(data)
	}
	if err != nil {
		return nil, fmt.Errorf("background.npy: %w", err)
	}
	switch d := f.background.dims; {
	case f.tensors.width == 0:
		f.tensors.width = d
	case f.tensors.width != d:
		return nil, fmt.Errorf("background.npy has vectors of %d numbers, the model has %d: compute the background with this model", d, f.tensors.width)
	}
	return data, nil
}

func readJSON(fsys fs.FS, name string, into any) error {
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func strictJSON(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
