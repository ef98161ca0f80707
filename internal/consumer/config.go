package consumer

import (
	"errors"
	"fmt"
	"time"

	"moderator/internal/event"
)

// Config is how the consumer works. Every field but Devices must be set; Validate says which is not.
type Config struct {
	BatchSize      int             // uploads embedded together at most
	BatchAge       time.Duration   // how long the first upload of a batch waits for those that are coming
	Devices        int             // accelerators that embed, two batches at once each; 0: one, or the CPU
	Workers        int             // uploads fetched and decoded at once
	MaxUploadBytes int64           // a larger upload is decided review/too_large
	MaxHeldBytes   int64           // bytes of uploads held in memory at once; pulling waits beyond
	Attempts       int             // deliveries of one upload before it is decided review/retries_exhausted
	Backoff        time.Duration   // before the second delivery; doubled for each further one, up to a minute
	AckWait        time.Duration   // the durable's: an upload that is not heard of for so long is delivered again
	Budget         time.Duration   // the longest that one batch may take to embed, to match, or to publish once
	DrainTime      time.Duration   // how long a shutdown waits for the uploads that were pulled
	Model          event.ModelInfo // named by decisions where no other one's vectors count
}

// Validate reports every setting that cannot work.
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
		errs = append(errs, fmt.Errorf("ack-wait is %v, wanted more than batch-age plus batch-budget (%v): uploads would be delivered again while they are judged", c.AckWait, c.BatchAge+c.Budget))
	}
	return errors.Join(errs...)
}

// backoff is the wait before the delivery after the n-th (n counts from 1).
func (c Config) backoff(n int) time.Duration {
	const longest = time.Minute
	wait := c.Backoff
	for ; n > 1 && wait < longest; n-- {
		wait *= 2
	}
	return min(wait, longest)
}

// probeWait is the wait before the n-th probe of a dependency that is away.
func (c Config) probeWait(n int) time.Duration { return min(c.backoff(n), longestProbe) }

// probeTime bounds one probe. A stage that ran out of its budget and the probe after it must end before the ack wait of what
// the client library holds does.
func (c Config) probeTime() time.Duration { return min(c.Budget, (c.AckWait-c.BatchAge-c.Budget)/2) }
