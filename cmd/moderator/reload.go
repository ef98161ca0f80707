package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/alecthomas/kong"

	"moderator/internal/app"
	"moderator/internal/config"
)

// reread reads the settings of `moderator run` again.
type reread struct {
	args []string
	file string     // the configuration file; without one nothing can change
	node *kong.Node // of the command that runs, with the settings that it started with
}

// follow reads the settings at each SIGHUP until stop is called. What may change at once does. Without a file, SIGHUP ends the
// process, as it does when a terminal is closed.
func (r *reread) follow(ctx context.Context, level *slog.LevelVar, hosts chan<- []string, log *slog.Logger) (stop func()) {
	if r.file == "" {
		return func() {}
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	end := app.Follow(ctx, signals, func(ctx context.Context, _ os.Signal) { r.apply(ctx, level, hosts, log) })
	return func() { signal.Stop(signals); end() }
}

func (r *reread) apply(ctx context.Context, level *slog.LevelVar, hosts chan<- []string, log *slog.Logger) {
	g := &grammar{}
	parser, err := newParser(g, io.Discard, io.Discard)
	if err != nil {
		log.Error("the settings stay as they were", "error", err)
		return
	}
	command, err := parser.Parse(r.args)
	if err != nil {
		log.Error("the settings stay as they were", "error", err)
		return
	}
	_ = level.UnmarshalText([]byte(g.Run.Settings.LogLevel)) // the parser has checked it
	select {
	case hosts <- g.Run.Settings.FetchHosts:
	case <-ctx.Done():
		return
	}
	log.Info("the settings are read again", "file", r.file, "log_level", g.Run.Settings.LogLevel, "fetch_hosts", g.Run.Settings.FetchHosts)
	others := slices.DeleteFunc(config.Changed(r.node, command.Selected()), func(name string) bool { return name == "log-level" || name == "fetch-host" })
	if len(others) > 0 {
		log.Warn("settings differ from those that are in use, and take a restart", "settings", others)
	}
}
