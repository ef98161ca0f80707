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

// State holds the URLs of a running moderator. The data folder has it as a file, so that flagctl finds the servers.
type State struct {
	PID         int    `json:"pid"`
	NATSURL     string `json:"nats_url"`
	DatabaseURL string `json:"database_url"`
	HTTPURL     string `json:"http_url"`
	ConsoleURL  string `json:"console_url,omitempty"` // with its token
	HMAURL      string `json:"hma_url,omitempty"`
}

// StatePath returns the path of the state file in a data folder.
func StatePath(dataDir string) string { return filepath.Join(dataDir, "moderator.json") }

// WriteState writes the state file, readable by its owner only.
func WriteState(dataDir string, s State) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	// Database URLs may hold a password, and the console's has its token.
	return os.WriteFile(StatePath(dataDir), append(data, '\n'), 0o600)
}

// RemoveState deletes the state file.
func RemoveState(dataDir string) error { return os.Remove(StatePath(dataDir)) }

// ReadState returns the state of the moderator that runs on the data folder. It returns an error if no such process runs.
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
		return s, fmt.Errorf("the moderator of %s (process %d) no longer runs: start `moderator` again", dataDir, s.PID)
	}
	return s, nil
}
