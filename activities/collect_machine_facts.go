package activities

import (
	"context"
	"errors"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/facts"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// CollectMachineFactsInput asks an instance for its facts by a fresh read-only command.
type CollectMachineFactsInput struct {
	Instance Instance
	Platform patch.Platform
	Attempt  Attempt
	Budget   patch.Duration
	Pace     Pace
}

// CollectMachineFacts is a fresh command that returns boot id and packages: the only proof that an agent lives.
// NotReady until it answered; Gone when EC2 no longer has the instance. The command is found again by its comment,
// which carries the attempt's token; one that ended without an answer is followed by another.
func (a *AWS) CollectMachineFacts(ctx context.Context, in CollectMachineFactsInput) (_ *patch.MachineFacts, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return nil, err
	}
	machine, _, err := a.askFacts(ctx, s, in, false)
	return machine, err
}

// askFacts asks, and gives the list of packages too; whole refuses an answer whose list was cut off.
func (a *AWS) askFacts(
	ctx context.Context, s *aws.Services, in CollectMachineFactsInput, whole bool,
) (answer *patch.MachineFacts, packages []string, err error) {
	document, script := facts.Script(in.Platform)
	err = a.ask(ctx, s, in, question{
		name: "ask", document: document, script: script, seconds: "300", awaits: "its agent's answer",
		purpose: "ask for its facts",
	}, func(stdout string) error {
		// A package list that does not fit its hash is not the answer asked for.
		known, list, err := facts.Parse(stdout)
		if err == nil && whole && list == nil {
			err = errors.New("its list of packages was cut off")
		}
		if err == nil {
			answer, packages = known, list
		}
		return err
	})
	return answer, packages, err
}
