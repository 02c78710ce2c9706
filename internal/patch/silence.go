package patch

// Silence is what nobody's answer to a hold leads to, and why: what the stage says, but nobody's silence rolls back
// what an earlier window patched. Its backups are of then: days of writes would be lost.
func (s Stage) Silence(goneOn bool) (Verb, string) {
	why := "nobody answered within " + s.OnFailure.Timeout.String()
	if goneOn && s.OnFailure.Then == RollBack {
		return Abort, why + ", and what an earlier window patched is put back by a person only"
	}
	return s.OnFailure.Then, why
}
