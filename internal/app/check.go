package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"moderator/internal/config"
	"moderator/internal/consumer"
	"moderator/internal/devstack"
	"moderator/internal/embed"
	"moderator/internal/endpoint"
	"moderator/internal/imaging"
	"moderator/internal/recognise"
	"moderator/internal/version"
)

// Check implements `moderator check`. It prints a line for each check, and returns an error if one failed.
func Check(ctx context.Context, c config.Run, stdout io.Writer) error {
	failed := 0
	report := func(name, good string, err error) bool {
		if err != nil {
			failed++
			fmt.Fprintf(stdout, "FAIL  %-12s %v\n", name, err)
			return false
		}
		fmt.Fprintf(stdout, "ok    %-12s %s\n", name, good)
		return true
	}
	report("version", version.String(), nil)
	_, _, err := settings(c)
	report("settings", "consistent", err)
	report("libvips", "loaded", imaging.Start())
	quiet := slog.New(slog.DiscardHandler)
	folders, err := recognise.Folders(c.Model)
	complete := report("model", "complete", err)
	if complete {
		checkRuntime(ctx, folders, c, report)
	}
	device, err := openMatchDevice(ctx, c, quiet)
	report("match device", matchDeviceName(device), err)
	checkServers(ctx, c, report)
	checkPorts(c, report)
	if complete && c.DatabaseURL != "" {
		db, err := openLibrary(ctx, c.DatabaseURL, false, recognise.ModelRecords(folders, quiet), quiet)
		if report("library", "schema and model fit", err) {
			keepOn(db, device)
			available, source := memory()
			takes, err := fits(ctx, db, recognise.ModelRecords(folders, quiet), c.Candidates, available, source)
			report("memory", takes, err)
			db.Close()
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d checks failed", failed)
	}
	return nil
}

// checkRuntime runs each model. It replaces the elements of folders by those with known dimensions.
func checkRuntime(ctx context.Context, folders []*embed.Folder, c config.Run, report func(name, good string, err error) bool) {
	for i, folder := range folders {
		model, err := recognise.OpenModel(ctx, folder, c.Model, c.BatchSize, c.DataDir, slog.New(slog.DiscardHandler))
		if err != nil {
			report("runtime", "", err)
			continue
		}
		folders[i] = model.Folder()
		r := model.Report()
		report("runtime", fmt.Sprintf("model %s, fingerprint %s, %d dimensions; ONNX Runtime %s on %s, %d sessions, batches of at most %d",
			folder.Name(), folder.Fingerprint()[:12], folders[i].Dims(), r.Version, r.On(), r.Sessions, r.MaxBatch), model.Close())
		if i == 0 && len(r.Tried) > 1 {
			for _, tried := range r.Tried {
				report("provider", tried, nil)
			}
		}
	}
}

// checkServers checks the configured servers, and the programs of the embedded ones.
func checkServers(ctx context.Context, c config.Run, report func(name, good string, err error) bool) {
	if c.DatabaseURL == "" {
		bin, err := devstack.FindPostgres()
		report("postgres", "embedded, with the programs in "+bin, err)
	}
	if c.NATSURL == "" {
		report("nats", "embedded, listening on "+c.NATSListen, nil)
		return
	}
	nc, err := endpoint.ConnectNATS(c.NATS, "moderator check", slog.New(slog.DiscardHandler))
	if err != nil {
		report("nats", "", err)
		return
	}
	defer nc.Close()
	report("nats", nc.ConnectedAddr(), consumer.CheckJetStream(ctx, nc))
}
