package activities

import (
	"testing"
	"time"

	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/stretchr/testify/require"
)

func TestWhosePatchState(t *testing.T) {
	started := time.Date(2026, 11, 8, 2, 0, 0, 400e6, time.UTC)
	ticket := ScanTicket{SnapshotID: "0F1E2D3C-0000-4000-8000-000000000000", Started: started}
	const mine, foreign = "0f1e2d3c-0000-4000-8000-000000000000", "11111111-0000-4000-8000-000000000000"
	for _, test := range []struct {
		name     string
		ended    time.Time
		kind     ssmtypes.PatchOperationType
		snapshot string
		want     owner
	}{
		{"ours, in other letters", started.Add(time.Minute), ssmtypes.PatchOperationTypeScan, mine, ours},
		{
			"ours, ended in the second it started, which AWS rounds down", started.Truncate(time.Second),
			ssmtypes.PatchOperationTypeScan, mine, ours,
		},
		{
			"that of the last run: ours is not in yet", started.Add(-time.Minute), ssmtypes.PatchOperationTypeInstall, foreign,
			notYet,
		},
		{"no state at all", time.Time{}, "", "", notYet},
		{"somebody's later scan", started.Add(time.Minute), ssmtypes.PatchOperationTypeScan, foreign, another},
		{"a later install with our snapshot", started.Add(time.Minute), ssmtypes.PatchOperationTypeInstall, mine, another},
	} {
		t.Run(test.name, func(t *testing.T) {
			state := ssmtypes.InstancePatchState{Operation: test.kind, SnapshotId: &test.snapshot}
			if !test.ended.IsZero() {
				state.OperationEndTime = &test.ended
			}
			require.Equal(t, test.want, whose(ticket, state))
		})
	}
}
