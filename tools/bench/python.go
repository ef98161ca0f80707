package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

var rivalScript = filepath.Join("bench", "rival-python", "rival.py")

// python measures the script in Python: torch and Pillow, one image at a time.
func (b *bench) python(ctx context.Context) error {
	interpreter := findTorch(ctx)
	if interpreter == "" {
		b.report.add("rival_python", field{"skipped", "wanted a Python with torch, Pillow and a fast BLAS: apt-get install python3-torch python3-pil libopenblas0"})
		return nil
	}
	args := []string{rivalScript, fmt.Sprint(b.Time.Seconds())}
	for _, p := range b.pictures {
		dir := filepath.Join(b.dir, p.name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		for i, file := range p.files {
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.jpg", i)), file, 0o644); err != nil {
				return err
			}
		}
		args = append(args, dir)
	}
	cmd := exec.CommandContext(ctx, interpreter, args...)
	cmd.Stderr = os.Stderr
	said, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		if err := b.againstPython(lines.Bytes()); err != nil {
			return err
		}
	}
	return cmd.Wait()
}

// againstPython reports one line of the script.
func (b *bench) againstPython(line []byte) error {
	var said struct {
		Size       string
		Images     float64
		Seconds    float64
		CPUSeconds float64 `json:"cpu_seconds"`
	}
	if err := json.Unmarshal(line, &said); err != nil {
		return fmt.Errorf("the rival in Python printed %q: %w", line, err)
	}
	theirs := figure{said.Images / said.Seconds, said.Images / said.CPUSeconds}
	fields := []field{{"size", said.Size}, {"images_per_s", theirs.perSecond}, {"images_per_cpu_s", theirs.perCPU}}
	for model, bound := range map[string]float64{vitFull: 1.5, vitQuantised: 3} {
		ours, measured := b.figures[cell{model, said.Size}]
		if !measured {
			continue
		}
		ratio := ours.perCPU / theirs.perCPU
		fields = append(fields, field{"ours_over_theirs_per_cpu_" + model, ratio})
		b.report.atLeast("ours / Python per CPU-second "+model+" "+said.Size, ratio, bound)
	}
	b.report.add("rival_python", fields...)
	return nil
}

// findTorch returns a Python with the script's packages: the first in PATH, or the distribution's.
func findTorch(ctx context.Context) string {
	for _, candidate := range []string{"python3", "/usr/bin/python3"} {
		if exec.CommandContext(ctx, candidate, rivalScript, "check").Run() == nil {
			return candidate
		}
	}
	return ""
}
