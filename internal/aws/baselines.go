package aws

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// FindBaseline looks for a baseline of our account by its name, which Systems Manager does not keep unique; "" when
// there is none.
func FindBaseline(
	ctx context.Context, s *Services, where, name string, system ssmtypes.OperatingSystem,
) (string, error) {
	var found []string
	pages := ssm.NewDescribePatchBaselinesPaginator(
		s.SSM, &ssm.DescribePatchBaselinesInput{Filters: []ssmtypes.PatchOrchestratorFilter{
			{Key: Ptr("NAME_PREFIX"), Values: []string{name}}, {Key: Ptr("OWNER"), Values: []string{"Self"}},
		}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", Wrap("look for the patch baseline "+name, where, err)
		}
		for _, baseline := range page.BaselineIdentities {
			if Deref(baseline.BaselineName) == name && baseline.OperatingSystem == system {
				found = append(found, Deref(baseline.BaselineId))
			}
		}
	}
	if len(found) == 0 {
		return "", nil
	}
	return slices.Min(found), nil
}
