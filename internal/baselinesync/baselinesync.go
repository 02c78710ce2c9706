// Package baselinesync compares a baseline's file with what Systems Manager has, and makes the one like the other. It
// is the one place that does: waves, scans, doctor and the operator's commands go through it.
package baselinesync

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/patchtide/patchtide/baselines"
	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/patch"
)

// Found is what Systems Manager has of a baseline in one account and region.
type Found struct {
	ID          string                      // "" where there is none of that name
	Has         *ssm.GetPatchBaselineOutput // nil there
	Differences []baselines.Difference
}

// Missing reports whether there is none of that name.
func (f Found) Missing() bool { return f.ID == "" }

// Equal reports whether it is there and as the file says.
func (f Found) Equal() bool { return !f.Missing() && len(f.Differences) == 0 }

// onlyGroup is the patch group that is not registered, where nothing else differs; else "".
func (f Found) onlyGroup() string {
	if len(f.Differences) == 1 && f.Differences[0].What == baselines.PatchGroup {
		return f.Differences[0].Wanted
	}
	return ""
}

// Read compares. Systems Manager does not keep names unique; of several always the same one is taken.
func Read(ctx context.Context, s *aws.Services, where string, wanted baselines.Baseline) (*Found, error) {
	id, err := aws.FindBaseline(ctx, s, where, wanted.SSMName(), wanted.OperatingSystem)
	if err != nil || id == "" {
		return &Found{}, err
	}
	return get(ctx, s, where, wanted, id)
}

func get(ctx context.Context, s *aws.Services, where string, wanted baselines.Baseline, id string) (*Found, error) {
	has, err := s.SSM.GetPatchBaseline(ctx, &ssm.GetPatchBaselineInput{BaselineId: &id})
	if err != nil {
		return nil, aws.Wrap("read the patch baseline "+wanted.SSMName(), where, err)
	}
	return &Found{ID: id, Has: has, Differences: wanted.Differences(has)}, nil
}

// Blocks answers which patches are blocked, or were lately. An error means that nobody knows.
type Blocks interface {
	Blocked(ctx context.Context) (patch.Blocks, error)
}

// Forgiving is what was found, compared with the file and what is blocked, or was: that is no drift. With it comes the
// baseline that it is compared with. Nobody is asked where nothing is rejected beside the file that may be blocked.
func (f *Found) Forgiving(
	ctx context.Context, file baselines.Baseline, blocks Blocks,
) (*Found, baselines.Baseline, error) {
	if f.Missing() {
		return f, file, nil
	}
	compared := *f
	if compared.Differences = file.Differences(f.Has); blocks != nil && file.MayForgive(f.Has) {
		known, err := blocks.Blocked(ctx)
		if err != nil {
			return nil, file, err
		}
		file = file.Forgiving(f.Has, known)
		compared.Differences = file.Differences(f.Has)
	}
	return &compared, file, nil
}

// Apply makes Systems Manager's baseline equal to the file, from what Read has found, and registers it for its patch
// group. It changes nothing when they are equal already, and takes a patch group from nobody.
func Apply(
	ctx context.Context, s *aws.Services, where string, wanted baselines.Baseline, found *Found,
) (id string, err error) {
	if found.Missing() {
		if found, err = create(ctx, s, where, wanted); err != nil {
			return "", err
		}
	}
	if err := update(ctx, s, where, wanted, found); err != nil {
		return "", err
	}
	return found.ID, register(ctx, s, where, wanted, found)
}

// created is up to how many deletions of one baseline are gone through. How long AWS keeps a token, and whether what it
// made may have been deleted, is unverified: it publishes neither.
const created = 10

// create makes the baseline, with the content's hash as token: a lost reply, or another worker at the same time, makes
// no second one. AWS keeps tokens for a time that it does not tell, be it that what one made was deleted since, or that
// the token was used for other content: then another token is used, the same for all who meet it.
func create(ctx context.Context, s *aws.Services, where string, wanted baselines.Baseline) (*Found, error) {
	token := "patchtide-" + wanted.Hash()
	for range created {
		in := wanted.ToSSM()
		in.ClientToken = &token
		out, err := s.SSM.CreatePatchBaseline(ctx, in)
		if aws.IsTokenUsed(err) {
			token += "-"
			continue
		}
		if err != nil {
			return nil, aws.Wrap("create the patch baseline "+wanted.SSMName(), where, err)
		}
		id := aws.Deref(out.BaselineId)
		found, err := get(ctx, s, where, wanted, id)
		if !aws.IsNotFound(err) {
			return found, err
		}
		token = "patchtide-" + wanted.Hash() + "-not-" + id // it was deleted
	}
	return nil, aws.Final(
		aws.Refused, "%s: AWS answers the creation of the patch baseline %s again and again with one that was deleted; make "+
			"it by hand, with that name, then try again", where, wanted.SSMName(),
	)
}

