package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	shown "github.com/patchtide/patchtide/internal/plain"
)

// terminatedError is a wave that somebody terminated in Temporal: none of its code ran after that.
type terminatedError struct {
	wave string
	at   time.Time
	who  string // in Temporal's words; "": it was not told
	why  string
	by   *patch.PutBackBy // what put back what it had patched, or is at it; nil: nothing that anybody knows of
}

// isPutBack reports whether what it had patched was put back, or is being: one that was refused has changed nothing.
func (e *terminatedError) isPutBack() bool {
	return e.by != nil && (e.by.UnderWay() || e.by.Outcome == patch.RolledBack || e.by.Outcome == patch.NothingPutBack)
}

func (e *terminatedError) Error() string {
	told := "wave " + e.wave + " was terminated"
	if e.who != "" {
		told += " by " + e.who
	}
	if e.why != "" {
		told += fmt.Sprintf(" (%q)", e.why)
	}
	switch {
	case e.isPutBack() && e.by.UnderWay():
		return fmt.Sprintf("%s; what it had patched is being put back: patchtide wave show %s", told,
			e.by.WaveID)
	case e.isPutBack():
		return fmt.Sprintf("%s; %s, which closed at %s, %s", told, e.by.WaveID,
			console.Moment(e.by.Closed), map[patch.Outcome]string{
				patch.RolledBack:     "put back what it had patched",
				patch.NothingPutBack: "found nothing of it patched any more",
			}[e.by.Outcome])
	}
	wave, ends, left := e.wave, "ends by itself: it is put back or, once proven, stays patched", "what it had patched"
	if putBack, is := names.RolledBackBy(e.wave); is {
		wave, ends, left = putBack, "ends by itself", "what is left"
	}
	return fmt.Sprintf("%s: nobody decides for it any more, and what it had under way %s; `patchtide reconcile --dry-run` "+
		"shows that as in use. Once nothing is, put back %s: %s", told, ends, left, names.VerbCommand(patch.RollBack, wave))
}

// terminatedBy is who terminated a wave and why, as far as its history tells.
func terminatedBy(ctx context.Context, c client.Client, wave string) (who, why string) {
	last := c.GetWorkflowHistory(ctx, wave, "", false, enums.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT)
	for last.HasNext() {
		event, err := last.Next()
		if err != nil {
			return "", ""
		}
		if end := event.GetWorkflowExecutionTerminatedEventAttributes(); end != nil {
			return shown.Line(end.GetIdentity()), shown.Line(end.GetReason())
		}
	}
	return "", ""
}

// lastKnown is how a terminated wave stood when it was heard of last.
type lastKnown struct {
	toldByEvidence
	Terminated time.Time `json:"terminated"`
	By         string    `json:"terminated_by,omitempty"`
	Why        string    `json:"terminated_why,omitempty"`
	// CameTo counts what its instances came to, by what each wrote as it ended, also after that.
	CameTo patch.Tally `json:"came_to,omitempty"`
}

// cameTo reads what the instances of a wave came to; nil: nobody says where the evidence is, or it has none of them.
func cameTo(cmd *cobra.Command, wave string) patch.Tally {
	tally := patch.Tally{}
	err := withEvidence(cmd, func(_ string, store *evidence.Store) error {
		ids, err := store.ListInstances(cmd.Context(), wave)
		if err != nil {
			return err
		}
		machines, err := evidence.ReadInstances[patch.InstanceDetails](cmd.Context(), store.GetInstance, wave, ids)
		for _, machine := range machines {
			tally[machine.Outcome]++
		}
		return err
	})
	if err != nil || len(tally) == 0 {
		return nil
	}
	return tally
}

// showTerminated shows how a terminated wave stood by the word of a worker, who plays its history again, and fails with
// what its end means. What it asked, and until when, is asked no more.
func showTerminated(cmd *cobra.Command, status patch.WaveStatus, end *terminatedError) error {
	return showLastKnown(cmd, status, false, end)
}

// showTerminatedUnanswered is showTerminated where no worker answers: its evidence tells, and where there is none, or
// nobody says where it is, Temporal.
func showTerminatedUnanswered(
	cmd *cobra.Command, held *workflowpb.WorkflowExecutionInfo, end *terminatedError,
) error {
	if document, err := evidenceOf(cmd, &unknownWaveError{end.wave}); err == nil {
		return showLastKnown(cmd, document.Status, true, end)
	}
	if err := show(cmd, unanswered{listed: listedOf(held)}, printUnanswered); err != nil {
		return err
	}
	return end
}

func showLastKnown(cmd *cobra.Command, status patch.WaveStatus, fromEvidence bool, end *terminatedError) error {
	status.Awaiting, status.Verbs, status.NotBy = "", nil, ""
	status.Otherwise, status.Until, status.ETA = "", nil, nil
	stood := toldByEvidence{standingOf(status, nil), fromEvidence}
	told := lastKnown{toldByEvidence: stood, Terminated: end.at, By: end.who, Why: end.why}
	if !end.isPutBack() { // else it is not so any more
		told.CameTo = cameTo(cmd, status.WaveID)
	}
	if err := show(cmd, told, printLastKnown); err != nil {
		return err
	}
	return end
}

func printLastKnown(out io.Writer, told lastKnown) error {
	if told.FromEvidence {
		line(out, "It was terminated at %s, and no worker answers. Its evidence tells how it stood at %s, and not what it "+
			"did after that:", console.Moment(told.Terminated), console.Moment(told.Since))
	} else {
		line(out, "It was terminated at %s. When it was heard of last, it stood so:", console.Moment(told.Terminated))
	}
	if err := printStanding(out, told.standing); err != nil || told.CameTo == nil {
		return err
	}
	line(out, "As each ended, and before anything of it was put back, its instances came to: %s. What each got: "+
		"patchtide wave diff %s",
		told.CameTo.Words(), told.WaveID)
	return nil
}
