package activities

import (
	"testing"
	"time"

	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/stretchr/testify/require"
)

func TestWhosePatchState(t *testing.T) {
	started := time.Date(2026, 11, 8, 2, 0, 0, 400e6, time.UTC)
	stood := started.Add(3 * time.Minute) // before, by a node's clock that is fast
	const mine, foreign = "0f1e2d3c-0000-4000-8000-000000000000", "11111111-0000-4000-8000-000000000000"
	for _, test := range []struct {
		name     string
		before   map[string]time.Time
		ended    time.Time
		kind     ssmtypes.PatchOperationType
		snapshot string
		want     owner
	}{
		{"ours, in other letters", nil, started.Add(time.Minute), ssmtypes.PatchOperationTypeScan, mine, ours},
		{
			"ours, ended in the second it started, which AWS rounds down", nil, started.Truncate(time.Second),
			ssmtypes.PatchOperationTypeScan, mine, ours,
		},
		{
			"that of the last run: ours is not in yet", nil, started.Add(-time.Minute), ssmtypes.PatchOperationTypeInstall, foreign,
			notYet,
		},
		{"no state at all", nil, time.Time{}, "", "", notYet},
		{"somebody's later scan", nil, started.Add(time.Minute), ssmtypes.PatchOperationTypeScan, foreign, another},
		{"a later install with our snapshot", nil, started.Add(time.Minute), ssmtypes.PatchOperationTypeInstall, mine, another},
		{
			"on a node whose clock is fast, the one before: ours is not in yet",
			map[string]time.Time{"i-1": stood},
			stood,
			ssmtypes.PatchOperationTypeScan, mine, notYet,
		},
		{
			"on a node whose clock was put back meanwhile",
			map[string]time.Time{"i-1": stood},
			started.Add(-time.Hour),
			ssmtypes.PatchOperationTypeScan, mine, ours,
		},
		{
			"the first one, on a node whose clock is slow",
			map[string]time.Time{"i-1": {}},
			started.Add(-10 * time.Minute),
			ssmtypes.PatchOperationTypeScan, mine, ours,
		},
		{
			"the first one, and it shows late", map[string]time.Time{"i-1": {}}, time.Time{}, "", "", notYet,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			state := ssmtypes.InstancePatchState{Operation: test.kind, SnapshotId: &test.snapshot}
			if !test.ended.IsZero() {
				state.OperationEndTime = &test.ended
			}
			ticket := ScanTicket{
				SnapshotID: "0F1E2D3C-0000-4000-8000-000000000000", Started: started, Before: test.before,
			}
			require.Equal(t, test.want, whose(ticket, "i-1", state))
		})
	}
}
