package activities

import (
	"context"
	"time"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/facts"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// ProveImageInput asks a machine what it is since it has the root volume of an image.
type ProveImageInput struct {
	CollectMachineFactsInput
	Before  Attempt   // of the question by which it told its packages before; none: it has not been asked
	NotBoot string    // the boot before its root volume was replaced, of which no answer counts; "": any does
	At      time.Time // by which it is judged by what is blocked
}

// ImageProof is what a machine tells of itself.
type ImageProof struct {
	Facts   patch.MachineFacts
	Changes []patch.PackageChange
	// Unknown is why it is not known what changed; "": it is.
	Unknown string
	Blocked []string // what of it is blocked and was not there before
	Digest  string   // of what is blocked; "": nothing is
}

// ProveImage asks a machine what it is, and compares its packages with what it told before and with what is blocked.
// Its errors are those of CollectMachineFacts.
func (a *AWS) ProveImage(ctx context.Context, in ProveImageInput) (_ *ImageProof, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return nil, err
	}
	machine, packages, err := a.askFacts(ctx, s, in.CollectMachineFactsInput, factsAsked{
		settled: true, notBoot: in.NotBoot,
	})
	if err != nil {
		return nil, err
	}
	proof := &ImageProof{Facts: *machine}
	var before []string
	if in.Before.Token != "" {
		if before, err = toldBefore(ctx, s, in); err != nil {
			return nil, err
		}
	}
	if proof.Unknown = unknownChange(before, packages); proof.Unknown == "" {
		proof.Changes = patch.DiffPackages(before, packages)
	}
	blocked, err := a.blocked(ctx, in.Platform, in.At)
	if err != nil || len(blocked) == 0 {
		return proof, err
	}
	proof.Digest = blocked.Digest()
	if packages == nil {
		proof.Blocked = []string{"nobody can tell, for it has not told which packages it holds"}
		return proof, nil
	}
	proof.Blocked = blocked.Arrivals(before, packages)
	return proof, nil
}

func unknownChange(before, now []string) string {
	switch {
	case now == nil:
		return "its list of packages is too long to be told"
	case before == nil:
		return "what it held before is not told any more"
	}
	return ""
}

// toldBefore are the packages that a machine told when it was asked before: the command is found by its comment, and
// never sent again, for it would tell of another root volume.
func toldBefore(ctx context.Context, s *aws.Services, in ProveImageInput) ([]string, error) {
	where := in.Instance.String()
	commands, err := aws.FindCommands(ctx, s, where, in.Instance.ID, askComment("ask", in.Before))
	if err != nil {
		return nil, err
	}
	for _, command := range commands {
		invocation, err := aws.FindInvocation(ctx, s, where, in.Instance.ID, aws.Deref(command.CommandId))
		if err != nil {
			return nil, err
		}
		if invocation == nil || !invocation.Over() || !invocation.Succeeded() {
			continue
		}
		if err := invocation.ReadOutput(ctx, s, where); err != nil {
			return nil, err
		}
		if _, list, err := facts.Parse(invocation.Stdout); err == nil && list != nil {
			return list, nil
		}
	}
	return nil, nil
}
