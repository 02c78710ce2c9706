package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	shown "github.com/patchtide/patchtide/internal/plain"
	"github.com/patchtide/patchtide/workflows"
)

// newVerb makes the command of one operators' verb, as the table of verbs has it.
func newVerb(verb patch.Verb) *cobra.Command {
	decision := patch.Decision{Verb: verb}
	spec := verb.Spec()
	cmd := &cobra.Command{
		Use:     verb.Command() + " WAVE",
		Short:   spec.Short,
		Example: exampleOf(verb),
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := rightVerb(cmd, decision); err != nil {
				return err
			}
			return withWorker(cmd, func(c client.Client) error {
				meant, err := aim(cmd, c, args[0], decision)
				if err != nil {
					return err
				}
				accepted, err := tell(cmd.Context(), c, args[0], meant)
				if err != nil {
					return err
				}
				if err := showAccepted(cmd, args[0], accepted); err != nil {
					return err
				}
				sayFrozen(cmd, c, args[0], verb)
				sayWindow(cmd, c, args[0], verb)
				return nil
			})
		},
	}
	if spec.More != "" {
		cmd.Long = spec.Short + ". " + spec.More + "."
	}
	verbFlags(cmd, &decision)
	decides(cmd, &decision.Actor, &decision.Reason, "who decides", "why; it is kept in the wave's evidence")
	printsJSON(cmd)
	return cmd
}

// exampleOf is a right command of the verb.
func exampleOf(verb patch.Verb) string {
	words := []string{"patchtide wave", verb.Command(), "wave-web-20261122-082540"}
	for _, field := range verb.Spec().Fields {
		words = append(words, "--"+field.Flag(), field.Example)
	}
	return fmt.Sprintf("%s --reason %q", strings.Join(words, " "), verb.Spec().Reason)
}

// verbFlags adds a flag for each thing that the verb takes beside who and why, and for what it is meant.
func verbFlags(cmd *cobra.Command, decision *patch.Decision) {
	cmd.Flags().StringVar(&decision.Stage, "stage", "", "the stage that it is for (default: the one of now)")
	cmd.Flags().IntVar(&decision.Hold, "hold", 0, "the hold that it is for, by its number (default: the one of now)")
	for _, field := range decision.Verb.Spec().Fields {
		cmd.Flags().Var(fieldFlag{field, decision}, field.Flag(), field.Usage)
	}
	if decision.Verb.Spec().Blames {
		cmd.Flags().Var((*blameFlag)(&decision.Blame), "blame",
			"a `package` that failed instances got, with or without its architecture, or all: blocked for every plan and "+
				"account; may be repeated")
	}
}

// blameFlag is packages, as often as it is given. It is a pflag.Value.
type blameFlag string

func (f *blameFlag) Set(text string) error {
	if text = strings.TrimSpace(text); *f != "" || text == "" { // what is blank is refused where it is read
		text = string(*f) + "," + text
	}
	*f = blameFlag(text)
	return nil
}

// String is also called on the zero value, by which pflag decides whether a default is worth showing.
func (f *blameFlag) String() string { return string(*f) }

func (*blameFlag) Type() string { return "string" }

// fieldFlag is a verb's field as a flag. It is a pflag.Value.
type fieldFlag struct {
	field    patch.VerbField
	decision *patch.Decision
}

func (f fieldFlag) Set(text string) error { return f.field.Set(f.decision, text) }

// String is also called on the zero value, by which pflag decides whether a default is worth showing.
func (f fieldFlag) String() string {
	if f.decision == nil {
		return ""
	}
	return f.field.Get(*f.decision)
}

func (f fieldFlag) Type() string {
	if f.field.Number {
		return "int"
	}
	return "string"
}

// requestOf is a decision as it is sent to a wave.
func requestOf(decision patch.Decision) workflows.VerbRequest {
	return workflows.VerbRequest{
		Actor: decision.Actor, Reason: decision.Reason,
		Scope: decision.Scope, MaxParallelGroups: decision.MaxParallelGroups, Until: decision.Until, Blame: decision.Blame,
		Point: decision.Point,
	}
}

// aim looks where the wave stands, where nothing says what the verb is for, and tells what it will be sent for.
func aim(cmd *cobra.Command, c client.Client, wave string, decision patch.Decision) (patch.Decision, error) {
	if decision.Point != (patch.Point{}) {
		return decision, nil
	}
	ctx := cmd.Context()
	status, err := awaitWave(ctx, c, wave)
	if err != nil {
		return decision, fmt.Errorf("nothing was sent: %w", err)
	}
	// One that was terminated still answers, as it stood.
	if closed, failure := closedWith(ctx, c, wave); closed && failure != nil {
		return decision, failure
	}
	aimed, said, err := aimedAt(*status, decision)
	if err != nil {
		return decision, err
	}
	line(cmd.ErrOrStderr(), "%s", said)
	return aimed, nil
}