// update puts back what differs from the file. Replace, for what the file leaves out must go.
func update(ctx context.Context, s *aws.Services, where string, wanted baselines.Baseline, found *Found) error {
	content := *found.Has
	content.PatchGroups = []string{wanted.PatchGroup} // registering is a call of its own
	if len(wanted.Diff(&content)) == 0 {
		return nil
	}
	create := wanted.ToSSM()
	_, err := s.SSM.UpdatePatchBaseline(ctx, &ssm.UpdatePatchBaselineInput{
		BaselineId: &found.ID, Replace: aws.Ptr(true), Name: create.Name, Description: create.Description,
		ApprovalRules: create.ApprovalRules, ApprovedPatches: create.ApprovedPatches,
		ApprovedPatchesComplianceLevel:   create.ApprovedPatchesComplianceLevel,
		ApprovedPatchesEnableNonSecurity: create.ApprovedPatchesEnableNonSecurity, Sources: create.Sources,
		RejectedPatches: create.RejectedPatches, RejectedPatchesAction: create.RejectedPatchesAction,
		// What no file says would be set to null by Replace (API reference, UpdatePatchBaseline).
		AvailableSecurityUpdatesComplianceStatus: found.Has.AvailableSecurityUpdatesComplianceStatus,
	})
	return aws.Wrap("update the patch baseline "+wanted.SSMName(), where, err)
}

func register(ctx context.Context, s *aws.Services, where string, wanted baselines.Baseline, found *Found) error {
	if wanted.PatchGroup == "" || slices.Contains(found.Has.PatchGroups, wanted.PatchGroup) {
		return nil
	}
	_, err := s.SSM.RegisterPatchBaselineForPatchGroup(
		ctx, &ssm.RegisterPatchBaselineForPatchGroupInput{BaselineId: &found.ID, PatchGroup: &wanted.PatchGroup},
	)
	if aws.HasCode(err, aws.CodeAlreadyExists) {
		return aws.Final(aws.Refused, "%s: the patch group %s belongs to another baseline; take it from that one, "+
			"or name another patch_group in the baseline %s",
			where, wanted.PatchGroup, wanted.Name)
	}
	return aws.Wrap("register the patch group "+wanted.PatchGroup, where, err)
}

// Drift is how a baseline that was there differed from its file, and what is known of how that came about.
type Drift struct {
	Differences []string   `json:"differences"`
	Modified    *time.Time `json:"modified,omitempty"`   // when it was changed last, by whomever
	By          string     `json:"by,omitempty"`         // who did, by CloudTrail: an ARN
	ByUnknown   string     `json:"by_unknown,omitempty"` // why that is not told
	Origin      string     `json:"origin,omitempty"`
}

// driftOf is nil where nothing differs, or nothing was there.
func driftOf(wanted baselines.Baseline, found *Found) *Drift {
	if found.Missing() || found.Equal() {
		return nil
	}
	drift := &Drift{Modified: found.Has.ModifiedDate, Origin: wanted.Origin(found.Has)}
	if found.onlyGroup() != "" { // registering is no change of the baseline
		drift.Modified, drift.Origin = nil, ""
	}
	for _, one := range found.Differences {
		drift.Differences = append(drift.Differences, one.String())
	}
	return drift
}

// Since says when it was changed last, by whom, and how it came to differ, as far as that is known.
func (d Drift) Since() string {
	said := "nobody could say when it was changed"
	if d.Modified != nil {
		said = "it was changed last on " + d.Modified.UTC().Format("2006-01-02 15:04 MST")
	}
	switch {
	case d.By != "":
		said += " by " + d.By
	case d.ByUnknown != "":
		said += "; " + d.ByUnknown
	}
	if d.Origin != "" {
		said += "; " + d.Origin
	}
	return said
}

// String is all of it in one sentence.
func (d Drift) String() string {
	const most = 5
	named := d.Differences
	more := ""
	if len(named) > most {
		named, more = named[:most], fmt.Sprintf("; and %d more", len(d.Differences)-most)
	}
	text := ""
	for i, one := range named {
		if i > 0 {
			text += "; "
		}
		text += one
	}
	return text + more + " (" + d.Since() + ")"
}
