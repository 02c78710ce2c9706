package activities

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/baselinesync"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// Blocks answers which patches are blocked. An error means that nobody knows, and nothing begins.
type Blocks = baselinesync.Blocks

// NewBlocks reads them in the evidence, which keeps them: no Temporal need know of them, and none can forget them.
func NewBlocks(evidence Evidence) Blocks { return keptBlocks{evidence} }

type keptBlocks struct{ evidence Evidence }

// Blocked has also what was cleared lately, as what binds no longer: a baseline may reject it still.
func (k keptBlocks) Blocked(ctx context.Context) (patch.Blocks, error) {
	kept, _, err := readBlocks(ctx, k.evidence)
	all := kept.Blocked
	for _, one := range kept.Cleared {
		if at := one.At; !slices.ContainsFunc(kept.Blocked, one.Patch.Same) {
			one.Patch.Until = at
			all = append(all, one.Patch)
		}
	}
	return all, err
}

// readBlocks reads what is kept of blocked patches, and its version.
func readBlocks(ctx context.Context, from Evidence) (kept patch.KeptBlocks, version int, err error) {
	version, err = from.ProvenVersion(ctx, names.BlockedPatches, &kept)
	var missing *evidence.NotFoundError
	if errors.As(err, &missing) {
		return patch.KeptBlocks{}, 0, nil
	}
	return kept, version, evidenceError("read which patches are blocked", err)
}

// blockAttempts is how often a change of what is blocked begins anew because somebody else was quicker; then the
// activity is tried again.
const blockAttempts = 5

// changeBlocks changes what is blocked. Two who do so at once both are heard, and a change whose answer was lost finds
// itself there: change is asked anew of what has been written meanwhile. One that changes nothing writes nothing.
func (c *Control) changeBlocks(ctx context.Context, change func(*patch.KeptBlocks) (changed bool)) error {
	var conflict *evidence.ConflictError
	for range blockAttempts {
		kept, version, err := readBlocks(ctx, c.Evidence)
		if err != nil {
			return err
		}
		if !change(&kept) {
			return nil
		}
		err = c.Evidence.PutVersion(ctx, names.BlockedPatches, version, kept)
		if !errors.As(err, &conflict) {
			return evidenceError("keep which patches are blocked", err)
		}
	}
	return evidenceError("keep which patches are blocked", conflict)
}

// ReadBlocks reads what is kept of blocked patches.
func (c *Control) ReadBlocks(ctx context.Context) (*patch.KeptBlocks, error) {
	kept, _, err := readBlocks(ctx, c.Evidence)
	kept.Suspects = nil // nobody asks for them, and they may be many
	return &kept, err
}

// BlockPatchesInput is what somebody blocks, with who, when and why in each.
type BlockPatchesInput struct {
	Patches []patch.BlockedPatch
}

// PatchesChanged is what a change came to.
type PatchesChanged struct {
	Fresh   patch.Blocks // blocked now, or otherwise than before
	Cleared patch.Blocks // blocked no longer
	Blocked patch.Blocks // all that are kept by now
}

// BlockPatches blocks patches. What is blocked already is blocked once.
func (c *Control) BlockPatches(ctx context.Context, in BlockPatchesInput) (*PatchesChanged, error) {
	done := &PatchesChanged{}
	var full error
	err := c.changeBlocks(ctx, func(kept *patch.KeptBlocks) bool {
		fresh, changed := kept.Block(in.Patches...)
		*done = PatchesChanged{Fresh: fresh, Blocked: kept.Blocked}
		full = mayBlock(kept.Blocked, in.Patches)
		return changed && full == nil
	})
	if err == nil && full != nil {
		return nil, full
	}
	return done, err
}

// mayBlock refuses what would leave baselines no room, so that nothing could be patched any more.
func mayBlock(all patch.Blocks, added []patch.BlockedPatch) error {
	if len(added) == 0 {
		return nil
	}
	if count := len(all.At(added[0].Since, added[0].Platform)); count > patch.MostBlocked {
		return once.Final(ErrInvalidInput, "with these %d patches %d would be blocked, and at most %d may be, for baselines "+
			"reject no more: name those that are to blame, or clear others (patchtide patch list)", len(added), count,
			patch.MostBlocked)
	}
	return nil
}

