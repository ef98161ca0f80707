package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"

	"moderator/internal/embed"
	"moderator/models"
)

const (
	opened     = 20
	mostGrowth = 4 << 20 // bytes that one opening may leave; caches of drivers and of the C library settle below it
)

// churn opens and closes the shipped model, and compares the memory of the process after the first quarter and after all.
func (c *checker) churn(ctx context.Context) error {
	folder, err := embed.LoadFS(models.CopyDetect())
	if err != nil {
		return err
	}
	var settled, last int64
	for i := range opened {
		model, err := embed.Open(ctx, folder, embed.Options{Provider: c.Provider, MaxBatch: 1})
		if err != nil {
			return fmt.Errorf("opening the model for the %dth time: %w", i+1, err)
		}
		if err := model.Close(); err != nil {
			return err
		}
		runtime.GC()
		if last, err = resident(); err != nil {
			return err
		}
		if i+1 == opened/4 {
			settled = last
		}
	}
	const mib = 1 << 20
	fmt.Fprintf(c.stdout, "gpu-check: opened and closed %d times: %d MiB after %d, %d MiB after all\n", opened, settled/mib, opened/4, last/mib)
	if growth := (last - settled) / (opened - opened/4); growth > mostGrowth {
		return fmt.Errorf("each opening leaves %d KiB in memory, wanted at most %d", growth>>10, mostGrowth>>10)
	}
	return nil
}

// resident is the physical memory of this process, in bytes.
func resident() (int64, error) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	var pages, all int64
	_, err = fmt.Fscan(strings.NewReader(string(text)), &all, &pages)
	return pages * int64(os.Getpagesize()), err
}
