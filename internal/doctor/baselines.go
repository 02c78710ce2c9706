package doctor

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/baselines"
	"github.com/patchtide/patchtide/internal/cloud"
)

// baselines compares Systems Manager's patch baselines with the files, for those that plans use here. One that is not
// there yet is no problem: a wave's first step makes it.
func (p place) baselines(ctx context.Context, clients *cloud.Clients) []Result {
	var results []Result
	for _, name := range p.used() {
		wanted, err := p.Config.Baselines.Load(name)
		if err != nil {
			results = append(results, Result{"baseline", p.String(), Problem, err.Error(), "run `patchtide check`"})
			continue
		}
		result, err := p.compare(ctx, clients, wanted)
		if err != nil {
			result = p.unread("baseline", p.String(), err)
		}
		results = append(results, result)
	}
	return results
}

// used are the baselines of the plans that have groups here.
func (p place) used() []string {
	var names []string
	for _, plan := range p.Config.Plans {
		for _, stage := range plan.Stages {
			for _, group := range stage.Groups {
				if group.Account == p.account.Name && group.Region == p.region {
					names = append(names, cmp.Or(group.Baseline, stage.Baseline, plan.Baseline))
				}
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (p place) compare(ctx context.Context, clients *cloud.Clients, wanted baselines.Baseline) (Result, error) {
	result := Result{Check: "baseline", Where: p.String(), State: OK}
	pages := ssm.NewDescribePatchBaselinesPaginator(
		clients.SSM, &ssm.DescribePatchBaselinesInput{Filters: []ssmtypes.PatchOrchestratorFilter{
			{Key: aws.String("NAME_PREFIX"), Values: []string{wanted.SSMName()}},
			{Key: aws.String("OWNER"), Values: []string{"Self"}},
		}})
	var ids []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return result, err
		}
		for _, each := range page.BaselineIdentities {
			if aws.ToString(each.BaselineName) == wanted.SSMName() && each.OperatingSystem == wanted.OperatingSystem {
				ids = append(ids, aws.ToString(each.BaselineId))
			}
		}
	}
	if len(ids) == 0 {
		result.Says = wanted.SSMName() + " is not there yet: the first wave makes it"
		return result, nil
	}
	// Systems Manager does not keep names unique; a wave takes the same one.
	current, err := clients.SSM.GetPatchBaseline(ctx, &ssm.GetPatchBaselineInput{BaselineId: aws.String(slices.Min(ids))})
	if err != nil {
		return result, err
	}
	if drift := wanted.Diff(current); len(drift) > 0 {
		result.State, result.Says = Problem, fmt.Sprintf(
			"%s differs from the file: %s", wanted.SSMName(), strings.Join(drift, "; "),
		)
		result.Mend = "the next wave makes it equal to the file again; if the change was meant, write it into the " +
			"baseline's file in baselines_dir"
		return result, nil
	}
	result.Says = wanted.SSMName() + " is as the file says"
	return result, nil
}
