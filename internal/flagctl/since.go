package flagctl

import (
	"fmt"
	"time"

	"moderator/internal/config"
)

// since is a moment: how long ago, or a date.
type since struct{ time.Time }

// UnmarshalText reads "90m", "30d", "2026-03-01" or "2026-03-01T10:00:00Z"; a date is the local one.
func (s *since) UnmarshalText(text []byte) error {
	var ago config.Age
	if err := ago.UnmarshalText(text); err == nil {
		s.Time = time.Now().Add(-time.Duration(ago))
		return nil
	}
	for _, layout := range []string{time.DateOnly, time.DateTime, time.RFC3339} {
		if at, err := time.ParseInLocation(layout, string(text), time.Local); err == nil {
			s.Time = at
			return nil
		}
	}
	return fmt.Errorf("%q is no moment: want how long ago, such as 12h or 30d, or a date such as 2026-03-01", text)
}
