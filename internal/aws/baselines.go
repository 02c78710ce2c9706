package aws

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// FindBaseline looks for a baseline of our account by its name, which Systems Manager does not keep unique; "" when
// there is none.
func FindBaseline(
	ctx context.Context, s *Services, where, name string, system ssmtypes.OperatingSystem,
) (string, error) {
	found, err := findBaseline(ctx, s, where, name, system)
	return Deref(found.BaselineId), err
}

// findBaseline is FindBaseline with whether it is the default of its operating system; the zero value when there is
// none.
func findBaseline(
	ctx context.Context, s *Services, where, name string, system ssmtypes.OperatingSystem,
) (ssmtypes.PatchBaselineIdentity, error) {
	found, err := FindBaselines(ctx, s, where, name)
	if err != nil {
		return ssmtypes.PatchBaselineIdentity{}, err
	}
	found = slices.DeleteFunc(found, func(one ssmtypes.PatchBaselineIdentity) bool {
		return one.OperatingSystem != system
	})
	if len(found) == 0 {
		return ssmtypes.PatchBaselineIdentity{}, nil
	}
	return slices.MinFunc(found, func(a, b ssmtypes.PatchBaselineIdentity) int {
		return strings.Compare(Deref(a.BaselineId), Deref(b.BaselineId))
	}), nil
}

// FindBaselines are all baselines of our account of one name, whatever their operating systems.
func FindBaselines(
	ctx context.Context, s *Services, where, name string,
) (found []ssmtypes.PatchBaselineIdentity, err error) {
	pages := ssm.NewDescribePatchBaselinesPaginator(
		s.SSM, &ssm.DescribePatchBaselinesInput{Filters: []ssmtypes.PatchOrchestratorFilter{
			{Key: Ptr("NAME_PREFIX"), Values: []string{name}}, {Key: Ptr("OWNER"), Values: []string{"Self"}},
		}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, Wrap("look for the patch baseline "+name, where, err)
		}
		for _, baseline := range page.BaselineIdentities {
			if Deref(baseline.BaselineName) == name {
				found = append(found, baseline)
			}
		}
	}
	return found, nil
}
