package activities

import (
	"context"
	"time"

	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"go.temporal.io/sdk/activity"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/hook"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// HookInput is one call of a hook, or of its undo.
type HookInput struct {
	Instance Instance // of a hook of the wave only the group's account and region, of its place
	Platform patch.Platform
	Call     patch.HookCall
	About    patch.HookAbout
	Attempt  Attempt   // its token is About's
	Since    time.Time // AWS's clock: before it nothing of the call was sent
	Pace     Pace
}

// where names what the hook is about in errors.
func (in HookInput) where() string {
	if in.Instance.ID == "" {
		return in.Instance.Group.Place().String()
	}
	return in.Instance.String()
}

// seconds is how long the call may take by AWS's clock.
func (a *AWS) hookSeconds(in HookInput) int {
	return max(int(a.speed().OnAWS(in.Call.Timeout)/time.Second), 1)
}

// HookStarted names what a hook started: exactly one is set, or none where nothing was.
type HookStarted struct {
	Command   string
	Execution string
}

// Any reports whether anything was started.
func (h HookStarted) Any() bool { return h != HookStarted{} }

// StartHook sends the command of a script or a document, or starts a runbook, once per attempt token: before it repeats
// it looks for what an earlier attempt started, and concludes that there is none only after Pace.ReadLag of empty
// reads. HookFailed (terminal) where it can never run: there is no such document, or it is for something else.
func (a *AWS) StartHook(ctx context.Context, in HookInput) (_ *HookStarted, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return nil, once.Unsent(ctx, err)
	}
	runbook, err := isRunbook(ctx, s, in)
	if err != nil {
		return nil, once.Unsent(ctx, err)
	}
	found, at, err := findHook(ctx, s, in, runbook)
	if err != nil {
		return nil, once.Unsent(ctx, err)
	}
	if found.Any() {
		return &found, nil
	}
	if err := a.waits().MaySend(ctx, in.Pace, at, "the hook "+in.About.Hook); err != nil {
		return nil, err
	}
	started, err := a.sendHook(ctx, s, in, runbook)
	switch {
	case aws.IsTokenUsed(err):
		return nil, once.NotReady(in.Pace.Poll.D(), "waiting to see the runbook that an earlier attempt started")
	case aws.HasCode(err, aws.CodeAgentNotUsable): // it may come back, unless it is gone
		once.Refused(ctx, err)
		if _, err := aws.ReadMachine(ctx, s, in.Instance); err != nil {
			return nil, err
		}
		return nil, once.NotReady(in.Pace.Poll.D(), "%s: its SSM agent takes no command now", in.where())
	case err != nil:
		once.Refused(ctx, err)
		return nil, aws.Wrap("start the hook "+in.About.Hook, in.where(), err)
	}
	return started, nil
}

// isRunbook reports whether a call is of an Automation runbook, by the document's type.
func isRunbook(ctx context.Context, s *aws.Services, in HookInput) (bool, error) {
	if in.Call.Document == "" {
		return false, nil
	}
	described, err := aws.FindDescription(ctx, s, in.where(), in.Call.Document, "$DEFAULT")
	switch {
	case err != nil:
		return false, err
	case described == nil:
		return false, once.Final(ErrHookFailed, "%s: there is no document %s", in.where(), in.Call.Document)
	}
	switch kind := described.DocumentType; {
	case kind == ssmtypes.DocumentTypeAutomation:
		return true, nil
	case kind == ssmtypes.DocumentTypeCommand && in.Instance.ID != "":
		return false, nil
	case kind == ssmtypes.DocumentTypeCommand:
		return false, once.Final(ErrHookFailed, "the document %s is a Command document, and at %s there is no instance to "+
			"run it on; name an Automation runbook", in.Call.Document, in.About.Point)
	default:
		return false, once.Final(ErrHookFailed, "the document %s is of type %s; name a Command document or an Automation "+
			"runbook", in.Call.Document, kind)
	}
}

// findHook looks for what an attempt started. The time is AWS's, of the answer.
func findHook(ctx context.Context, s *aws.Services, in HookInput, runbook bool) (HookStarted, time.Time, error) {
	if runbook {
		id, at, err := aws.FindStarted(ctx, s, in.where(), in.Attempt.Token)
		return HookStarted{Execution: id}, at, err
	}
	since := in.Since
	if activity.GetInfo(ctx).Attempt <= 1 && !in.About.Undo {
		since = time.Time{} // nobody can have sent it a moment ago; an undo may be another saga's, that died
	}
	id, at, err := aws.FindHookCommand(ctx, s, in.where(), in.Instance.ID, in.Attempt.Token, since)
	return HookStarted{Command: id}, at, err
}

