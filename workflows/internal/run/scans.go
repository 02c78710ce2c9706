package run

import "time"

// Batch is how many instances one command may name.
const Batch = 50

// snapshotKept is for how long one baseline snapshot is used. AWS may forget one after three days and then makes
// another under the same id, by other rules and without a word (the guide on AWS-RunPatchBaseline); an instance takes
// hours.
const snapshotKept = 48 * time.Hour

// SnapshotID is the baseline snapshot that the scans and installs of one wave share, so that rules are evaluated as of
// one moment and a patch state can be told to be ours. A wave that has run for days, or was parked over them, goes on
// with another.
func SnapshotID(waveID string, age time.Duration) string { return SnapshotWithout(waveID, age, "") }

// SnapshotWithout is the snapshot where so much is blocked (see patch.Blocks.Digest): one that was taken before does
// not reject it.
func SnapshotWithout(waveID string, age time.Duration, blocked string) string {
	return Attempt(waveID, blocked, "baseline-snapshot", int(age/snapshotKept)).Token
}
