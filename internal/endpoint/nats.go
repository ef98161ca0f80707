package endpoint

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"moderator/internal/config"
)

// ConnectNATS tries to connect once. The connection then reconnects for ever; the caller closes it. Errors and log lines
// name the servers by scheme and host only, because URLs may hold passwords or tokens.
func ConnectNATS(c config.NATS, name string, log *slog.Logger) (*nats.Conn, error) {
	servers, err := withoutLogins(c.NATSURL)
	if err != nil {
		return nil, err
	}
	login, err := loginOptions(c)
	if err != nil {
		return nil, fmt.Errorf("NATS at %s: %w", servers, err)
	}
	options := []nats.Option{
		nats.Name(name), nats.MaxReconnects(-1), nats.IgnoreAuthErrorAbort(), nats.ReconnectWait(500 * time.Millisecond),
		nats.ReconnectJitter(200*time.Millisecond, time.Second),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				log.Warn("disconnected from NATS", "error", err)
			}
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) { log.Info("reconnected to NATS", "address", nc.ConnectedAddr()) }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { log.Warn("NATS", "error", err) }),
	}
	nc, err := nats.Connect(c.NATSURL, append(options, login...)...)
	if err != nil {
		return nil, fmt.Errorf("NATS at %s: %w: %s", servers, err, natsRemedy(err))
	}
	return nc, nil
}

// withoutLogins reduces the URLs to scheme and host. Its error quotes nothing, because any part of a URL that cannot be
// parsed may belong to a password.
func withoutLogins(urls string) (string, error) {
	var servers []string
	for text := range strings.SplitSeq(urls, ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		if !strings.Contains(text, "://") {
			text = "nats://" + text
		}
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || strings.Contains(u.Path+u.RawQuery+u.Fragment, "@") {
			return "", errors.New("--nats-url cannot be read, wanted nats://user:password@host:4222: " +
				"percent-encode the characters : / @ ? # % and , of a password")
		}
		servers = append(servers, u.Scheme+"://"+u.Host)
	}
	return strings.Join(servers, ","), nil
}

// natsRemedy says how to fix a connection that failed.
func natsRemedy(err error) string {
	var certificate *tls.CertificateVerificationError
	text := strings.ToLower(err.Error()) // the server sends its refusal as text
	switch {
	case strings.Contains(text, "authorization violation"), strings.Contains(text, "authentication"):
		return "the server refused the login: correct the user and password, or the token, in --nats-url, or the file of --nats-creds, " +
			"--nats-nkey or --nats-password-file"
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return "correct the path in --nats-creds, --nats-ca, --nats-cert or --nats-key"
	case strings.Contains(text, "certificate required"), strings.Contains(text, "bad certificate"),
		strings.Contains(text, "closed by remote after tls handshake"): // its reason may not have arrived
		return "the server wants a client certificate: give one that its authority signed as --nats-cert and --nats-key"
	case errors.As(err, &certificate):
		return "give its authority as --nats-ca, or name the server in --nats-url as its certificate does"
	}
	return "start a server there with JetStream, or correct --nats-url"
}
