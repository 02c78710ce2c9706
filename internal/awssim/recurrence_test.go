package awssim

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
)

func (f *fleet) schedule(in autoscaling.PutScheduledUpdateGroupActionInput) error {
	in.AutoScalingGroupName, in.ScheduledActionName = aws.String("web"), aws.String("shift")
	if in.DesiredCapacity == nil {
		in.DesiredCapacity = aws.Int32(6)
	}
	_, err := f.scaling.PutScheduledUpdateGroupAction(f.ctx, &in)
	return err
}

func (f *fleet) scheduled() []astypes.ScheduledUpdateGroupAction {
	f.t.Helper()
	out, err := f.scaling.DescribeScheduledActions(
		f.ctx, &autoscaling.DescribeScheduledActionsInput{AutoScalingGroupName: aws.String("web")},
	)
	require.NoError(f.t, err)
	return out.ScheduledUpdateGroupActions
}

// runs lists when the action comes within d, by the minute, each time from desired 4.
func (f *fleet) runs(d time.Duration) []string {
	var at []string
	for range int(d / time.Minute) {
		f.pass(time.Minute)
		f.Inspect(func(w *world.World) {
			group, err := w.Account(production).Region(tokyo).ScalingGroup("web")
			require.NoError(f.t, err)
			if group.Desired != 4 {
				at = append(at, w.Now().Format("02 15:04"))
				four := 4
				require.NoError(f.t, group.Resize(world.Sizes{Desired: &four}))
			}
		})
	}
	return at
}

// The fleet's clock begins on Sunday, 8 November 2026, 02:00 UTC.
func TestRecurringScheduledActions(t *testing.T) {
	day := time.Date(2026, 11, 8, 0, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		name string
		in   autoscaling.PutScheduledUpdateGroupActionInput
		want []string
	}{
		{
			"in UTC unless told otherwise",
			autoscaling.PutScheduledUpdateGroupActionInput{Recurrence: aws.String("30 3 * * *")},
			[]string{"08 03:30", "09 03:30"},
		},
		{
			"by a zone's clocks",
			autoscaling.PutScheduledUpdateGroupActionInput{
				Recurrence: aws.String("0 18 * * 1-5"), TimeZone: aws.String("Asia/Tokyo"),
			},
			[]string{"09 09:00"},
		},
		{
			"at its start, then as it recurs",
			autoscaling.PutScheduledUpdateGroupActionInput{
				Recurrence: aws.String("0 20 * * *"), StartTime: aws.Time(day.Add(5 * time.Hour)),
			},
			[]string{"08 05:00", "08 20:00", "09 20:00"},
		},
		{
			"up to its end",
			autoscaling.PutScheduledUpdateGroupActionInput{
				Recurrence: aws.String("0 */6 * * *"), EndTime: aws.Time(day.Add(13 * time.Hour)),
			},
			[]string{"08 06:00", "08 12:00"},
		},
		{
			"once",
			autoscaling.PutScheduledUpdateGroupActionInput{StartTime: aws.Time(day.Add(9 * time.Hour))},
			[]string{"08 09:00"},
		},
		{
			"on a day that never comes",
			autoscaling.PutScheduledUpdateGroupActionInput{Recurrence: aws.String("0 0 30 2 *")},
			nil,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFleet(t)
			require.NoError(t, f.schedule(tc.in))
			require.Equal(t, tc.want, f.runs(46*time.Hour))
		})
	}
}

func TestRecurrenceOverAChangeOfClocks(t *testing.T) {
	f := newFleet(t)
	f.pass(time.Date(2027, 3, 13, 12, 0, 0, 0, time.UTC).Sub(f.clock()))
	f.clients = f.production()
	require.NoError(
		t,
		f.schedule(
			autoscaling.PutScheduledUpdateGroupActionInput{
				Recurrence: aws.String("30 9 * * *"), TimeZone: aws.String("America/New_York"),
			},
		),
	)
	require.Equal(
		t, []string{"13 14:30", "14 13:30", "15 13:30"}, f.runs(60*time.Hour), "on the fourteenth summer time begins",
	)
}

func TestRecurringActionIsDescribedByItsNextTime(t *testing.T) {
	f := newFleet(t)
	require.NoError(
		t,
		f.schedule(
			autoscaling.PutScheduledUpdateGroupActionInput{Recurrence: aws.String("0 4 * * *"), TimeZone: aws.String("Etc/UTC")},
		),
	)
	action := f.scheduled()[0]
	require.Equal(t, "0 4 * * *", *action.Recurrence)
	require.Equal(t, "Etc/UTC", *action.TimeZone)
	require.Equal(t, f.clock().Add(2*time.Hour), *action.StartTime)
	f.pass(3 * time.Hour)
	require.Equal(t, time.Date(2026, 11, 9, 4, 0, 0, 0, time.UTC), *f.scheduled()[0].StartTime)
	require.EqualValues(t, 6, *f.group().DesiredCapacity)
}

func TestMissedRecurrencesAreNotReplayed(t *testing.T) {
	f := newFleet(t)
	require.NoError(t, f.schedule(autoscaling.PutScheduledUpdateGroupActionInput{Recurrence: aws.String("0 4 * * *")}))
	f.suspend("ScheduledActions")
	require.Empty(t, f.runs(20*time.Hour))
	f.clients = f.production()
	f.resume("ScheduledActions")
	require.Equal(
		t, []string{"09 04:00"}, f.runs(20*time.Hour), "the one that was missed stays missed, the next one comes",
	)
}

func TestSchedulesThatAreRefused(t *testing.T) {
	f := newFleet(t)
	for _, tc := range []struct {
		name string
		in   autoscaling.PutScheduledUpdateGroupActionInput
	}{
		{"no cron", autoscaling.PutScheduledUpdateGroupActionInput{Recurrence: aws.String("daily")}},
		{"six fields", autoscaling.PutScheduledUpdateGroupActionInput{Recurrence: aws.String("0 0 4 * * *")}},
		{"a zone in the cron", autoscaling.PutScheduledUpdateGroupActionInput{Recurrence: aws.String("TZ=UTC")}},
		{
			"no zone of this world",
			autoscaling.PutScheduledUpdateGroupActionInput{
				Recurrence: aws.String("0 4 * * *"), TimeZone: aws.String("Mars/Olympus"),
			},
		},
		{
			"a start in the past",
			autoscaling.PutScheduledUpdateGroupActionInput{StartTime: aws.Time(f.clock().Add(-time.Hour))},
		},
		{
			"an end before its start",
			autoscaling.PutScheduledUpdateGroupActionInput{
				StartTime: aws.Time(f.clock().Add(2 * time.Hour)), EndTime: aws.Time(f.clock().Add(time.Hour)),
			},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			requireCode(t, f.schedule(tc.in), "ValidationError")
			require.Empty(t, f.scheduled())
		})
	}
}
