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

// NATSURL returns the configured URL, or that of the moderator that runs on the data folder.
func NATSURL(c config.Stack) (string, error) {
	if c.NATSURL != "" {
		return c.NATSURL, nil
	}
	state, err := ReadState(c.DataDir)
	return state.NATSURL, err
}