// aimedAt is the verb for where the wave stands, and what is said of it. It refuses what is dangerous to mean by
// accident: an abort where things are put back already gives up on them.
func aimedAt(status patch.WaveStatus, decision patch.Decision) (aimed patch.Decision, said string, err error) {
	aimed, said = decision, status.WaveID+" is "+status.State.Phrase()
	aimed.Point = status.Point()
	at := strings.Join(aimed.Flags(), " ")
	if status.State == patch.StateClosed {
		return decision, "", hasClosed(status)
	}
	if decision.Verb == patch.Abort && decision.Verb.AboutIn(status.State) == patch.AboutHold {
		return decision, "", fmt.Errorf("%s already: another abort gives up on what cannot be put back, and reports it; "+
			"where that is meant, send it with %s", said, at)
	}
	if at != "" {
		said += "; " + decision.Verb.Command() + " is sent for " + at
	}
	switch nothing := status.RollsBack.Nothing(decision.Scope); {
	case decision.Verb != patch.RollBack:
	case nothing != "":
		said += ", though " + nothing
	case status.RollsBack.By(decision.Scope) == 0:
		said += ", to put back what is under way: no instance is patched yet"
	default:
		said += ", to put back " + shown.Plural(status.RollsBack.By(decision.Scope), "patched instance")
	}
	if status.Awaiting != "" {
		said += ". It asks: " + status.Awaiting
	}
	return aimed, said, nil
}

// hasClosed says of a wave that has closed how it ended: it takes no verb any more but a roll back.
func hasClosed(status patch.WaveStatus) error {
	if status.LeavesNothing() {
		return fmt.Errorf("%s has closed: %s at %s; it left nothing patched, and nothing can be done to it any more",
			status.WaveID, status.Outcome.Words(), console.Moment(status.Since))
	}
	if nothing := status.RollsBack.Nothing(patch.ScopeWave); nothing != "" {
		return fmt.Errorf("%s has closed: %s at %s; %s", status.WaveID, status.Outcome.Words(),
			console.Moment(status.Since), nothing)
	}
	return fmt.Errorf("%s has closed: %s at %s; all that can be done to it is to put back what it left patched: %s",
		status.WaveID, status.Outcome.Words(), console.Moment(status.Since),
		names.VerbCommand(patch.RollBack, cmp.Or(status.PutsBack, status.WaveID)))
}

// whyClosed says how a wave ended that Temporal lets nobody tell anything; err is what Temporal said.
func whyClosed(ctx context.Context, c client.Client, wave string, err error) error {
	status, unanswered := askWave(ctx, c, wave)
	if unanswered != nil {
		return unanswered
	}
	if status.State == patch.StateClosed {
		return hasClosed(*status)
	}
	if closed, failure := closedWith(ctx, c, wave); closed && failure != nil {
		return failure
	}
	return fmt.Errorf("tell %s: %w", wave, err)
}

// rightVerb refuses as wrong usage what no wave would take.
func rightVerb(cmd *cobra.Command, decision patch.Decision) error {
	if err := requestOf(decision).Validate(decision.Verb); err != nil {
		return wrongUsage(cmd, errors.New(plain(err)))
	}
	return nil
}

func showAccepted(cmd *cobra.Command, wave string, accepted *workflows.VerbAccepted) error {
	return show(cmd, accepted, func(out io.Writer, accepted *workflows.VerbAccepted) error {
		if !accepted.Already.IsZero() {
			line(out, "%s has taken %s in these words already, at %s; nothing more is done, and it is %s now", wave,
				accepted.Verb.Command(), console.Moment(accepted.Already), accepted.State.Phrase())
			return nil
		}
		puts := ""
		switch {
		case accepted.NothingBack != "":
			puts = ", though " + accepted.NothingBack
		case accepted.PutsBack > 0:
			puts = fmt.Sprintf(": %s back as before, and what is under way", shown.Plural(accepted.PutsBack, "patched instance"))
		case accepted.Verb == patch.RollBack:
			puts = ": no instance of it is patched; what is under way comes back as before"
		}
		line(out, "%s accepted %s%s. Watch it: `patchtide wave watch %s`", wave, accepted.Verb.Command(), puts, wave)
		return nil
	})
}

// tell sends a verb and waits until the wave has recorded or refused it. Whoever stops waiting, or is not answered in
// time, does not know whether it was heard: it may be taken once a worker is back. In the same words it is taken once,
// which the wave sees to, and says when it was: an id by the words would have Temporal answer in its place, with what
// was so the first time.
func tell(ctx context.Context, c client.Client, wave string, decision patch.Decision) (*workflows.VerbAccepted, error) {
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	request := requestOf(decision)
	handle, err := c.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: wave, UpdateName: string(decision.Verb), Args: []any{request},
		WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	var accepted workflows.VerbAccepted
	if err == nil {
		err = handle.Get(ctx, &accepted)
	}
	switch {
	case err == nil:
		return &accepted, nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("nobody knows whether %s was heard: it may be taken when a worker is back. Sent again in the "+
			"same words it is taken once", decision.Verb.Words())
	}
	var closed *serviceerror.NotFound
	if errors.As(err, &closed) {
		return nil, whyClosed(ctx, c, wave, err)
	}
	return nil, refused(wave, decision.Verb.Command(), err)
}

// refused says that a workflow refused an Update, or that nobody knows whether it heard of it.
func refused(workflow, update string, err error) error {
	var typed *temporal.ApplicationError
	if errors.As(err, &typed) {
		return fmt.Errorf("%s refused %s: %s", workflow, update, plain(err))
	}
	return fmt.Errorf("tell %s %s: %w", workflow, update, err)
}
