package consumer

import (
	"context"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go/jetstream"

	"moderator/internal/event"
)

// StreamWarnings returns what may lose or repeat uploads or decisions with the streams' own settings, where an operator created
// them.
func StreamWarnings(ctx context.Context, js jetstream.JetStream, o StreamOptions) ([]string, error) {
	var warnings []string
	warn := func(format string, args ...any) { warnings = append(warnings, fmt.Sprintf(format, args...)) }
	uploads, err := js.Stream(ctx, event.UploadsStream)
	if err != nil {
		return nil, fmt.Errorf("look up stream %s: %w", event.UploadsStream, err)
	}
	up := uploads.CachedInfo().Config
	bounded := up.MaxMsgs > 0 || up.MaxBytes > 0 || up.MaxMsgsPerSubject > 0
	if bounded && up.Discard == jetstream.DiscardOld {
		warn("the full stream %s drops its oldest uploads, undecided: `nats stream edit %s --discard=new` lets publishers see that it is full", up.Name, up.Name)
	}
	if up.MaxAge > 0 {
		warn("the stream %s drops uploads, undecided, after %v: `nats stream edit %s --max-age=0` keeps them", up.Name, up.MaxAge, up.Name)
	}
	decisions, err := js.Stream(ctx, event.DecisionsStream)
	if err != nil {
		return nil, fmt.Errorf("look up stream %s: %w", event.DecisionsStream, err)
	}
	out := decisions.CachedInfo().Config
	if want := min(o.DuplicateWindow, o.KeepDecisions); out.Duplicates < want {
		warn("the stream %s knows a decision's id for %v only: a decision that is published again later than that is stored twice: `nats stream edit %s --dupe-window=%v`",
			out.Name, out.Duplicates, out.Name, want)
	}
	durable, err := js.Consumer(ctx, event.UploadsStream, event.DurableName)
	if err != nil {
		return nil, fmt.Errorf("look up the durable %s: %w", event.DurableName, err)
	}
	cfg := durable.CachedInfo().Config
	if cfg.MaxDeliver > 0 {
		warn("the durable %s delivers an upload %d times at most: one that is undecided then stays in %s for ever: `nats consumer edit %s %s --max-deliver=-1`",
			cfg.Durable, cfg.MaxDeliver, up.Name, up.Name, cfg.Durable)
	}
	filters := cfg.FilterSubjects
	if cfg.FilterSubject != "" {
		filters = []string{cfg.FilterSubject}
	}
	if len(filters) > 0 && !slices.Contains(filters, event.UploadsSubject) {
		warn("the durable %s takes only the uploads of %v: others stay undecided", cfg.Durable, filters)
	}
	return warnings, nil
}
