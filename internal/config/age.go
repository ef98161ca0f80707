package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Age is a duration that may be given in days.
type Age time.Duration

const day = 24 * time.Hour

// UnmarshalText accepts the syntax of time.ParseDuration, and whole days such as "30d".
func (a *Age) UnmarshalText(text []byte) error {
	if days, ok := strings.CutSuffix(string(text), "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		*a = Age(time.Duration(n) * day)
		if err == nil {
			return nil
		}
	}
	d, err := time.ParseDuration(string(text))
	if err != nil || d < 0 {
		return fmt.Errorf("%q is not a duration, wanted one such as 12h or 30d", text)
	}
	*a = Age(d)
	return nil
}
