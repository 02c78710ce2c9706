package worker

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/once"
)

func TestWhatAnAttemptCameTo(t *testing.T) {
	throttled := temporal.NewApplicationError("throttled", activities.ErrThrottled)
	denied := temporal.NewApplicationError("denied", activities.ErrAccessDenied)
	for name, c := range map[string]struct {
		err, done error
		final     []string
		want      verdict
	}{
		"success":                         {want: passed},
		"a wait":                          {err: once.NotReady(0, "not yet"), want: waits},
		"a wait whose attempt was cut":    {err: once.NotReady(0, "not yet"), done: context.Canceled, want: waits},
		"a cancel":                        {err: context.Canceled, done: context.Canceled, want: cut},
		"a call that a cancel cut":        {err: throttled, done: context.Canceled, want: cut},
		"an answer that came too late":    {err: throttled, done: context.DeadlineExceeded, want: cut},
		"a throttle":                      {err: throttled, final: activities.Final(), want: troubled},
		"an error of no type":             {err: errors.New("broken"), want: troubled},
		"denied, going forward":           {err: denied, final: activities.Final(), want: ended},
		"denied, to an undo":              {err: denied, want: refused},
		"what no retry mends":             {err: once.Final(activities.ErrGone, "gone"), want: ended},
		"a throttle that the policy ends": {err: throttled, final: []string{activities.ErrThrottled}, want: ended},
		"a broken record, which no try mends": {
			err: temporal.NewNonRetryableApplicationError("broken", activities.ErrEvidence, nil), want: ended,
		},
	} {
		require.Equal(t, c.want, judge(c.err, c.done, c.final), name)
	}
}

// What is tried again is told once it is over, with its count; what goes on and on is a warning, ever more seldom.
func TestTroubleIsToldOnceAndWithItsCount(t *testing.T) {
	troubles := func(verdicts ...verdict) string {
		var written bytes.Buffer
		told := Attempts(slog.New(slog.NewTextHandler(&written, nil))).(*told)
		info := activity.Info{ActivityID: "7", ActivityType: activity.Type{Name: "ExitStandby"}}
		for i, verdict := range verdicts {
			info.Attempt = int32(i + 1)
			told.tell(info, verdict, errors.New("why"))
		}
		if last := verdicts[len(verdicts)-1]; last != waits && last != troubled && last != refused {
			require.Empty(t, told.trouble, "nothing is kept of what is over")
		}
		var lines []string
		for _, line := range strings.Split(strings.TrimSpace(written.String()), "\n") {
			_, line, _ = strings.Cut(line, "level=")
			line, _, _ = strings.Cut(line, " since=")
			lines = append(lines, strings.Replace(line, ` WorkflowID=""`, "", 1))
		}
		return strings.Join(lines, "\n")
	}
	many := func(n int, of verdict, then ...verdict) (all []verdict) {
		for range n {
			all = append(all, of)
		}
		return append(all, then...)
	}
	require.Empty(t, troubles(passed))
	require.Empty(t, troubles(many(90, waits, passed)...))
	require.Empty(t, troubles(troubled, cut))
	require.Equal(t, `INFO msg="ExitStandby had failed and went through" times=3`, troubles(many(3, troubled, passed)...))
	require.Equal(t, `INFO msg="ExitStandby had failed and went through" times=1`+"\n"+
		`INFO msg="ExitStandby had failed and went through" times=4`+"\n"+
		`INFO msg="ExitStandby had failed and went through" times=5`, troubles(troubled, waits, troubled, waits, troubled, waits,
		troubled, waits, troubled, waits, passed))
	require.Equal(t, `WARN msg="ExitStandby fails and is tried again" times=8`+"\n"+
		`WARN msg="ExitStandby fails and is tried again" times=16`+"\n"+
		`INFO msg="ExitStandby had failed and went through" times=20`, troubles(many(20, troubled, passed)...))
	require.Equal(t, `WARN msg="ExitStandby fails and is tried again" times=1`+"\n"+
		`WARN msg="ExitStandby fails and is tried again" times=2`, troubles(many(3, refused)...))
	require.Equal(t, `WARN msg="ExitStandby ended with an error" attempt=1 error=why`, troubles(ended))
}

// The SDK's own line for each attempt is left out, where the worker tells of it; all else that it has to say stays.
func TestTheSDKsLines(t *testing.T) {
	var written bytes.Buffer
	quiet := Log(slog.New(slog.NewTextHandler(&written, &slog.HandlerOptions{Level: slog.LevelDebug})))
	quiet.Error(lineActivityError, "Attempt", 1, "Error", temporal.NewApplicationError("throttled", activities.ErrThrottled))
	quiet.Debug(lineActivityError, "Attempt", 1, "Error", once.NotReady(0, "not yet"))
	quiet.Error(lineActivityError, "Attempt", 1, "Error", context.Canceled)
	require.Empty(t, written.String())
	quiet.Error(lineActivityError, "Attempt", 1, "Error", errors.New("unable to decode the input"))
	require.Contains(t, written.String(), "level=ERROR")
	written.Reset()
	quiet.Info("Started Worker")
	require.Contains(t, written.String(), "level=DEBUG")
	written.Reset()
	log.With(quiet, "Namespace", "default", "WorkflowID", "wave-1", "RunID", "r").Warn("Failed to poll for task.")
	require.Contains(t, written.String(), `level=WARN msg="Failed to poll for task." WorkflowID=wave-1`+"\n")
	written.Reset()
	quiet.Error("Activity panic.", "PanicError", "nil")
	require.Contains(t, written.String(), "level=ERROR")
}
