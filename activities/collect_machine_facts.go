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
	machine, _, err := a.askFacts(ctx, s, in, factsAsked{})
	return machine, err
}

// factsAsked says which answer about its facts will do.
type factsAsked struct {
	whole   bool   // one whose list of packages is not cut off
	settled bool   // one of a machine whose first boot is done
	notBoot string // one of another boot
}

// askFacts asks, and gives the list of packages too.
func (a *AWS) askFacts(
	ctx context.Context, s *aws.Services, in CollectMachineFactsInput, asked factsAsked,
) (answer *patch.MachineFacts, packages []string, err error) {
	document, script := facts.Script(in.Platform)
	if asked.settled {
		document, script = facts.SettledScript(in.Platform)
	}
	err = a.ask(ctx, s, in, question{
		name: "ask", document: document, script: script, seconds: "300", awaits: "its agent's answer",
		purpose: "ask for its facts",
	}, func(stdout string) error {
		// A package list that does not fit its hash is not the answer asked for.
		known, list, err := facts.Parse(stdout)
		switch {
		case err != nil:
		case asked.whole && list == nil:
			err = errors.New("its list of packages was cut off")
		case asked.notBoot != "" && known.BootID == asked.notBoot:
			err = errors.New("it has not booted since")
		}
		if err == nil {
			answer, packages = known, list
		}
		return err
	})
	return answer, packages, err
}
