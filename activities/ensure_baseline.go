package activities

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/patchtide/patchtide/baselines"
	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// EnsureBaselineInput names a baseline of baselines/ by name.
type EnsureBaselineInput struct {
	Group    patch.Group // its account and region
	Baseline string
}

// RegisteredBaseline is a baseline as SSM has it.
type RegisteredBaseline struct {
	BaselineID string
}

// baselineOf reads a plan's baseline from the files. An unknown name is InvalidInput and lists those that exist.
func (a *AWS) baselineOf(plan string) (baselines.Baseline, error) {
	load := baselines.Load
	if a.Baselines != nil {
		load = a.Baselines.Load
	}
	wanted, err := load(plan)
	if err != nil {
		return baselines.Baseline{}, once.Final(ErrInvalidInput, "baseline of the plan: %v", err)
	}
	return wanted, nil
}

// EnsureBaseline makes SSM's baseline equal to the file, by name, and registers it for its patch group. It changes
// nothing when they are equal already. An unknown name is InvalidInput and lists those that exist.
func (a *AWS) EnsureBaseline(ctx context.Context, in EnsureBaselineInput) (_ *RegisteredBaseline, err error) {
	defer once.Typed(&err)
	wanted, err := a.baselineOf(in.Baseline)
	if err != nil {
		return nil, err
	}
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return nil, err
	}
	where := in.Group.Account.Name + "/" + in.Group.Region
	id, err := aws.FindBaseline(ctx, s, where, wanted.SSMName(), wanted.OperatingSystem)
	if err != nil {
		return nil, err
	}
	var current *ssm.GetPatchBaselineOutput
	if id == "" {
		id, current, err = createBaseline(ctx, s, where, wanted)
	} else {
		current, err = readBaseline(ctx, s, where, wanted, id)
	}
	if err != nil {
		return nil, err
	}
	if err := updateBaseline(ctx, s, where, wanted, current); err != nil {
		return nil, err
	}
	if wanted.PatchGroup == "" || slices.Contains(current.PatchGroups, wanted.PatchGroup) {
		return &RegisteredBaseline{BaselineID: id}, nil
	}
	_, err = s.SSM.RegisterPatchBaselineForPatchGroup(
		ctx, &ssm.RegisterPatchBaselineForPatchGroupInput{BaselineId: &id, PatchGroup: &wanted.PatchGroup},
	)
	if aws.HasCode(err, aws.CodeAlreadyExists) {
		return nil, once.Final(ErrRejected, "%s: the patch group %s belongs to another baseline; take it from that one, "+
			"or name another patch_group in the baseline %s",
			where, wanted.PatchGroup, wanted.Name)
	}
	if err != nil {
		return nil, aws.Wrap("register the patch group "+wanted.PatchGroup, where, err)
	}
	return &RegisteredBaseline{BaselineID: id}, nil
}

// baselinesDeleted is up to how many deletions of one baseline are gone through. How long AWS keeps a token, and
// whether what it made may have been deleted, is unverified: it publishes neither.
const baselinesDeleted = 10

// createBaseline makes the baseline, with the content's hash as token: a lost reply, or another worker at the same
// time, makes no second one. AWS keeps tokens for a time that it does not tell, be it that what one made was deleted
// since, or that the token was used for other content: then another token is used, the same for all who meet it.
func createBaseline(
	ctx context.Context, s *aws.Services, where string, wanted baselines.Baseline,
) (string, *ssm.GetPatchBaselineOutput, error) {
	token := "patchtide-" + wanted.Hash()
	for range baselinesDeleted {
		create := wanted.ToSSM()
		create.ClientToken = &token
		out, err := s.SSM.CreatePatchBaseline(ctx, create)
		if aws.IsTokenUsed(err) {
			token += "-"
			continue
		}
		if err != nil {
			return "", nil, aws.Wrap("create the patch baseline "+wanted.SSMName(), where, err)
		}
		id := aws.Deref(out.BaselineId)
		current, err := readBaseline(ctx, s, where, wanted, id)
		if !aws.IsNotFound(err) {
			return id, current, err
		}
		token = "patchtide-" + wanted.Hash() + "-not-" + id // it was deleted
	}
	return "", nil, once.Final(
		ErrRejected, "%s: AWS answers the creation of the patch baseline %s again and again with one that was deleted; make "+
			"it by hand, with that name, then try again", where, wanted.SSMName(),
	)
}

func readBaseline(
	ctx context.Context, s *aws.Services, where string, wanted baselines.Baseline, id string,
) (*ssm.GetPatchBaselineOutput, error) {
	current, err := s.SSM.GetPatchBaseline(ctx, &ssm.GetPatchBaselineInput{BaselineId: &id})
	return current, aws.Wrap("read the patch baseline "+wanted.SSMName(), where, err)
}

// updateBaseline puts back what differs from the file. Replace, for what the file leaves out must go.
func updateBaseline(
	ctx context.Context, s *aws.Services, where string, wanted baselines.Baseline, current *ssm.GetPatchBaselineOutput,
) error {
	content := *current
	content.PatchGroups = []string{wanted.PatchGroup} // registering is a call of its own
	if len(wanted.Diff(&content)) == 0 {
		return nil
	}
	create := wanted.ToSSM()
	_, err := s.SSM.UpdatePatchBaseline(ctx, &ssm.UpdatePatchBaselineInput{
		BaselineId: current.BaselineId, Replace: aws.Ptr(true), Name: create.Name, Description: create.Description,
		ApprovalRules: create.ApprovalRules, ApprovedPatches: create.ApprovedPatches,
		ApprovedPatchesComplianceLevel:   create.ApprovedPatchesComplianceLevel,
		ApprovedPatchesEnableNonSecurity: create.ApprovedPatchesEnableNonSecurity, Sources: create.Sources,
		RejectedPatches: create.RejectedPatches, RejectedPatchesAction: create.RejectedPatchesAction,
	})
	return aws.Wrap("update the patch baseline "+wanted.SSMName(), where, err)
}