// ClearPatchesInput is what somebody clears.
type ClearPatchesInput struct {
	Patches       []patch.BlockedPatch
	Actor, Reason string
	At            time.Time
}

// ClearPatches clears patches; one that is not blocked stays so.
func (c *Control) ClearPatches(ctx context.Context, in ClearPatchesInput) (*PatchesChanged, error) {
	done := &PatchesChanged{}
	err := c.changeBlocks(ctx, func(kept *patch.KeptBlocks) (changed bool) {
		*done = PatchesChanged{}
		for _, one := range in.Patches {
			was, differs := kept.Clear(one, in.Actor, in.Reason, in.At)
			if changed = changed || differs; was != nil {
				done.Cleared = append(done.Cleared, *was)
			}
		}
		done.Blocked = kept.Blocked
		return changed
	})
	return done, err
}

// FailedWith is an instance that failed its health checks.
type FailedWith struct {
	Instance string
	Why      string
	Ended    time.Time `json:",omitzero"`  // when it had failed; zero: now
	Adopts   bool      `json:",omitempty"` // it is judged by a baseline of others', which rejects nothing for us
}

// BlamePatchesInput is whom a person blames for failed instances of a wave.
type BlamePatchesInput struct {
	WaveID        string
	Failed        []FailedWith // none: all of the wave's instances
	Names         []string     // packages, or all
	Actor, Reason string
	At            time.Time
}

// BlamePatches blocks what a person blames of what failed instances got, by what the evidence proves of them. What none
// of them got is InvalidInput, which names what they did.
func (c *Control) BlamePatches(ctx context.Context, in BlamePatchesInput) (*PatchesChanged, error) {
	unnamed := len(in.Failed) == 0
	if unnamed { // a wave that has closed tells who failed by its evidence
		ids, err := c.Evidence.ListInstances(ctx, in.WaveID)
		if err != nil {
			return nil, evidenceError("list what was done by wave "+in.WaveID, err)
		}
		for _, id := range ids {
			in.Failed = append(in.Failed, FailedWith{Instance: id})
		}
	}
	suspects, err := c.suspects(ctx, in.WaveID, in.Failed, in.At)
	if err != nil {
		return nil, err
	}
	failed := slices.DeleteFunc(slices.Clone(suspects), func(s patch.Suspicion) bool { return s.Left })
	well := unnamed && len(failed) == 0 // whoever blames what was patched well knows something that no check does
	if unnamed && !well {
		suspects = failed
	}
	blamed, err := patch.Blame(in.Names, suspects)
	if err != nil {
		return nil, once.Final(ErrInvalidInput, "%v", err)
	}
	for i := range blamed {
		if well {
			blamed[i].Failed = nil
		}
		blamed[i].Actor, blamed[i].Reason, blamed[i].Since = in.Actor, in.Reason, in.At
	}
	return c.BlockPatches(ctx, BlockPatchesInput{Patches: blamed})
}

// SuspectPatchesInput are instances of a wave that failed their health checks.
type SuspectPatchesInput struct {
	WaveID string
	Failed []FailedWith
	At     time.Time
}

// Suspected is what came of suspicions.
type Suspected struct {
	Alike []patch.Alike
}

// SuspectPatches keeps what failed instances got, and tells where another instance, of whichever wave, has failed with
// the same difference.
func (c *Control) SuspectPatches(ctx context.Context, in SuspectPatchesInput) (*Suspected, error) {
	suspects, err := c.suspects(ctx, in.WaveID, in.Failed, in.At)
	if err != nil {
		return nil, err
	}
	done := &Suspected{}
	err = c.changeBlocks(ctx, func(kept *patch.KeptBlocks) (changed bool) {
		done.Alike, changed = kept.Suspect(suspects...)
		return changed
	})
	return done, err
}

