package event

import "fmt"

// Unjudgeable is the error of an upload that no further delivery will help: it is decided review with Reason.
type Unjudgeable struct {
	Reason Reason
	Err    error
}

func (e *Unjudgeable) Error() string { return fmt.Sprintf("%s: %v", e.Reason, e.Err) }

func (e *Unjudgeable) Unwrap() error { return e.Err }

// NoRoom is the error of a fetch that may not hold so many bytes at the moment.
type NoRoom struct{ Bytes int64 }

func (e *NoRoom) Error() string { return fmt.Sprintf("no room for %d bytes", e.Bytes) }
