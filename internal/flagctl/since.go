package flagctl

import (
	"fmt"
	"time"

	"moderator/internal/config"
)

// since is a point in time, given as an age or a date.
type since struct{ time.Time }

// UnmarshalText reads "90m", "30d", "2026-03-01" or "2026-03-01T10:00:00Z"; a date is in local time.
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
	return fmt.Errorf("%q is neither an age nor a date: want 12h, 30d or 2026-03-01", text)
}