// suspects are what the evidence proves that failed instances got.
func (c *Control) suspects(
	ctx context.Context, wave string, failed []FailedWith, at time.Time,
) ([]patch.Suspicion, error) {
	ids := make([]string, len(failed))
	for i, one := range failed {
		ids[i] = one.Instance
	}
	machines, _, err := c.proven(ctx, wave, ids)
	if err != nil {
		return nil, err
	}
	var found []patch.Suspicion
	for _, details := range machines {
		for _, one := range failed {
			if one.Instance != details.Instance {
				continue
			}
			failed := at
			if !one.Ended.IsZero() {
				failed = one.Ended
			}
			if suspect := patch.Suspect(details, one.Why, failed); suspect != nil {
				suspect.ByName = suspect.ByName || one.Adopts
				found = append(found, *suspect)
			}
		}
	}
	return found, nil
}

// blocked are the patches that bind at a moment; without a keeper, as in tests of one activity, none do.
func (a *AWS) blocked(ctx context.Context, platform patch.Platform, at time.Time) (patch.Blocks, error) {
	if a.Blocks == nil {
		return nil, nil
	}
	all, err := a.Blocks.Blocked(ctx)
	return all.At(at, platform), err
}

// judgedBlocks are patches that are blocked, and whether a baseline can reject one.
type judgedBlocks struct {
	patch.Blocks
	rejects func(patch.BlockedPatch) bool
}

// judgedBlocks are the patches that bind at a moment, and which of them a plan's baseline can reject; "": none.
func (a *AWS) judgedBlocks(ctx context.Context, baseline string, at time.Time) (known judgedBlocks, err error) {
	known.rejects = func(patch.BlockedPatch) bool { return false }
	if baseline != "" {
		of, err := a.baselineOf(baseline)
		if err != nil {
			return known, err
		}
		known.rejects = of.Rejects
	}
	known.Blocks, err = a.blocked(ctx, "", at)
	return known, err
}

// triesToKnow is how often it is asked what is blocked before nobody knows.
const triesToKnow = 4

// knownBlocks is what is known of patches that are blocked for the machines of a baseline. That nobody knows is an
// answer.
func (a *AWS) knownBlocks(ctx context.Context, in ReadInterferenceInput, at time.Time) (*patch.KnownBlocks, error) {
	of, err := a.baselineOf(in.Baseline)
	if err != nil {
		return nil, err
	}
	blocked, err := a.blocked(ctx, of.Platform, at)
	var final *temporal.ApplicationError
	switch {
	case err == nil:
	case errors.As(err, &final) && final.NonRetryable(), activity.GetInfo(ctx).Attempt >= triesToKnow:
		return &patch.KnownBlocks{Unknown: err.Error()}, nil
	default:
		return nil, err // it may be known in a moment
	}
	known := &patch.KnownBlocks{Digest: blocked.Digest()}
	if _, err := of.Rejecting(blocked); err != nil {
		known.TooMany = err.Error()
	}
	if in.Blocked {
		known.Told = blocked.Tells()
	}
	return known, nil
}

// rejectNow has the baseline reject what is blocked by now, before something is judged or installed by it.
func (a *AWS) rejectNow(ctx context.Context, group patch.Group, baseline string, at time.Time) error {
	if baseline == "" {
		return nil
	}
	_, err := a.EnsureBaseline(ctx, EnsureBaselineInput{Group: group, Baseline: baseline, At: at})
	return err
}

// gotBlocked is what came with an install though it is blocked, by the machine's own lists of packages.
func (a *AWS) gotBlocked(
	ctx context.Context, at time.Time, report patch.PatchReport, packages aws.Packages,
) ([]string, error) {
	if at.IsZero() || report.Before == nil || report.After == nil { // which is judged by itself
		return nil, nil
	}
	blocked, err := a.blocked(ctx, "", at)
	switch {
	case err != nil || len(blocked) == 0:
		return nil, err
	case packages.Before == nil || packages.After == nil:
		return []string{"nobody can tell, for it has not told which packages it holds"}, nil
	}
	return blocked.Arrivals(packages.Before, packages.After), nil
}
