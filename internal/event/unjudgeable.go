package event

import "fmt"

// Unjudgeable is the error of an upload that no redelivery will help. The upload is decided review with Reason.
type Unjudgeable struct {
	Reason Reason
	Err    error
}

func (e *Unjudgeable) Error() string { return fmt.Sprintf("%s: %v", e.Reason, e.Err) }

func (e *Unjudgeable) Unwrap() error { return e.Err }

// NotAdmitted is the error of a fetch that could not reserve Bytes bytes of memory. It can be repeated once they are free.
type NotAdmitted struct{ Bytes int64 }

func (e *NotAdmitted) Error() string {
	return fmt.Sprintf("not admitted: %d bytes of memory are not free", e.Bytes)
}
