package devstack

import (
	"fmt"
	"log/slog"
	"regexp"
	"sync"
)

// natsLogger writes the server's log to slog. Notices become debug lines: the start writes twenty of them.
type natsLogger struct {
	log    *slog.Logger
	fatal  chan string // the first fatal message
	dir    string
	broken func(error) // NATSOptions.Broken
	once   sync.Once   // for broken
}

// storesNoMore are the log lines by which the server gives up the store of one stream, or of all, until its next start. The
// server reports it in no other way.
var storesNoMore = regexp.MustCompile(`(?i)critical write error: |disabling JetStream|JetStream .*will be DISABLED`)

func (l *natsLogger) Noticef(format string, v ...any) {
	l.log.Debug("nats: " + fmt.Sprintf(format, v...))
}

func (l *natsLogger) Debugf(format string, v ...any) {
	l.log.Debug("nats: " + fmt.Sprintf(format, v...))
}

func (l *natsLogger) Tracef(format string, v ...any) {
	l.log.Debug("nats: " + fmt.Sprintf(format, v...))
}

func (l *natsLogger) Warnf(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	l.log.Warn("nats: " + text)
	l.look(text)
}

func (l *natsLogger) Errorf(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	l.log.Error("nats: " + text)
	l.look(text)
}

// look calls broken if the line says that the server stops storing.
func (l *natsLogger) look(text string) {
	if l.broken == nil || !storesNoMore.MatchString(text) {
		return
	}
	l.once.Do(func() {
		l.broken(fmt.Errorf("it cannot store any more in %s: %s: make room on that disk, or make it writable, and start again; nothing stored is lost", l.dir, text))
	})
}

func (l *natsLogger) Fatalf(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	l.log.Debug("nats: " + text) // StartNATS returns it
	select {
	case l.fatal <- text:
	default:
	}
}
