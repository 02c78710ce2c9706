package baselinesync_test

import (
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/baselines"
	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/simtest"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/baselinesync"
)

// Who changed a baseline is told by CloudTrail, of that baseline and that change only. Where it cannot be told that is
// said, and keeps nobody from the difference.
func TestWhoChangedABaseline(t *testing.T) {
	const us = "arn:aws:sts::111122223333:assumed-role/patchtide/patchtide"
	update := func(t *testing.T, s *aws.Services, id string) {
		_, err := s.SSM.UpdatePatchBaseline(t.Context(), &ssm.UpdatePatchBaselineInput{
			BaselineId: &id, RejectedPatches: []string{"kernel*"},
		})
		require.NoError(t, err)
	}
	create := func(t *testing.T, s *aws.Services, name string) string {
		made, err := s.SSM.CreatePatchBaseline(t.Context(), &ssm.CreatePatchBaselineInput{
			Name: awssdk.String(name), OperatingSystem: types.OperatingSystemAmazonLinux2023,
		})
		require.NoError(t, err)
		return *made.BaselineId
	}
	equal := func(t *testing.T, s *aws.Services, id string) {
		wanted, err := baselines.Load(name)
		require.NoError(t, err)
		found, err := baselinesync.Read(t.Context(), s, "production", wanted)
		require.NoError(t, err)
		require.Equal(t, id, found.ID)
		_, err = baselinesync.Apply(t.Context(), s, "production", wanted, found)
		require.NoError(t, err)
	}
	register := func(t *testing.T, s *aws.Services, id, group string) {
		_, err := s.SSM.RegisterPatchBaselineForPatchGroup(t.Context(), &ssm.RegisterPatchBaselineForPatchGroupInput{
			BaselineId: &id, PatchGroup: &group,
		})
		require.NoError(t, err)
	}
	deregister := func(t *testing.T, s *aws.Services, id, group string) {
		client, is := s.SSM.(*ssm.Client)
		require.True(t, is)
		_, err := client.DeregisterPatchBaselineForPatchGroup(
			t.Context(), &ssm.DeregisterPatchBaselineForPatchGroupInput{BaselineId: &id, PatchGroup: &group},
		)
		require.NoError(t, err)
	}
	for _, c := range []struct {
		name  string
		acts  func(*testing.T, *simtest.Fleet, *aws.Services, string)
		by    string
		notBy string
	}{
		{"by whoever changed it", func(t *testing.T, f *simtest.Fleet, s *aws.Services, id string) {
			f.Pass(time.Hour)
			update(t, s, id)
			f.Pass(time.Hour)
		}, us, ""},
		{"by whoever made it", func(_ *testing.T, f *simtest.Fleet, _ *aws.Services, _ string) { f.Pass(time.Hour) }, us, ""},
		{"another baseline in the same minute", func(t *testing.T, f *simtest.Fleet, s *aws.Services, id string) {
			f.Pass(time.Hour)
			other := create(t, s, "other")
			f.Pass(time.Minute)
			update(t, s, other)
			f.Inspect(func(w *world.World) { // by nobody whom CloudTrail saw
				region := w.Account(simtest.Production.Account.ID).Region(simtest.Tokyo)
				b, err := region.Baseline(id)
				require.NoError(t, err)
				require.NoError(t, region.UpdateBaseline(*b))
			})
			f.Pass(time.Hour)
		}, "", "nobody could say who: CloudTrail has no event of it"},
		{"its patch group was taken, then another", func(t *testing.T, f *simtest.Fleet, s *aws.Services, id string) {
			equal(t, s, id)
			register(t, s, id, "other")
			deregister(t, s, id, name)
			f.Pass(time.Hour)
			deregister(t, s, id, "other")
			f.Pass(time.Hour)
		}, us, ""},
		{
			"too early", func(t *testing.T, f *simtest.Fleet, s *aws.Services, id string) {
				f.Pass(time.Hour)
				update(t, s, id)
			}, "", "nobody can say who yet: CloudTrail tells it up to 15 minutes later",
		},
		{
			"too late", func(_ *testing.T, f *simtest.Fleet, _ *aws.Services, _ string) { f.Pass(91 * 24 * time.Hour) }, "",
			"nobody could say who: CloudTrail tells of 90 days",
		},
		{"the role may not ask", func(t *testing.T, f *simtest.Fleet, _ *aws.Services, _ string) {
			f.Pass(time.Hour)
			policy, err := world.ParsePolicy(`{"Version": "2012-10-17", "Statement": [
				{"Effect": "Allow", "Action": "ssm:*", "Resource": "*"}]}`)
			require.NoError(t, err)
			f.Inspect(func(w *world.World) { w.Account(simtest.Production.Account.ID).SetPolicy("patchtide", policy) })
		}, "", "nobody could say who: the role may not ask CloudTrail (cloudtrail:LookupEvents)"},
		{"CloudTrail is asked too often", func(_ *testing.T, f *simtest.Fleet, _ *aws.Services, _ string) {
			f.Pass(time.Hour)
			asked := 0
			f.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
				if call.Operation != "LookupEvents" || asked > 0 {
					return awssim.Fault{}
				}
				asked++
				return awssim.Fault{Kind: awssim.FaultThrottle}
			})
		}, us, ""},
		{"CloudTrail is away", func(_ *testing.T, f *simtest.Fleet, _ *aws.Services, _ string) {
			f.Pass(time.Hour)
			f.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
				if call.Operation != "LookupEvents" {
					return awssim.Fault{}
				}
				return awssim.Fault{Kind: awssim.FaultNoEndpoint}
			})
		}, "", "nobody could say who: CloudTrail did not answer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := simtest.New(t, simtest.Options{})
			s := f.Services(simtest.Production)
			id := create(t, s, "patchtide-"+name)
			c.acts(t, f, s, id)
			all := places(t, f)[1:]
			shown := baselinesync.Compare(t.Context(), all)
			require.Equal(t, []string{"different"}, conditions(shown))
			require.Equal(t, c.by, shown[0].By)
			require.Equal(t, c.notBy, shown[0].ByUnknown)
			require.Contains(t, shown[0].Since(), c.by+c.notBy)
			if c.name == "its patch group was taken, then another" {
				require.Contains(t, shown[0].Since(), "2026-11-08 02:00 UTC", "not when the other was")
			}
			require.Equal(t, []string{"equal changed"}, conditions(baselinesync.Sync(t.Context(), all, shown)))
		})
	}
}
