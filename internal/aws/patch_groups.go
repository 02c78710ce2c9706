package aws

import (
	"context"
	"maps"
	"slices"

	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/internal/patch"
)

// WantedBaseline is a plan's baseline as Systems Manager knows it, or will once a wave has made it.
type WantedBaseline struct {
	Name       string // in Systems Manager
	PatchGroup string
	System     ssmtypes.OperatingSystem
}

// ReadJudges reads which of the instances Systems Manager would judge by another baseline than the wanted one. A patch
// group that no baseline has counts as the wanted one's: a wave registers it. For a patch group that is not registered
// Systems Manager answers with the default of the operating system.
func ReadJudges(
	ctx context.Context, s *Services, where string, wanted WantedBaseline, instances map[string]ec2types.Instance,
) (*patch.Judges, error) {
	ours, err := findBaseline(ctx, s, where, wanted.Name, wanted.System)
	if err != nil {
		return nil, err
	}
	judges := &patch.Judges{
		Baseline: wanted.Name, PatchGroup: wanted.PatchGroup, System: string(wanted.System), Asked: len(instances),
	}
	other, err := ReadHolder(ctx, s, where, wanted, Deref(ours.BaselineId))
	switch {
	case err != nil:
		return nil, err
	case other == nil:
	case ours.BaselineId == nil && Deref(other.Name) == wanted.Name: // made since, or not listed yet
		ours.BaselineId = other.BaselineId
	default:
		judges.TakenBy, judges.TakenByID = Deref(other.Name), Deref(other.BaselineId)
	}
	ofGroup := map[string]bool{wanted.PatchGroup: true}
	ofGroup[""] = ours.DefaultBaseline // the last word, for a baseline without a patch group
	for _, id := range slices.Sorted(maps.Keys(instances)) {
		tags := instances[id].Tags
		joined, spaced := TagOf(tags, patch.TagPatchGroup), TagOf(tags, patch.TagPatchGroupSpaced)
		name, sure := patch.PatchGroupOf(joined, spaced)
		judged, known := ofGroup[name]
		if !known && sure && ours.BaselineId != nil {
			judge, err := judgeOf(ctx, s, where, name, wanted.System)
			if err != nil {
				return nil, err
			}
			judged = judge != "" && BareID(judge) == BareID(Deref(ours.BaselineId))
			ofGroup[name] = judged
		}
		if !judged || !sure {
			judges.Elsewhere = append(judges.Elsewhere, patch.Elsewhere{Instance: id, Joined: joined, Spaced: spaced})
		}
	}
	return judges, nil
}

// ReadHolder is the baseline that is registered for the wanted one's patch group in its place; nil where none is. ours
// is the wanted one's id; "" where it is not there yet.
func ReadHolder(
	ctx context.Context, s *Services, where string, wanted WantedBaseline, ours string,
) (*ssm.GetPatchBaselineOutput, error) {
	if wanted.PatchGroup == "" {
		return nil, nil
	}
	judge, err := judgeOf(ctx, s, where, wanted.PatchGroup, wanted.System)
	if err != nil || judge == "" || BareID(judge) == BareID(ours) {
		return nil, err
	}
	other, err := s.SSM.GetPatchBaseline(ctx, &ssm.GetPatchBaselineInput{BaselineId: &judge})
	if err != nil {
		return nil, Wrap("read the patch baseline "+judge, where, err)
	}
	if !slices.Contains(other.PatchGroups, wanted.PatchGroup) { // it is the default only
		return nil, nil
	}
	return other, nil
}

// judgeOf is the baseline that judges a patch group: the one that is registered for it, else the default; "" where AWS
// knows none. Its texts do not say which of the two it answers of a group that nobody has registered.
func judgeOf(
	ctx context.Context, s *Services, where, patchGroup string, system ssmtypes.OperatingSystem,
) (string, error) {
	out, err := s.SSM.GetPatchBaselineForPatchGroup(ctx, &ssm.GetPatchBaselineForPatchGroupInput{
		PatchGroup: &patchGroup, OperatingSystem: system,
	})
	if IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", Wrap("read which baseline judges the patch group "+patchGroup, where, err)
	}
	return Deref(out.BaselineId), nil
}

// ReadAdopted is which baseline Systems Manager has for each instance, as "NAME (ID)", by the system that its agent
// tells: the one of its patch group, else the default of its system. "" is told of one whose system no agent has told,
// and of one whose two tags name different patch groups.
func ReadAdopted(
	ctx context.Context, s *Services, where string, instances map[string]ec2types.Instance, systems map[string]string,
) (map[string]string, error) {
	type asked struct{ group, system string }
	names, judges := map[asked]string{}, map[string]string{}
	for _, id := range slices.Sorted(maps.Keys(instances)) {
		tags := instances[id].Tags
		group, sure := patch.PatchGroupOf(TagOf(tags, patch.TagPatchGroup), TagOf(tags, patch.TagPatchGroupSpaced))
		of := asked{group, systems[id]}
		if !sure || of.system == "" {
			continue
		}
		if _, known := names[of]; !known {
			name, err := adopted(ctx, s, where, group, ssmtypes.OperatingSystem(of.system))
			if err != nil {
				return nil, err
			}
			names[of] = name
		}
		judges[id] = names[of]
	}
	return judges, nil
}

// adopted names the baseline of a patch group, or the default of a system.
func adopted(
	ctx context.Context, s *Services, where, group string, system ssmtypes.OperatingSystem,
) (name string, err error) {
	id := ""
	if group != "" {
		if id, err = judgeOf(ctx, s, where, group, system); err != nil {
			return "", err
		}
	}
	pages := ssm.NewDescribePatchBaselinesPaginator(s.SSM, &ssm.DescribePatchBaselinesInput{
		Filters: []ssmtypes.PatchOrchestratorFilter{{Key: Ptr("OPERATING_SYSTEM"), Values: []string{string(system)}}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", Wrap("list the patch baselines", where, err)
		}
		for _, one := range page.BaselineIdentities {
			if BareID(Deref(one.BaselineId)) == BareID(id) || id == "" && one.DefaultBaseline {
				return Deref(one.BaselineName) + " (" + BareID(Deref(one.BaselineId)) + ")", nil
			}
		}
	}
	return BareID(id), nil
}
