package run

// Batch is how many instances one command may name.
const Batch = 50

// SnapshotID is the baseline snapshot that all scans and installs of one wave share, so that rules are evaluated as of
// one moment and a patch state can be told to be ours.
func SnapshotID(waveID string) string { return Attempt(waveID, "", "baseline-snapshot", 0).Token }
