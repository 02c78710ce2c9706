package baselinesync

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/baselines"
	"github.com/patchtide/patchtide/internal/aws"
)

// updated hears an update; the simulated AWS does not model the field.
type updated struct {
	aws.SSMAPI // what is not here is not asked
	in         *ssm.UpdatePatchBaselineInput
}

func (u *updated) UpdatePatchBaseline(
	_ context.Context, in *ssm.UpdatePatchBaselineInput, _ ...func(*ssm.Options),
) (*ssm.UpdatePatchBaselineOutput, error) {
	u.in = in
	return &ssm.UpdatePatchBaselineOutput{}, nil
}

// What no file can say of a baseline stays as somebody has set it.
func TestAnUpdateKeepsWhatNoFileSays(t *testing.T) {
	wanted, err := baselines.Load("windows-server-2022")
	require.NoError(t, err)
	heard := &updated{}
	has := &ssm.GetPatchBaselineOutput{
		Name: aws.Ptr("another"), PatchGroups: []string{wanted.PatchGroup},
		AvailableSecurityUpdatesComplianceStatus: types.PatchComplianceStatusNonCompliant,
	}
	id, err := Apply(t.Context(), &aws.Services{SSM: heard}, "production/eu-west-1", wanted, &Found{ID: "pb-1", Has: has})
	require.NoError(t, err)
	require.Equal(t, "pb-1", id)
	require.Equal(t, types.PatchComplianceStatusNonCompliant, heard.in.AvailableSecurityUpdatesComplianceStatus)
}
