package activities

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// WatchBakeInput watches an instance under load.
type WatchBakeInput struct {
	AwaitHealthyInput
	Attempt Attempt        // of the command that watches on the instance
	Length  patch.Duration // how long it watches
}

// WatchBake is a bake: a wait that succeeds by lasting. NotHealthy (terminal) at the first bad look.
//
// What the instance itself is asked is asked by one command, which watches for Length and prints each failure: when it
// has ended well, so has the bake, with what it saw. It is found again by its comment, so that a lost reply costs
// another that only reads. One that was cut, or did not begin in time, proves nothing of its time: BakeCut (terminal).
// Everything else is looked at again and again meanwhile.
//
// Without such checks it stays NotReady while the instance is healthy, so that a spent budget (the last error is
// NotReady) means that it was healthy at every look.
func (a *AWS) WatchBake(ctx context.Context, in WatchBakeInput) (_ *patch.Bake, err error) {
	defer once.Typed(&err)
	if err := in.Observe.query().Validate(); err != nil {
		return nil, err
	}
	probe, _, err := a.observer().Probe(ctx, in.Observe.Checks)
	if err != nil {
		return nil, err
	}
	probed := len(probe.Checks) > 0
	probe.Seconds = int((a.speed().OnAWS(in.Length) + time.Second - 1) / time.Second)
	probe.Every = max(int(a.speed().OnAWS(in.Observe.Pace.Poll)/time.Second), 1)
	in.Observe.Checks = slices.DeleteFunc(slices.Clone(in.Observe.Checks), patch.HealthCheck.Once)
	sent := lastCommands(ctx)
	var bake *patch.Bake
	_, err = a.observeUntil(ctx, in.Observe, sent, func(seen *patch.HealthObservation) (bool, string, error) {
		if health := in.judge(*seen); !health.Healthy() {
			return false, "", once.Final(ErrNotHealthy, "%s: %s", in.Observe.Instance, health)
		}
		waitingFor := in.Observe.Instance.String() + " is healthy and stays under watch"
		if !probed {
			return false, waitingFor, nil
		}
		bake, err = a.watchOnInstance(ctx, in, probe, seen.Member, sent)
		return bake != nil, waitingFor, err
	})
	return bake, err
}

// watchOnInstance sends the command that watches unless it is there, and reads how it ended; nil while it runs.
func (a *AWS) watchOnInstance(
	ctx context.Context, in WatchBakeInput, probe aws.Probe, member patch.Member, sent aws.Commands,
) (*patch.Bake, error) {
	s, err := a.connect(ctx, in.Observe.Instance.Group)
	if err != nil {
		return nil, err
	}
	where, id := in.Observe.Instance.String(), in.Observe.Instance.ID
	if sent[aws.BakeKey] == "" {
		platform, comment := cmp.Or(in.Observe.Platform, member.Platform), "patchtide bake "+in.Attempt.Token
		sent[aws.BakeKey], err = aws.SendOnce(ctx, s, in.Observe.Instance, platform, probe, comment)
		if aws.HasCode(err, aws.CodeAgentNotUsable) { // it may come back
			return nil, nil
		}
		return nil, aws.Wrap("watch on the instance", where, err)
	}
	command, err := aws.FindInvocation(ctx, s, where, id, sent[aws.BakeKey])
	if err != nil || command == nil || !command.Over() {
		return nil, err
	}
	if err := command.ReadOutput(ctx, s, where); err != nil {
		return nil, err
	}
	report, cut := probe.ReadReport(command.Stdout, command.Stderr)
	if !command.Succeeded() {
		cut = fmt.Errorf("its command ended: %s", command.DescribeEnd())
	}
	switch bake := report.Bake(); {
	case cut != nil:
		return nil, once.Final(ErrBakeCut, "%s: nobody watched to the end of the bake: %v", where, cut)
	case report.Row > 0:
		return nil, once.Final(ErrNotHealthy, "%s: %s", where, bake)
	default:
		return &bake, nil
	}
}
