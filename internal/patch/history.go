package patch

// Events of a wave's history, of which Temporal ends one at 51,200. A wave never continues as new, since its groups are
// its children. What a group costs is counted, not measured on a server with a thousand of them.
const (
	mostEvents      = 50_000
	eventsOfLock    = 13    // what a group's lock costs, taken and freed
	eventsOfTurn    = 23    // what a group costs besides that is patched
	eventsOfReport  = 4     // what a report of a group's counts costs
	leastForReports = 4_000 // what is kept for reports before a wave goes on
)

// HistoryLeft is how many events are left for reports of counts of a history that has spent so many, in which so many
// locks are taken and so many groups are patched.
func HistoryLeft(spent, locks, turns int) int {
	return mostEvents - spent - eventsOfLock*locks - eventsOfTurn*turns
}

// HistoryHolds reports whether a wave of so many instances may go on with what is left.
func HistoryHolds(left, instances int) bool {
	return left >= min(leastForReports, 2*eventsOfReport*instances)
}

// ReportsEvery is after how many instances the groups of a wave report their counts, where so many events are left:
// each, if these hold it twice, for what was patched may be tried again, or be put back. A group whose wave follows
// each instance tells its count with what that does.
func ReportsEvery(left, instances int) int {
	most := max(left/2/eventsOfReport, 1)
	return max(1, (instances+most-1)/most)
}
