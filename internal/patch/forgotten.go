package patch

// Forgotten is what a run of an instance's own saga left, of which Temporal knows nothing any more, as after a reset or
// with an older copy of its database; its record tells, and it has been healed.
type Forgotten struct {
	Healed     Outcome // what healing came to; NotStarted: nothing had to be put back that was installed
	Installing bool    // an install may have begun
	Kept       bool    // a backup had been made
}

// Resumption is how far the saga may go that begins anew.
type Resumption int

// Resumptions.
const (
	Ends     Resumption = iota // what healing came to is its end
	ToScan                     // if nothing is due it was patched; else what it would do was done, and undone, before
	Onwards                    // to its end
	AskRetry                   // not at all; only the verb `retry` makes tokens of its own
)

// Resumes says how far. Calls find what was done before by the same tokens: right for what was done and stands, wrong
// for an install that has been put back since, and for a backup that was made then.
func (f Forgotten) Resumes(level Level) Resumption {
	switch {
	case f.Healed != NotStarted:
		return Ends
	case level == LevelPutBack: // of the backup that it is given
		return Onwards
	case f.Installing:
		return ToScan
	case f.Kept:
		return AskRetry
	}
	return Onwards
}
