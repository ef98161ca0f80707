package endpoint

import (
	"fmt"
	"os"
	"strings"

	"github.com/nats-io/nats.go"

	"moderator/internal/config"
)

// loginOptions returns the options of the login and of TLS. Files are read again at each connection where the client library
// allows it, so that they can be rotated.
func loginOptions(c config.NATS) ([]nats.Option, error) {
	var options []nats.Option
	if c.NATSCreds != "" {
		options = append(options, nats.UserCredentials(c.NATSCreds))
	}
	if c.NATSNkey != "" {
		nkey, err := nats.NkeyOptionFromSeed(c.NATSNkey)
		if err != nil {
			return nil, fmt.Errorf("the seed of an nkey in %s: %w: correct --nats-nkey", c.NATSNkey, err)
		}
		options = append(options, nkey)
	}
	switch {
	case c.NATSPasswordFile != "":
		if _, err := password(c.NATSPasswordFile); err != nil {
			return nil, fmt.Errorf("the password of NATS: %w: correct --nats-password-file", err)
		}
		options = append(options, nats.UserInfoHandler(func() (string, string) {
			secret, _ := password(c.NATSPasswordFile) // empty if the file is gone: the server refuses it, and the connection is tried again
			return c.NATSUser, secret
		}))
	case c.NATSUser != "":
		options = append(options, nats.UserInfo(c.NATSUser, c.NATSPassword))
	}
	if c.NATSToken != "" {
		options = append(options, nats.Token(c.NATSToken))
	}
	if c.NATSCA != "" {
		options = append(options, nats.RootCAs(c.NATSCA))
	}
	if c.NATSCert != "" {
		options = append(options, nats.ClientCert(c.NATSCert, c.NATSKey))
	}
	if c.NATSTLSFirst {
		options = append(options, nats.TLSHandshakeFirst())
	}
	return options, nil
}

// password reads a file without the line's end.
func password(file string) (string, error) {
	data, err := os.ReadFile(file)
	return strings.TrimRight(string(data), "\r\n"), err
}
