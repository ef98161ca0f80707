package app

import (
	"context"
	"fmt"
	"log/slog"

	"moderator/internal/config"
	"moderator/internal/deviceset"
	"moderator/internal/embed"
	"moderator/internal/matchdb"
)

// matchDeviceOff is the setting with which embeddings are searched in this machine's memory.
const matchDeviceOff = "off"

// openMatchDevice opens the device of --match-device. It returns nil where embeddings are searched in memory: with off, and with auto
// where no GPU works.
func openMatchDevice(ctx context.Context, c config.Run, log *slog.Logger) (*deviceset.Device, error) {
	if c.MatchDevice == matchDeviceOff {
		return nil, nil
	}
	device, err := deviceset.Open(ctx, embed.Options{Library: c.ONNXRuntimeLib, Provider: c.MatchDevice, DeviceIDs: c.Devices, Logger: log})
	switch {
	case err == nil:
		log.Info("embeddings are searched on a device", "match_device", device.String())
		return device, nil
	case c.MatchDevice == "auto" && ctx.Err() == nil:
		log.Warn("--match-device auto finds no GPU, so that embeddings are searched in memory", "error", err)
		return nil, nil
	}
	return nil, fmt.Errorf("--match-device %s: %w: choose another, or off", c.MatchDevice, err)
}

// matchDeviceName is the provider and the device's name, or off.
func matchDeviceName(device *deviceset.Device) string {
	if device == nil {
		return matchDeviceOff
	}
	return device.String()
}

// keepOn has db keep embeddings on the device, unless it is nil. Call it before the first search.
func keepOn(db *matchdb.DB, device *deviceset.Device) {
	if device == nil {
		return
	}
	db.Vectors = matchdb.Vectors{
		New:   func(mean []float32) (matchdb.VectorSet, error) { return device.NewSet(len(mean)) },
		Bytes: device.Bytes,
	}
}
