package hub

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"moderator/internal/embed"
)

// Client fetches from one source.
type Client struct {
	Source Source
	// Progress is called while a file arrives. It may be nil.
	Progress func(file string, done, all int64)

	commit string
	dir    string // of the files that are not complete yet
}

// Pulled is a model folder that is in its place.
type Pulled struct {
	Dir    string
	Commit string // that the revision is
	Folder *embed.Folder
}

// Pull puts the model into the folder dir, whose parents it makes. It keeps what it fetched if it fails, for the next try. An earlier
// folder at dir is replaced when the new one is complete.
func (c *Client) Pull(ctx context.Context, dir string) (Pulled, error) {
	commit, err := c.resolve(ctx)
	if err != nil {
		return Pulled{}, err
	}
	c.commit, c.dir = commit, dir+".part-"+commit
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return Pulled{}, fmt.Errorf("create the model's folder: %w", err)
	}
	if err := c.files(ctx); err != nil {
		return Pulled{}, err
	}
	if _, err := embed.LoadDir(c.dir); err != nil {
		return Pulled{}, c.unusable(err)
	}
	if err := replace(c.dir, dir); err != nil {
		return Pulled{}, err
	}
	folder, err := embed.LoadDir(dir)
	return Pulled{dir, commit, folder}, err
}

func (c *Client) unusable(err error) error {
	return fmt.Errorf("%s at %s is no model that moderator runs: %w", c.Source.Repository, c.commit, err)
}

// files fetches the best graph with its weights, and every other file of a model folder that the repository has.
func (c *Client) files(ctx context.Context) error {
	graph := ""
	for _, name := range embed.GraphFiles() {
		err := c.fetch(ctx, name)
		if errors.Is(err, errAbsent) {
			continue
		}
		if err != nil {
			return err
		}
		graph = name
		break
	}
	if graph == "" {
		return fmt.Errorf("%s at %s has no ONNX graph of an image encoder (onnx/vision_model.onnx, onnx/model.onnx, …): export it to ONNX, or choose a repository with one", c.Source.Repository, c.commit)
	}
	data, err := os.ReadFile(filepath.Join(c.dir, filepath.FromSlash(graph)))
	if err != nil {
		return err
	}
	weights, err := embed.ExternalFiles(data)
	if err != nil {
		return c.unusable(fmt.Errorf("%s: %w", graph, err))
	}
	for _, name := range weights {
		if !filepath.IsLocal(filepath.FromSlash(name)) {
			return c.unusable(fmt.Errorf("%s keeps its weights in %q, outside of its folder", graph, name))
		}
		if err := c.fetch(ctx, path.Join(path.Dir(graph), name)); err != nil {
			return err
		}
	}
	for _, name := range embed.OtherFiles() {
		if err := c.fetch(ctx, name); err != nil && !errors.Is(err, errAbsent) {
			return err
		}
	}
	return nil
}

// resolve returns the commit of the revision, by the first file that the repository has.
func (c *Client) resolve(ctx context.Context) (string, error) {
	for _, name := range append(embed.OtherFiles(), embed.GraphFiles()...) {
		about, err := c.head(ctx, c.Source.Revision, name)
		if errors.Is(err, errAbsent) {
			continue
		}
		if err != nil {
			return "", err
		}
		if !isCommit(about.commit) {
			return "", fmt.Errorf("%s does not say which commit %s is (X-Repo-Commit is %q): give a hub with that header", c.Source.Endpoint, c.Source.Revision, about.commit)
		}
		return about.commit, nil
	}
	return "", fmt.Errorf("%s has no model %s at revision %s, or it needs a token (HF_TOKEN)", c.Source.Endpoint, c.Source.Repository, c.Source.Revision)
}

func isCommit(text string) bool { return isHex(text) && len(text) == 40 }

// replace puts the folder from in the place of to.
func replace(from, to string) error {
	old := from + ".old"
	if err := os.RemoveAll(old); err != nil {
		return err
	}
	if err := os.Rename(to, old); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Rename(from, to); err != nil {
		return errors.Join(err, os.Rename(old, to))
	}
	return os.RemoveAll(old)
}
