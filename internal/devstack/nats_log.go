package devstack

import (
	"fmt"
	"log/slog"
	"regexp"
	"sync"
)

// natsLogger hands the server's log to slog. Its notices are debug lines: the start alone writes twenty.
type natsLogger struct {
	log    *slog.Logger
	fatal  chan string // the first fatal message
	dir    string
	broken func(error) // NATSOptions.Broken
	once   sync.Once   // of broken
}

// storesNoMore are the lines that the server writes when it gives up a stream's store, or all of them, until its next start.
// It has no other way to tell.
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

// look tells the owner of a server that stores nothing any more.
func (l *natsLogger) look(text string) {
	if l.broken == nil || !storesNoMore.MatchString(text) {
		return
	}
	l.once.Do(func() {
		l.broken(fmt.Errorf("it can store nothing more in %s: %s: make room on that disk, or let it be written, and start again; what was stored is kept", l.dir, text))
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
