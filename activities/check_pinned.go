package activities

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/facts"
	"github.com/patchtide/patchtide/internal/manifest"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// CheckPinnedInput asks an instance what it lacks of a manifest.
type CheckPinnedInput struct {
	CollectMachineFactsInput
	Pinned patch.Pinned
	At     time.Time // by which what is due is blocked; zero: nothing is
	// Offered is, on Windows, what the machine misses by its scan: an update that is not among it does not apply there, or
	// was withdrawn. Nil: it is not known.
	Offered []string
}

// CheckPinned asks a machine for its packages, says what it lacks of what was proved on its system, has it read the
// list that will bind it, and has its own package manager say by a dry install whether it can get that. It reads only.
// Its errors are those of CollectMachineFacts: a dry install that fails is asked for again, for it says nothing of any
// package.
func (a *AWS) CheckPinned(ctx context.Context, in CheckPinnedInput) (_ *patch.PinCheck, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return nil, err
	}
	machine, packages, err := a.askFacts(ctx, s, in.CollectMachineFactsInput, factsAsked{whole: true})
	if err != nil {
		return nil, err
	}
	bound, err := readManifest(ctx, a.Manifests, in.Pinned.Ref())
	if err != nil {
		return nil, err
	}
	check := &patch.PinCheck{System: manifest.NameOf(*machine)}
	system := bound.Of(*machine)
	if system == nil {
		return check, nil
	}
	if of := in.Pinned.Of(system.Name); of != nil {
		check.List = of.List
	}
	holds := manifest.Read(packages)
	due := system.Due(holds)
	if in.Platform == patch.Windows && in.Offered != nil {
		due.Due = slices.DeleteFunc(due.Due, func(one manifest.Package) bool {
			if slices.Contains(in.Offered, one.Name) {
				return false
			}
			check.NotOffered = append(check.NotOffered, one.Name)
			return true
		})
	}
	check.Due = len(due.Due)
	if !in.At.IsZero() {
		blocked, err := a.blocked(ctx, in.Platform, in.At)
		if err != nil {
			return nil, err
		}
		for _, one := range due.Due {
			if block := blocked.Of(one.Name, one.Version); block != nil {
				check.Blocked = append(check.Blocked, block.String())
			}
		}
	}
	check.Ahead = due.Ahead[:min(len(due.Ahead), patch.MostPinned)]
	if check.Release = machine.LockedTo(); check.Release != "" {
		check.ProvenRelease = system.Release
	}
	if check.Due == 0 {
		return check, nil
	}
	if err := a.askList(ctx, s, in.CollectMachineFactsInput, check); err != nil || check.Unreadable != "" {
		return check, err
	}
	if in.Platform == patch.Windows { // there is no dry install
		return check, nil
	}
	offers, err := a.askOffers(ctx, s, in.CollectMachineFactsInput, due.Due)
	if err != nil {
		return nil, err
	}
	check.Dry = &patch.DryInstall{
		By: offers.By, Absent: offers.Absent, Held: offers.Held, Left: offers.Left, Unresolved: offers.Unresolved,
		Unproven: system.Foresee(holds, offers.Beside, offers.Gone).Unproven,
	}
	return check, nil
}

// listHash is the name of a list, which is its hash.
var listHash = regexp.MustCompile(`/([0-9a-f]{64})\.yaml$`)

// askList has the machine read its list with its own credentials, as it will once it is out. What keeps it from that
// for certain is S3's answer; whatever else keeps the script from asking is told.
func (a *AWS) askList(ctx context.Context, s *aws.Services, in CollectMachineFactsInput, check *patch.PinCheck) error {
	document, script, err := facts.ListScript(in.Platform, check.List, in.Instance.Group.Region)
	if err != nil {
		return once.Final(ErrRejected, "%s: its list cannot be asked for: %v", in.Instance, err)
	}
	of := question{
		name: "list", document: document, script: script, seconds: "300", awaits: "its reading of the list that binds it",
		purpose: "have it read its list",
	}
	if in.Platform == patch.Windows { // not every PowerShell was tried: one where it fails keeps nobody from patching
		of.failed = func(end string) { check.Unread = "the script that reads it ended: " + end }
	}
	return a.ask(ctx, s, in, of, func(stdout string) error {
		read, err := facts.ParseList(stdout)
		switch {
		case err != nil && of.failed != nil:
			of.failed(err.Error())
			return nil
		case err != nil:
			return err
		}
		named := listHash.FindStringSubmatch(check.List)
		switch {
		case read.Status == 0:
			check.Unread = read.Why
		case read.Status >= 500: // S3 is away, or asks for patience
			return fmt.Errorf("S3 answered %d %s", read.Status, read.Code)
		case read.Status != 200:
			check.Unreadable = strings.TrimSpace(fmt.Sprintf("S3 answers %d %s", read.Status, read.Code))
		case named != nil && named[1] != read.SHA256:
			check.Unreadable = "what it reads there is not what was written: its SHA-256 is " + read.SHA256
		}
		return nil
	})
}

// askOffers has the machine's package manager say by a dry install whether it can get what is due.
func (a *AWS) askOffers(
	ctx context.Context, s *aws.Services, in CollectMachineFactsInput, due []manifest.Package,
) (offers *facts.Offers, err error) {
	wanted := make([]string, len(due))
	for i, one := range due {
		wanted[i] = one.Name + " " + one.Version
	}
	document, script, err := facts.OffersScript(wanted)
	if err != nil {
		return nil, once.Final(ErrRejected, "%s: what staging proved cannot be asked for: %v", in.Instance, err)
	}
	err = a.ask(ctx, s, in, question{
		name: "offers", document: document, script: script, seconds: drySeconds, awaits: "a dry install of what is due",
		purpose: "ask for a dry install",
	}, func(stdout string) error {
		known, err := facts.ParseOffers(stdout, len(wanted))
		offers = known
		return err
	})
	return offers, err
}

// drySeconds is how long the script may take: the lists of repositories may be large, and are read again where
// something is not in them.
const drySeconds = "900"
