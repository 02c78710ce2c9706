package world

import "time"

// snapshotHonoured is about how long Patch Manager keeps what a SnapshotId stands for.
const snapshotHonoured = 3 * 24 * time.Hour

// baselineSnapshot is a baseline as it was when a SnapshotId was first used. On Linux it holds the rules, and each
// machine still finds in its own repositories what they approve; on Windows it holds the updates approved by then.
type baselineSnapshot struct {
	baseline *Baseline
	taken    time.Time
}

// atSnapshot is the baseline as the SnapshotId has it, and when that was.
func (r *Region) atSnapshot(id string, now *Baseline) (*Baseline, time.Time) {
	key := id + "\x00" + now.ID
	known, ok := r.patching.snapshots[key]
	if !ok || r.World.now.Sub(known.taken) >= snapshotHonoured {
		known = baselineSnapshot{now, r.World.now}
		r.patching.snapshots[key] = known
	}
	return known.baseline, known.taken
}
