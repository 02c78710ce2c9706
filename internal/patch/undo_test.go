package patch_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

// A person's word is heeded of what fails, and of what does not end, known or not; an undo that only takes its time is
// not cut.
func TestMayGiveUp(t *testing.T) {
	for _, c := range []struct {
		name          string
		failed, waits bool
		tried         time.Duration
		want          bool
	}{
		{"under way", false, false, time.Minute, false},
		{"it failed", true, false, time.Minute, true},
		{"it waits, as waits do", true, true, time.Minute, false},
		{"it waits without end", true, true, patch.UndoFailsAfter, true},
		{"it does not end, and nobody knows why", false, false, patch.UndoFailsAfter, true},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, patch.MayGiveUp(c.failed, c.waits, c.tried)) })
	}
}

// What is not known of an undo is said so: it has never been an attempt of number 0, nor failed for no reason.
func TestAFailingUndoSaysWhatIsNotKnown(t *testing.T) {
	since := time.Date(2026, 11, 22, 2, 5, 0, 0, time.UTC)
	undo := patch.FailingUndo{
		Group: "production/ap-northeast-1/web", Instance: "i-1", Step: patch.StepStandby, Act: "ExitStandby", Since: since,
	}
	for _, c := range []struct {
		name    string
		attempt int
		err     string
		want    string
	}{
		{"both known", 9, "the role lost it", "fails since 2026-11-22 02:05 UTC, attempt 9 (ExitStandby): the role lost it"},
		{
			"nothing known", 0, "", "does not end since 2026-11-22 02:05 UTC (ExitStandby): it is not known how often it was " +
				"tried, nor why it does not end",
		},
		{
			"only why", 0, "nobody can tell", "does not end since 2026-11-22 02:05 UTC (ExitStandby): nobody can tell; it is " +
				"not known how often it was tried",
		},
		{
			"no attempt has failed", 2, "", "does not end since 2026-11-22 02:05 UTC, attempt 2 (ExitStandby): Temporal tells " +
				"of no failure: an attempt is under way, or about to be",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			undo.Attempt, undo.Error = c.attempt, c.err
			require.Equal(t, "the undo of standby on i-1 of production/ap-northeast-1/web "+c.want, undo.String())
		})
	}
	content, err := json.Marshal(patch.FailingUndo{Act: "ExitStandby"})
	require.NoError(t, err)
	require.NotContains(t, string(content), `"attempt"`)
	require.NotContains(t, string(content), `"error"`)
}
