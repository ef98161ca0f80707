package consumer

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"moderator/internal/event"
)

// Config holds the consumer's limits and times. Every field but Devices and LogDecisions must be set.
type Config struct {
	BatchSize      int             // most uploads in one batch
	BatchAge       time.Duration   // how long the first upload of a batch waits for those being prepared
	Devices        int             // accelerators; each embeds two batches at once; 0 means one, or the CPU
	Workers        int             // uploads fetched and decoded concurrently
	MaxUploadBytes int64           // a larger upload is decided review/too_large
	MaxHeldBytes   int64           // upload bytes held in memory; above it, pulling waits
	Attempts       int             // deliveries of one upload before it is decided review/retries_exhausted
	Backoff        time.Duration   // delay before the second delivery; doubles for each further one, up to a minute
	AckWait        time.Duration   // the durable's: the server redelivers an upload after this time without progress
	Budget         time.Duration   // time limit for one call that embeds, matches or publishes a batch
	DrainTime      time.Duration   // how long a shutdown waits for the uploads that were pulled
	LogDecisions   bool            // log each decision at info level, else at debug level
	Model          event.ModelInfo // the decision's model, unless another model's vectors matched
}

// Validate returns all invalid settings, joined into one error.
func (c Config) Validate() error {
	var errs []error
	positive := func(name string, ok bool, got any) {
		if !ok {
			errs = append(errs, fmt.Errorf("%s is %v, wanted more than zero", name, got))
		}
	}
	positive("batch-size", c.BatchSize > 0, c.BatchSize)
	positive("batch-age", c.BatchAge > 0, c.BatchAge)
	positive("decode-workers", c.Workers > 0, c.Workers)
	positive("max-upload-bytes", c.MaxUploadBytes > 0, c.MaxUploadBytes)
	positive("attempts", c.Attempts > 0, c.Attempts)
	positive("retry-backoff", c.Backoff > 0, c.Backoff)
	positive("batch-budget", c.Budget > 0, c.Budget)
	positive("drain-time", c.DrainTime > 0, c.DrainTime)
	if c.MaxHeldBytes < c.MaxUploadBytes {
		errs = append(errs, fmt.Errorf("max-held-bytes is %d, wanted at least max-upload-bytes (%d): one upload must fit", c.MaxHeldBytes, c.MaxUploadBytes))
	}
	if c.AckWait <= c.BatchAge+c.Budget {
		errs = append(errs, fmt.Errorf("ack-wait is %v, wanted more than batch-age plus batch-budget (%v): uploads would be redelivered while they are judged", c.AckWait, c.BatchAge+c.Budget))
	}
	return errors.Join(errs...)
}

func (c Config) decisionLevel() slog.Level {
	if c.LogDecisions {
		return slog.LevelInfo
	}
	return slog.LevelDebug
}

// backoff is the delay after the n-th delivery, with n from 1.
func (c Config) backoff(n int) time.Duration {
	const longest = time.Minute
	wait := c.Backoff
	for ; n > 1 && wait < longest; n-- {
		wait *= 2
	}
	return min(wait, longest)
}

// probeWait is the delay before the n-th probe of an outage, with n from 1.
func (c Config) probeWait(n int) time.Duration { return min(c.backoff(n), longestProbe) }

// probeTime bounds one probe. A stage that used up its budget and the probe after it must end within the ack wait, because
// messages that the client library buffers are not kept alive meanwhile.
func (c Config) probeTime() time.Duration { return min(c.Budget, (c.AckWait-c.BatchAge-c.Budget)/2) }
