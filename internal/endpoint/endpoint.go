// Package endpoint says where the servers are: as given, or as the moderator that runs on a data folder wrote down.
package endpoint

import (
	"moderator/internal/config"
)

// DatabaseURL is the one that was given, or that of the moderator that runs on the data folder.
func DatabaseURL(c config.Stack) (string, error) {
	if c.DatabaseURL != "" {
		return c.DatabaseURL, nil
	}
	state, err := ReadState(c.DataDir)
	return state.DatabaseURL, err
}

// NATSURL is the one that was given, or that of the moderator that runs on the data folder.
func NATSURL(c config.Stack) (string, error) {
	if c.NATSURL != "" {
		return c.NATSURL, nil
	}
	state, err := ReadState(c.DataDir)
	return state.NATSURL, err
}
