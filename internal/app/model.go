package app

import (
	"context"
	"log/slog"

	"moderator/internal/config"
	"moderator/internal/embed"
	"moderator/internal/imaging"
	"moderator/internal/matchdb"
	"moderator/models"
)

// Thresholds of a model that brings none: a cosine at which only very close copies are alike for most encoders. They
// are a start and no calibration.
const (
	uncalibratedBlockAt  = 0.97
	uncalibratedReviewAt = 0.93
)

// Folder reads the model folder that c names, or the shipped one.
func Folder(c config.Model) (*embed.Folder, error) {
	if c.Model == "" {
		return embed.LoadFS(models.CopyDetect())
	}
	return embed.LoadDir(c.Model)
}

// OpenModel opens a session of the folder and logs what it runs on.
func OpenModel(ctx context.Context, folder *embed.Folder, c config.Model, log *slog.Logger) (*embed.Model, error) {
	model, err := embed.Open(ctx, folder, embed.Options{
		Library: c.ONNXRuntimeLib, Provider: c.Provider, DeviceIDs: c.Devices, Sessions: c.Sessions, Logger: log,
	})
	if err != nil {
		return nil, err
	}
	report := model.Report()
	log.Info("model", "name", folder.Name(), "fingerprint", folder.Fingerprint()[:12], "dims", folder.Dims(),
		"provider", report.Provider, "sessions", report.Sessions, "onnxruntime", report.Version)
	for _, line := range report.Tried {
		log.Debug("provider", "tried", line)
	}
	return model, nil
}

// ModelRecord is how the library knows the model.
func ModelRecord(f *embed.Folder) (record matchdb.Model, calibrated bool) {
	record = matchdb.Model{Name: f.Name(), Fingerprint: f.Fingerprint(), Dims: f.Dims()}
	record.BlockAt, record.ReviewAt, calibrated = f.Thresholds()
	if !calibrated {
		record.BlockAt, record.ReviewAt = uncalibratedBlockAt, uncalibratedReviewAt
	}
	return record, calibrated
}

// ImageLimits are the decoder's limits as they are configured.
func ImageLimits(c config.Limits) imaging.Limits {
	return imaging.Limits{MaxBytes: c.MaxUploadBytes, MaxPixels: c.MaxPixels, MaxFrames: c.MaxFrames}
}