func (a *AWS) sendHook(ctx context.Context, s *aws.Services, in HookInput, runbook bool) (*HookStarted, error) {
	var parameters map[string][]string // not an empty one: AutomationParameterMap of the API has at least one
	for name, value := range in.Call.Parameters {
		if parameters == nil {
			parameters = map[string][]string{}
		}
		parameters[name] = []string{in.About.Filled(value)}
	}
	if runbook {
		id, err := aws.StartHookRunbook(ctx, s, in.Call.Document, parameters, in.Attempt.WaveID, in.Attempt.Token, in.where())
		return &HookStarted{Execution: id}, err
	}
	document, within := in.Call.Document, a.hookSeconds(in)
	if in.Call.Run != "" {
		var lines []string
		document, lines = aws.HookScript(in.Platform, in.About, in.Call.Run)
		parameters = aws.ScriptParameters(lines, within)
	}
	id, err := aws.SendHook(ctx, s, in.Instance, document, parameters, in.Attempt.Token, within)
	return &HookStarted{Command: id}, err
}

// AwaitHookInput waits for what a hook started.
type AwaitHookInput struct {
	HookInput
	Started HookStarted
}

// AwaitHook waits until what a hook started has ended, and tells how; that it failed is an answer, not an error.
func (a *AWS) AwaitHook(ctx context.Context, in AwaitHookInput) (_ *patch.HookEnd, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return nil, err
	}
	var end *patch.HookEnd
	err = a.waits().Look(ctx, in.Pace, func(ctx context.Context) (bool, string, error) {
		var err error
		end, _, err = readHook(ctx, s, in)
		return end != nil, "the hook " + in.About.Hook + " to end", err
	})
	return end, err
}

// readHook reads how a hook ended; nil while it has not, with the command's invocation where it has one.
func readHook(ctx context.Context, s *aws.Services, in AwaitHookInput) (*patch.HookEnd, *aws.Invocation, error) {
	if in.Started.Execution != "" {
		execution, err := aws.FindHookExecution(ctx, s, in.where(), in.Started.Execution)
		if err != nil || execution == nil || !execution.Over {
			return nil, nil, err
		}
		return &patch.HookEnd{Failed: hook.Cut(execution.Failed), Output: hook.Output(execution.Output)}, nil, nil
	}
	command, err := aws.FindInvocation(ctx, s, in.where(), in.Instance.ID, in.Started.Command)
	if err != nil || command == nil || !command.Over() {
		return nil, command, err
	}
	if err := command.ReadOutput(ctx, s, in.where()); err != nil {
		return nil, command, err
	}
	said := command.Stdout
	if command.Stderr != "" {
		said += "\n" + command.Stderr
	}
	end := &patch.HookEnd{Output: hook.Output(said)}
	if !command.Succeeded() {
		end.Failed, end.Late = hook.Cut(command.DescribeEnd()), command.Status == ssmtypes.CommandInvocationStatusTimedOut
	}
	return end, command, nil
}

// HookStop is what came of stopping a hook.
type HookStop struct {
	Never bool           // it is proven that nothing was started
	End   *patch.HookEnd // how it ended; nil where its cancel is all that can be known, for its machine is silent
}

// StopHook stops what a hook may have started, and waits until it has ended. On a machine whose agent is silent a
// cancelled command counts as ended: AWS promises no end of a cancel that no agent answers.
func (a *AWS) StopHook(ctx context.Context, in AwaitHookInput) (_ *HookStop, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return nil, err
	}
	trace, _ := once.LastFootprint(ctx)
	stop := &HookStop{}
	err = a.waits().LookKeeping(
		ctx, in.Pace, func() any { return trace }, func(ctx context.Context) (bool, string, error) {
			if !in.Started.Any() {
				var at time.Time
				if in.Started, at, err = a.findAnyHook(ctx, s, in.HookInput); err != nil {
					return false, "", err
				}
				if !in.Started.Any() {
					if trace.EmptySince.IsZero() {
						trace.EmptySince = at
					}
					stop.Never = at.Sub(trace.EmptySince) >= a.speed().OnAWS(in.Pace.ReadLag)
					return stop.Never, "to be sure that the hook " + in.About.Hook + " was not started", nil
				}
			}
			end, command, err := readHook(ctx, s, in)
			if err != nil || end != nil {
				stop.End = end
				return end != nil, "", err
			}
			ended, err := cancelHook(ctx, s, in, command)
			return ended, "the hook " + in.About.Hook + " to be stopped", err
		})
	if err != nil {
		return nil, err
	}
	return stop, nil
}

// findAnyHook is findHook of a document that may have been deleted since.
func (a *AWS) findAnyHook(ctx context.Context, s *aws.Services, in HookInput) (HookStarted, time.Time, error) {
	if in.Call.Document != "" {
		found, at, err := findHook(ctx, s, in, true)
		if err != nil || found.Any() || in.Instance.ID == "" {
			return found, at, err
		}
	}
	return findHook(ctx, s, in, false)
}

// cancelHook asks for the end of what runs. It reports whether no more than that can be known.
func cancelHook(ctx context.Context, s *aws.Services, in AwaitHookInput, command *aws.Invocation) (bool, error) {
	if in.Started.Execution != "" {
		return false, aws.StopHookExecution(ctx, s, in.where(), in.Started.Execution)
	}
	if command != nil && command.Status == ssmtypes.CommandInvocationStatusCancelling {
		silent, err := silentSince(ctx, s, in.Instance)
		return !silent.IsZero(), err
	}
	return false, cancelCommands(ctx, s, in.Instance, map[string]*aws.Invocation{in.Started.Command: command})
}
