package recognise

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"

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

// shipped is the model inside the binary, where a folder is to be named.
const shipped = "shipped"

// mostModels is how many models may judge at once: the one that is given up, and the one that takes its place.
const mostModels = 2

// Folder reads the model folder that c names, the first of them, or the shipped one.
func Folder(c config.Model) (*embed.Folder, error) { return readModel(firstModel(c)) }

// ModelFiles is that folder's files.
func ModelFiles(c config.Model) fs.FS {
	if name := firstModel(c); name != shipped {
		return os.DirFS(name)
	}
	return models.CopyDetect()
}

func firstModel(c config.Model) string {
	if len(c.Model) == 0 || c.Model[0] == "" {
		return shipped
	}
	return c.Model[0]
}

func readModel(name string) (*embed.Folder, error) {
	if name == shipped {
		return embed.LoadFS(models.CopyDetect())
	}
	return embed.LoadDir(name)
}

// Folders reads all model folders that c names: one, or two while the library changes its model.
func Folders(c config.Model) ([]*embed.Folder, error) {
	if len(c.Model) > mostModels {
		return nil, fmt.Errorf("model is given %d times (%s), wanted one model, or two while the library changes from one to the other",
			len(c.Model), strings.Join(c.Model, ", "))
	}
	first, err := Folder(c)
	if err != nil || len(c.Model) < mostModels {
		return []*embed.Folder{first}, err
	}
	second, err := readModel(c.Model[1])
	if err == nil && first.Fingerprint() == second.Fingerprint() {
		err = fmt.Errorf("model is given twice, and %s and %s are the same model (%s): wanted two that differ, or one of them",
			c.Model[0], c.Model[1], first.Fingerprint()[:12])
	}
	return []*embed.Folder{first, second}, err
}

// OpenModels opens the folders. An inference takes as many pictures as a batch has uploads.
func OpenModels(ctx context.Context, folders []*embed.Folder, c config.Model, batchSize int, dataDir string, log *slog.Logger) (opened []*embed.Model, err error) {
	for _, f := range folders {
		model, err := OpenModel(ctx, f, c, batchSize, dataDir, log)
		if err != nil {
			return nil, errors.Join(err, CloseModels(opened))
		}
		opened = append(opened, model)
	}
	return opened, nil
}

// CloseModels closes each and joins the errors.
func CloseModels(opened []*embed.Model) error {
	var errs []error
	for _, model := range opened {
		errs = append(errs, model.Close())
	}
	return errors.Join(errs...)
}

// OpenModel opens a session of the folder, for inferences of at most maxBatch pictures (0: embed's default), and logs what it
// runs on. What takes minutes to compile is kept in the data folder.
func OpenModel(ctx context.Context, folder *embed.Folder, c config.Model, maxBatch int, dataDir string, log *slog.Logger) (*embed.Model, error) {
	model, err := embed.Open(ctx, folder, embed.Options{
		Library: c.ONNXRuntimeLib, Provider: c.Provider, DeviceIDs: c.Devices, Sessions: c.Sessions, MaxBatch: maxBatch,
		Cache: dataDir, Logger: log,
	})
	if err != nil {
		return nil, err
	}
	report := model.Report()
	log.Info("model", "name", folder.Name(), "fingerprint", folder.Fingerprint()[:12], "dims", model.Folder().Dims(),
		"provider", report.On(), "sessions", report.Sessions, "max_batch", report.MaxBatch, "onnxruntime", report.Version,
		"tried", strings.Join(report.Tried, "; "))
	return model, nil
}

// ModelRecords is how the library knows the models. Thresholds that nobody measured are said so.
func ModelRecords(folders []*embed.Folder, log *slog.Logger) []matchdb.Model {
	all := make([]matchdb.Model, len(folders))
	for i, f := range folders {
		record, calibrated := ModelRecord(f)
		if !calibrated {
			log.Warn("the model has no calibrated thresholds: set them per bank with `flagctl bank set`",
				"model", record.Name, "block_at", record.BlockAt, "review_at", record.ReviewAt)
		}
		all[i] = record
	}
	return all
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
