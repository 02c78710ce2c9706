package activities_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/patch"
)

// What several miss is named once; what was judged by another baseline, or never, is not known.
func TestReadDue(t *testing.T) {
	f := newFleet(t)
	baseline := must[activities.RegisteredBaseline](
		f, f.aws.EnsureBaseline, activities.EnsureBaselineInput{Group: staging, Baseline: "amazon-linux-2023"},
	)
	ids := f.Instances(staging.Account.ID)
	in := activities.ReadDueInput{Group: staging, Instances: ids, BaselineID: baseline.BaselineID}
	never := must[activities.DueRead](f, f.aws.ReadDue, in)
	require.Equal(t, activities.DueRead{Patches: []string{}}, never)

	scans := f.scan(ids, baseline.BaselineID)
	due := must[activities.DueRead](f, f.aws.ReadDue, in)
	require.Equal(t, scans[0].Missing, due.Patches)
	require.Equal(t, []int{2, 0}, []int{due.Instances, due.Unnamed})
	require.False(t, due.Oldest.IsZero())

	in.BaselineID = "pb-0123456789abcdef0"
	require.Zero(t, must[activities.DueRead](f, f.aws.ReadDue, in).Instances)
	require.Zero(t, f.Calls("SendCommand")-1, "it scans nothing")
}

func TestReadAlarms(t *testing.T) {
	f := newFleet(t)
	in := activities.ReadAlarmsInput{Group: production, Alarms: []string{"web-5xx"}}
	read := must[activities.AlarmsRead](f, f.aws.ReadAlarms, in)
	require.Len(t, read.Alarms, 1)
	require.Equal(t, patch.AlarmWell, read.Alarms[0].State)
	in.Alarms = append(in.Alarms, "none")
	_, err := run[activities.AlarmsRead](f, 0, f.aws.ReadAlarms, in)
	requireType(t, err, aws.InvalidInput)
}
