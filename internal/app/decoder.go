package app

import (
	"log/slog"

	"moderator/internal/config"
	"moderator/internal/embed"
	"moderator/internal/imaging"
	"moderator/internal/recognise"
	"moderator/internal/sandbox"

	"github.com/prometheus/client_golang/prometheus"
)

// startDecoder starts the decode workers and logs what confines them.
func startDecoder(folders []*embed.Folder, c config.Run, reg prometheus.Registerer, log *slog.Logger) (recognise.Decoder, error) {
	options, err := recognise.WorkerOptions(c.Sandbox, log)
	if err != nil {
		return recognise.Decoder{}, err
	}
	var targets []imaging.Target
	for _, f := range folders {
		targets = append(targets, f.Target())
	}
	options.Request = imaging.Request{Targets: targets, Views: recognise.QueryViews(), Gray: true, Limits: recognise.ImageLimits(c.Limits)}
	options.Metrics = reg
	pool, err := sandbox.Start(options)
	if err != nil {
		return recognise.Decoder{}, err
	}
	inForce, missing := pool.Confinement()
	log.Info("decode workers", "workers", options.Workers, "confined_by", inForce)
	if len(missing) > 0 {
		log.Warn("this kernel cannot confine the decode workers fully", "missing", missing)
	}
	return recognise.Decoder{Pool: pool}, nil
}
