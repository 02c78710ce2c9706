package services_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/stretchr/testify/require"
)

func TestPagesJoinUp(t *testing.T) {
	a := staging(t, "healthy")
	client := ssm.NewFromConfig(a.config)
	for n := range 25 {
		_, err := client.CreatePatchBaseline(ctx, &ssm.CreatePatchBaselineInput{
			Name: aws.String(fmt.Sprintf("mine-%02d", n)), OperatingSystem: types.OperatingSystemAmazonLinux2023,
		})
		require.NoError(t, err)
		a.pass(time.Second)
	}
	pages := ssm.NewDescribePatchBaselinesPaginator(client, &ssm.DescribePatchBaselinesInput{
		MaxResults: aws.Int32(10),
		Filters:    []types.PatchOrchestratorFilter{{Key: aws.String("OWNER"), Values: []string{"Self"}}},
	})
	var names []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		require.NoError(t, err)
		for _, identity := range page.BaselineIdentities {
			names = append(names, *identity.BaselineName)
		}
	}
	require.Len(t, names, 25)
	require.Equal(t, "mine-24", names[24])
}
