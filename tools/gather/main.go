// Command gather collects openly licensed pictures from Debian's packages: photographs, screenshots, pages, charts, maps, icons,
// drawings and textures, to fit the evidence on and to measure it with.
//
//	go run ./tools/gather --out pictures
//	make quality FLAGS=20000 DISTRACTORS=pictures
//
// The folder has train/KIND-PACKAGE/, validation/KIND-PACKAGE/ and test/KIND-PACKAGE/: each package is in one part only, so no
// picture is measured of a source that was fitted on. licences/PACKAGE is the package's copyright file. A source that is there
// already is left as it is. It takes apt-get, dpkg-deb and, for pages of PDF files, pdftoppm of poppler-utils.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"moderator/tools/internal/command"
)

type options struct {
	Out      string   `help:"Folder for the pictures." required:"" placeholder:"DIR"`
	Parts    []string `help:"Which parts to gather." default:"train,validation,test" enum:"train,validation,test"`
	Most     int      `help:"So many pictures of a source, evenly over its files." default:"400"`
	MinSide  int      `help:"Pictures are at least so wide and high, in pixels." default:"64"`
	MaxPages int      `help:"So many pages of each PDF file." default:"12"`
}

func main() {
	command.Main("gather", "Collect openly licensed pictures from Debian's packages.", run)
}

func run(ctx context.Context, o options, stdout io.Writer) error {
	for _, tool := range []string{"apt-get", "dpkg-deb", "pdftoppm"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("no %s found: this wants Debian with poppler-utils: apt-get install poppler-utils", tool)
		}
	}
	var missed []error
	for _, s := range sources {
		if !slices.Contains(o.Parts, s.part) {
			continue
		}
		n, err := o.gather(ctx, s)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			missed = append(missed, fmt.Errorf("%s: %w", s.pkg, err))
			continue
		}
		fmt.Fprintf(stdout, "gather: %s pictures=%d\n", s.folder(), n)
	}
	return errors.Join(missed...)
}

// gather writes the pictures of s, unless they are there, and returns how many there are.
func (o options) gather(ctx context.Context, s source) (int, error) {
	folder := filepath.Join(o.Out, s.folder())
	if there, err := os.ReadDir(folder); err == nil {
		return len(there), nil
	}
	unpacked, err := os.MkdirTemp("", "gather-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(unpacked)
	if err := o.unpack(ctx, s.pkg, unpacked); err != nil {
		return 0, err
	}
	pictures, err := o.pictures(ctx, s, unpacked)
	if err != nil {
		return 0, err
	}
	if len(pictures) == 0 {
		return 0, fmt.Errorf("no pictures of %d or more pixels in %s: the package's files have moved, mend tools/gather/sources.go", o.MinSide, s.within)
	}
	// The folder appears whole or not at all, so an interrupted run is taken up again.
	part := filepath.Join(o.Out, "unfinished")
	if err := errors.Join(os.RemoveAll(part), os.MkdirAll(part, 0o755), os.MkdirAll(filepath.Dir(folder), 0o755)); err != nil {
		return 0, err
	}
	for i, picture := range pictures {
		name := fmt.Sprintf("%04d-%s", i, strings.TrimLeft(filepath.Base(picture), "-"))
		if err := copyFile(picture, filepath.Join(part, name)); err != nil {
			return 0, err
		}
	}
	return len(pictures), os.Rename(part, folder)
}

// unpack downloads a package, keeps its licence, and unpacks it into dir.
func (o options) unpack(ctx context.Context, pkg, dir string) error {
	kept := filepath.Join(o.Out, "packages")
	if err := os.MkdirAll(kept, 0o755); err != nil {
		return err
	}
	if err := runIn(ctx, kept, "apt-get", "download", "--quiet", pkg); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(kept, pkg+"_*.deb"))
	if err != nil || len(files) != 1 {
		return errors.Join(err, fmt.Errorf("%d files %s_*.deb in %s, want one: remove those of other versions", len(files), pkg, kept))
	}
	if err := runIn(ctx, "", "dpkg-deb", "--extract", files[0], dir); err != nil {
		return err
	}
	// A package may have its licence in another one of the same source.
	if other, err := os.Readlink(filepath.Join(dir, "usr/share/doc", pkg)); err == nil {
		return o.licence(ctx, pkg, filepath.Base(other))
	}
	return copyFile(filepath.Join(dir, "usr/share/doc", pkg, "copyright"), filepath.Join(o.Out, "licences", pkg))
}

// licence keeps the licence of a package that has it in another one.
func (o options) licence(ctx context.Context, pkg, other string) error {
	dir, err := os.MkdirTemp("", "gather-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := o.unpack(ctx, other, dir); err != nil {
		return err
	}
	return os.Rename(filepath.Join(o.Out, "licences", other), filepath.Join(o.Out, "licences", pkg))
}

func runIn(ctx context.Context, dir, name string, args ...string) error {
	command := exec.CommandContext(ctx, name, args...)
	command.Dir = dir
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(string(output)))
	}
	return nil
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o644)
}
