// Command pointcodes learns the projections by which internal/pointindex tells points apart, from pictures and edits of them:
//
//	go run ./tools/pointcodes --images FOLDER --out internal/pointindex/projections.bin
//
// Wanted are projections of the 128 bits of a description that differ much between points and little between a point and its
// copy: the first generalised eigenvectors of the covariance of all points and that of the differences of copies (linear
// discriminant analysis). They are decorrelated, and the noise of copies is the same in each. The same pictures give the same
// file.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "pointcodes:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("pointcodes", flag.ContinueOnError)
	images := flags.String("images", "", "folder of pictures to learn from, beside drawn ones")
	drawings := flags.Int("drawn", 1500, "number of drawn pictures")
	draws := flags.Int("draws", 150_000, "points, and pairs of points, to learn from")
	out := flags.String("out", "", "file to write")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *out == "" {
		return errors.New("no --out: name the file to write, internal/pointindex/projections.bin in the repository")
	}
	files, err := pictures(*images, *drawings)
	if err != nil {
		return err
	}
	l, err := gather(files)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "pointcodes: pictures=%d points=%d pairs=%d\n", len(files), len(l.points), len(l.pairs))
	if len(l.pairs) < 1000 {
		return fmt.Errorf("%d pairs of points in copies, want 1000 or more: give more pictures", len(l.pairs))
	}
	table, signal := l.learn(*draws)
	for i := 0; i < len(signal); i += 10 {
		fmt.Fprintf(stdout, "projection %d: variance %.1f times the noise's\n", i, signal[i])
	}
	return os.WriteFile(*out, table, 0o644)
}
