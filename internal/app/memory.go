package app

import (
	"context"
	"fmt"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"moderator/internal/matchdb"
)

// ownMemory is what moderator takes without a library and without uploads, in bytes, idle decode workers included.
const ownMemory = 256 << 20

// memory is the bytes that this process may take, and whose limit that is. 0 is no known limit.
func memory() (available int64, source string) {
	machine, err := memlimit.FromSystem()
	if err == nil {
		available, source = int64(machine), "the machine's memory"
	}
	container, err := memlimit.FromCgroup()
	if err == nil && (available == 0 || int64(container) < available) {
		available, source = int64(container), "the container's limit"
	}
	return available, source
}

// fits says in words what the candidate indexes of the library take, or returns an error, for people, if that exceeds the memory that
// is available. candidates is the setting.
func fits(ctx context.Context, db *matchdb.DB, models []matchdb.Model, candidates int, available int64, source string) (takes string, err error) {
	fingerprints := make([]string, len(models))
	for i, m := range models {
		fingerprints[i] = m.Fingerprint
	}
	f, err := db.Footprint(ctx, fingerprints, candidates > 0)
	if err != nil {
		return "", err
	}
	const mb = 1 << 20
	takes = fmt.Sprintf("%d embeddings, %d PDQ hashes and the keypoints of %d flags take about %d MB, and moderator itself %d MB",
		f.Embeddings, f.Hashes, f.Keypoints, f.Bytes/mb, ownMemory/mb)
	if available > 0 {
		takes += fmt.Sprintf(", of %d MB (%s)", available/mb, source)
	}
	if f.Device > 0 {
		takes += fmt.Sprintf("; the embeddings take %d MB of the match device's memory", f.Device/mb)
	}
	if available == 0 || f.Bytes+ownMemory <= available {
		return fmt.Sprintf("%s; reading takes about %v", takes, f.Reading.Round(time.Second)), nil
	}
	remedy := "give it more memory, or retract flags"
	if f.Keypoints > 0 {
		remedy += ", or leave the keypoints out with --candidates 0"
	}
	return "", fmt.Errorf("the library does not fit into memory: %s: %s", takes, remedy)
}
