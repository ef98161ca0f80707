// Package endpoint finds the URLs of NATS and Postgres: from the settings, or from the state file that a running moderator
// keeps in its data folder.
package endpoint

import (
	"moderator/internal/config"
)

// DatabaseURL returns the configured URL, or that of the moderator that runs on the data folder.
func DatabaseURL(c config.Stack) (string, error) {
	if c.DatabaseURL != "" {
		return c.DatabaseURL, nil
	}
	state, err := ReadState(c.DataDir)
	return state.DatabaseURL, err
}

// NATS returns the configured servers and login, or the server of the moderator that runs on the data folder.
func NATS(c config.Stack) (config.NATS, error) {
	if c.NATSURL != "" {
		return c.NATS, nil
	}
	state, err := ReadState(c.DataDir)
	return config.NATS{NATSURL: state.NATSURL}, err
}
