package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/chromedp/chromedp"
)

// The npm package's version and integrity are pinned together: `npm view axe-core@VERSION dist.integrity`.
const (
	axeVersion   = "4.14.1"
	axeIntegrity = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
)

// axe returns the script of axe-core, which finds faults of accessibility. It is fetched once into the folder.
func axe(ctx context.Context, folder string) (string, error) {
	file := filepath.Join(folder, "axe-core-"+axeVersion+".tgz")
	if _, err := os.Stat(file); err != nil {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return "", err
		}
		pack := exec.CommandContext(ctx, "npm", "pack", "--silent", "--pack-destination", folder, "axe-core@"+axeVersion)
		pack.Stderr = os.Stderr
		if err := pack.Run(); err != nil {
			return "", fmt.Errorf("npm pack axe-core@%s: %w: install npm, and look at the network", axeVersion, err)
		}
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	if sum := sha512.Sum512(data); base64.StdEncoding.EncodeToString(sum[:]) != axeIntegrity {
		return "", fmt.Errorf("%s is not axe-core %s: remove it and try again", file, axeVersion)
	}
	return fromPackage(bytes.NewReader(data), "package/axe.min.js")
}

// fromPackage returns a file of an npm package.
func fromPackage(data io.Reader, name string) (string, error) {
	unzipped, err := gzip.NewReader(data)
	if err != nil {
		return "", err
	}
	files := tar.NewReader(unzipped)
	for {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return "", fmt.Errorf("the package has no %s", name)
		}
		if err != nil {
			return "", err
		}
		if header.Name == name {
			text, err := io.ReadAll(files)
			return string(text), err
		}
	}
}

// accessible fails if axe-core finds a violation in the page.
func (b *browser) accessible() error {
	const check = `;axe.run({resultTypes: ['violations']}).then((found) => found.violations.map((v) =>
		v.id + ': ' + v.help + ': ' + v.nodes.map((n) => n.target.join(' ')).slice(0, 3).join(', ')))`
	found, err := evaluate(b, chromedp.Evaluate[[]string](b.axe+check, chromedp.EvalAwaitPromise))
	if err != nil {
		return err
	}
	if len(found) > 0 {
		return fmt.Errorf("accessibility: %s", strings.Join(found, "; "))
	}
	return nil
}
