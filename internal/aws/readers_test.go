package aws_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/simtest"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
)

const nowhere = "i-0123456789abcdef0"

// What is not there: a finder answers nothing, a reader with an error that says so.
func TestFindAnswersNothingWhereReadFails(t *testing.T) {
	f := simtest.New(t, simtest.Options{})
	s, missing := f.Services(simtest.Production), simtest.Production
	missing.AutoScalingGroup = "nowhere"
	gone := aws.Instance{Group: simtest.Production, ID: nowhere}

	_, err := aws.FindGroup(t.Context(), s, missing)
	require.Equal(t, aws.Passing, aws.KindOf(err), "one look that does not show it proves nothing")
	s.Unseen = true
	group, err := aws.FindGroup(t.Context(), s, missing)
	require.NoError(t, err)
	require.Nil(t, group)
	_, err = aws.ReadGroup(t.Context(), s, missing)
	require.Equal(t, aws.GroupNotFound, aws.KindOf(err))
	_, err = aws.ReadGroupState(t.Context(), s, missing)
	require.Equal(t, aws.GroupNotFound, aws.KindOf(err))

	_, err = aws.FindMachine(t.Context(), s, gone)
	require.Equal(t, aws.Passing, aws.KindOf(err), "one look that does not show it proves nothing")
	f.Pass(time.Minute)
	machine, err := aws.FindMachine(t.Context(), s, gone)
	require.NoError(t, err)
	require.Nil(t, machine)
	for name, read := range map[string]func() error{
		"ReadMachine":  func() error { _, err := aws.ReadMachine(t.Context(), s, gone); return err },
		"ReadMember":   func() error { _, _, err := aws.ReadMember(t.Context(), s, gone); return err },
		"ReadSighting": func() error { _, err := aws.ReadSighting(t.Context(), s, gone, nil); return err },
	} {
		require.Equal(t, aws.Gone, aws.KindOf(read()), name)
	}

	execution, err := aws.FindExecution(t.Context(), s, "here", "00000000-0000-4000-8000-000000000000")
	require.NoError(t, err)
	require.Nil(t, execution)
	document, err := aws.FindDocument(t.Context(), s, "here", "Patchtide-PatchInstance", "$LATEST")
	require.NoError(t, err)
	require.Nil(t, document)
	invocation, err := aws.FindInvocation(
		t.Context(), s, "here", f.Instances(simtest.Production.Account.ID)[0], "00000000-0000-4000-8000-000000000000",
	)
	require.NoError(t, err)
	require.Nil(t, invocation)
}

// A reader that AWS does not answer says what it was about to read, and where.
func TestReadersSayWhatTheyWereReading(t *testing.T) {
	f := simtest.New(t, simtest.Options{})
	s := f.Services(simtest.Staging)
	for _, c := range []struct {
		name  string
		fault awssim.Fault
		kind  string
	}{
		{"denied", awssim.Fault{Kind: awssim.FaultError, Code: "UnauthorizedOperation", Status: 403}, aws.Denied},
		{"a server's error", awssim.Fault{Kind: awssim.FaultError, Code: "InternalError", Status: 500}, aws.Passing},
		{"no reply", awssim.Fault{Kind: awssim.FaultTimeout}, aws.Passing},
	} {
		t.Run(c.name, func(t *testing.T) {
			f.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
				if call.Operation == "DescribeInstances" {
					return c.fault
				}
				return awssim.Fault{}
			})
			_, err := aws.ReadGroupState(t.Context(), s, simtest.Staging)
			require.Equal(t, c.kind, aws.KindOf(err))
			require.ErrorContains(t, err, "describe instances (staging/ap-northeast-1/Role=web)")
		})
	}
}

// Instances outside of their group are read as what they are: not there, or a member of some group.
func TestReadQuarantined(t *testing.T) {
	f := simtest.New(t, simtest.Options{})
	s := f.Services(simtest.Production)
	state, err := aws.ReadGroupState(t.Context(), s, simtest.Production)
	require.NoError(t, err)
	seen, err := aws.ReadQuarantined(t.Context(), s, aws.Instance{Group: simtest.Production, ID: state.Members[0].ID})
	require.NoError(t, err)
	require.True(t, seen.Present)
	require.Equal(t, "web", seen.Member)
	require.Zero(t, seen.Quarantine)

	away := aws.Instance{Group: patch.Group{Account: simtest.Production.Account, Region: simtest.Tokyo}, ID: nowhere}
	_, err = aws.ReadQuarantined(t.Context(), s, away)
	require.Equal(t, aws.Passing, aws.KindOf(err))
	f.Pass(time.Minute)
	seen, err = aws.ReadQuarantined(t.Context(), s, away)
	require.NoError(t, err)
	require.False(t, seen.Present)
	require.True(t, seen.At.Equal(f.Clock()), "AWS's clock is read all the same")
}

// A composite alarm is left out of the answer to a role that may not describe all alarms: who reads that must learn
// why.
func TestACompositeAlarmNeedsPermissionForAll(t *testing.T) {
	for name, c := range map[string]struct{ resource, says string }{
		"all alarms":  {"*", ""},
		"some alarms": {"arn:aws:cloudwatch:*:*:alarm:*", `cloudwatch:DescribeAlarms on "Resource": "*"`},
	} {
		t.Run(name, func(t *testing.T) {
			f := simtest.New(t, simtest.Options{})
			policy, err := world.ParsePolicy(`{"Version": "2012-10-17", "Statement": [
				{"Effect": "Allow", "Action": "cloudwatch:DescribeAlarms", "Resource": "` + c.resource + `"}]}`)
			require.NoError(t, err)
			f.Inspect(func(w *world.World) {
				account := w.Account(simtest.Production.Account.ID)
				account.SetPolicy("patchtide", policy)
				region := account.Region(simtest.Production.Region)
				region.PutAlarm(&world.Alarm{Name: "all-of-web", Rule: `ALARM("web-5xx")`, State: world.AlarmOK})
			})
			read := func(names ...string) ([]patch.AlarmObservation, error) {
				return aws.ReadAlarms(t.Context(), f.Services(simtest.Production), simtest.Production, names, 0)
			}
			_, err = read("web-5xx")
			require.NoError(t, err, "a metric alarm is told to either")
			seen, err := read("all-of-web", "web-5xx")
			if c.says != "" {
				require.Equal(t, aws.InvalidInput, aws.KindOf(err))
				require.ErrorContains(t, err, `there is no CloudWatch alarm "all-of-web"`)
				require.ErrorContains(t, err, c.says)
				return
			}
			require.NoError(t, err)
			require.Len(t, seen, 2)
			require.Zero(t, seen[0].Needs, "nobody knows how long it takes to ring")
		})
	}
}
