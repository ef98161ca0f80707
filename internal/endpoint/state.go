package endpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// State is where a running moderator's servers listen. It is kept in the data folder, so that flagctl finds them.
type State struct {
	PID         int    `json:"pid"`
	NATSURL     string `json:"nats_url"`
	DatabaseURL string `json:"database_url"`
	HTTPURL     string `json:"http_url"`
	ConsoleURL  string `json:"console_url,omitempty"` // with its token
}

// StatePath is the file that says where the moderator of a data folder listens.
func StatePath(dataDir string) string { return filepath.Join(dataDir, "moderator.json") }

// WriteState says where this moderator's servers listen.
func WriteState(dataDir string, s State) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	// Database URLs may hold a password, and the console's has its token.
	return os.WriteFile(StatePath(dataDir), append(data, '\n'), 0o600)
}

// RemoveState ends what WriteState began.
func RemoveState(dataDir string) error { return os.Remove(StatePath(dataDir)) }

// ReadState returns the state of the moderator that runs on the data folder.
func ReadState(dataDir string) (State, error) {
	var s State
	data, err := os.ReadFile(StatePath(dataDir))
	if errors.Is(err, fs.ErrNotExist) {
		return s, fmt.Errorf("no moderator runs on %s: start `moderator`, or give --database-url (and --nats-url), or its --data-dir", dataDir)
	}
	if err != nil {
		return s, fmt.Errorf("look for a running moderator: %w", err)
	}
	if err := json.Unmarshal(data, &s); err != nil {
		return s, fmt.Errorf("%s is damaged: %w: start `moderator` again", StatePath(dataDir), err)
	}
	if err := syscall.Kill(s.PID, 0); errors.Is(err, syscall.ESRCH) {
		return s, fmt.Errorf("the moderator of %s (process %d) is gone: start `moderator` again", dataDir, s.PID)
	}
	return s, nil
}
