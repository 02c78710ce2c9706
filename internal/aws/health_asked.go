package aws

import (
	"context"
	"maps"
	"strings"

	"github.com/patchtide/patchtide/internal/patch"
)

// Commands are those of a look that are under way, by what they ask. They go from attempt to attempt as heartbeat
// details, so that a command sent by one attempt is read by the next.
type Commands map[string]string

// What commands are kept by. A bake's outlasts the looks beside it, and so does what was read of metrics.
const (
	probeKey = "probe"
	BakeKey  = "bake"
)

// Forget lets the next look send its commands anew.
func (c Commands) Forget() {
	maps.DeleteFunc(c, func(key, _ string) bool { return key != BakeKey && !strings.HasPrefix(key, metricPrefix) })
}

// observeAnswers asks the checks of one kind. All that are asked on the instance are one command, which may answer only
// at a later look; a document is a command of its own; the worker asks the others.
func observeAnswers(kind func(patch.HealthCheck) bool) func(context.Context, *healthLook) error {
	return func(ctx context.Context, look *healthLook) error {
		for n, check := range look.Checks {
			if !kind(check) {
				continue
			}
			answer, err := look.ask(ctx, n)
			if err != nil {
				return err
			}
			if answer != nil {
				look.seen.Answers = append(look.seen.Answers, *answer)
			}
		}
		return nil
	}
}

// ask is the answer to a check, by its number; nil where it has not come yet.
func (l *healthLook) ask(ctx context.Context, n int) (*patch.Answer, error) {
	switch check := l.Checks[n]; {
	case check.Probed():
		if l.probed == nil {
			var err error
			if l.probed, err = l.askProbe(ctx); err != nil {
				return nil, err
			}
		}
		if answer, known := l.probed[n]; known {
			return &answer, nil
		}
		return nil, nil
	case check.Command != nil:
		return l.askDocument(ctx, check)
	default:
		answer, err := l.observer.dial(ctx, l.seen.Member.PrivateIP, check)
		return &answer, err
	}
}

// askProbe sends the probe for all checks that it asks unless it is under way, and reads its answers by the checks'
// numbers; none while it runs.
func (l *healthLook) askProbe(ctx context.Context) (map[int]patch.Answer, error) {
	probe, numbers, err := l.observer.Probe(ctx, l.Checks)
	if err != nil {
		return nil, err
	}
	all := func(why string) map[int]patch.Answer {
		answers := map[int]patch.Answer{}
		for _, n := range numbers {
			answers[n] = l.Checks[n].Unanswered(why)
		}
		return answers
	}
	send := func() (string, error) {
		return SendProbe(ctx, l.services, l.Instance, l.platform(l.seen.Member), probe, probeComment)
	}
	ended, err := l.command(ctx, probeKey, send, "its checks on the instance")
	switch {
	case err != nil:
		return nil, err
	case ended == nil:
		return map[int]patch.Answer{}, nil
	case ended.refused:
		return all("its SSM agent takes no command now"), nil
	case !ended.Succeeded():
		return all("the check's command ended: " + ended.DescribeEnd()), nil
	}
	report, err := probe.ReadReport(ended.Stdout, ended.Stderr)
	if err != nil {
		return all(err.Error()), nil
	}
	answers := all("the probe does not say")
	for _, answer := range report.Answers {
		answers[numbers[answer.Number]] = answer.Answer
	}
	return answers, nil
}

// endedCommand is a command of a look that is over.
type endedCommand struct {
	Invocation
	refused bool // the agent takes none now
}

// command sends a command unless it is under way, and reads how it ended; nil while it runs, which is waited for by its
// name.
func (l *healthLook) command(
	ctx context.Context, key string, send func() (string, error), name string,
) (*endedCommand, error) {
	if l.sent[key] == "" {
		id, err := send()
		if HasCode(err, CodeAgentNotUsable) {
			return &endedCommand{refused: true}, nil
		}
		if err != nil {
			return nil, Wrap("send a health check", l.Instance.String(), err)
		}
		l.sent[key] = id
	}
	where := l.Instance.String()
	found, err := FindInvocation(ctx, l.services, where, l.Instance.ID, l.sent[key])
	if err != nil {
		return nil, err
	}
	if found == nil || !found.Over() { // not listed, as it is for a moment after SendCommand
		l.waitingFor = append(l.waitingFor, name)
		return nil, nil
	}
	return &endedCommand{Invocation: *found}, found.ReadOutput(ctx, l.services, where)
}

// Probe is the probe for those checks that are asked on the instance, and their numbers.
func (o Observer) Probe(ctx context.Context, checks []patch.HealthCheck) (probe Probe, numbers []int, err error) {
	probe.CA = map[int]string{}
	for n, check := range checks {
		if !check.Probed() {
			continue
		}
		if check.HTTPS != nil && check.HTTPS.CAFrom != "" {
			if probe.CA[len(probe.Checks)], err = o.secret(ctx, check.HTTPS.CAFrom); err != nil {
				return probe, nil, err
			}
		}
		probe.Checks, numbers = append(probe.Checks, check), append(numbers, n)
	}
	return probe, numbers, nil
}
