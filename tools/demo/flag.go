package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"moderator/tools/internal/embedded"
)

// flag flags the originals with flagctl.
func flag(ctx context.Context, m *embedded.Moderator, originals []original, stdout io.Writer) error {
	dir := filepath.Join(m.Dir(), "flagged")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	for _, o := range originals {
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(o.name)), o.data, 0o644); err != nil {
			return err
		}
	}
	said, err := m.Flagctl(ctx, "--as", "demo", "add", "--note", "demo", dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "flagctl add: %s", said)
	return nil
}
