package wave_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/payload"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// about is what the wave's approval was about once all of it had been read.
func about(scene *wavetest.Scene) *patch.Case {
	var found patch.Case
	scene.When(func(status patch.WaveStatus) bool {
		return status.State == patch.StateAwaitingApproval && status.Case != nil && !status.Case.Reading
	}, func(status patch.WaveStatus) { found = *status.Case })
	return &found
}

// late lets the person on call look before anything is answered.
func late(scene *wavetest.Scene, answer patch.Verb) {
	scene.Silent = true
	scene.When(func(status patch.WaveStatus) bool {
		return status.State == patch.StateAwaitingApproval && scene.Env.Now().Sub(status.Since) > 5*time.Minute
	}, func(patch.WaveStatus) { scene.Tell(answer, "") })
}

// Staging patches one and puts the other back; whoever approves production is told all of it.
func TestAnApprovalShowsWhatItIsAbout(t *testing.T) {
	const staging = "        bake: 10m\n"
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy",
		Config:   wavetest.PlanWith(staging, staging+"        max_failures: 1\n        promote: with_skips\n"),
		Fleet:    wavetest.WithFaults(nil, world.WorldFault{Kind: world.FaultInstallFails, Account: "staging"}),
	})
	heard := scene.Listen("chat")
	late(scene, patch.Approve)
	told := about(scene)
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.SucceededWithSkips, result.Outcome, result.Reason)

	require.Equal(t, "production", told.Stage)
	require.Empty(t, told.Unknown)
	require.Len(t, told.Before, 1)
	before := told.Before[0]
	require.Equal(t, []any{"staging", 2, 1, 1}, []any{
		before.Stage, before.Instances, before.Patched, before.UnprovenCount,
	})
	require.Equal(t, patch.RolledBack, before.Unproven[0].Outcome)
	require.NotEmpty(t, before.Unproven[0].Reason)
	patched := result.Stages[0].Groups[0].Instances[slices.IndexFunc(
		result.Stages[0].Groups[0].Instances, func(i patch.InstanceResult) bool { return i.Outcome == patch.Patched },
	)]
	require.Equal(t, patched.Ended.UTC(), before.Since.UTC(), "it soaks since then")
	require.Equal(t, 1, told.Changed.Instances, "what was put back is no change")
	require.Len(t, told.Changed.Packages, patched.Changes)
	for _, one := range told.Changed.Packages {
		require.Equal(t, 1, one.Instances)
		require.NotEqual(t, one.From, one.To)
	}
	require.Equal(t, []int{4, 4, 0}, []int{told.Due.Instances, told.Due.Of, told.Due.UnseenCount})
	require.True(t, told.Due.Compared)
	require.Positive(t, told.Due.Patches)
	require.Equal(t, []string{"web-5xx"}, told.Gates)
	require.Len(t, told.Alarms, 1)
	require.Equal(t, patch.AlarmWell, told.Alarms[0].State)
	require.Contains(t, told.Loses, "a roll back of stage production: each of them gets its root volume back")

	said := brief.Case(*told, brief.UTC)
	require.True(t, strings.HasPrefix(said[0], "not proven in staging: staging/ap-northeast-1/Role=web "), said[0])
	var kept activities.WaveDocument
	require.NoError(t, scene.Store.GetWave(t.Context(), result.WaveID, &kept))
	require.Equal(t, said, brief.Case(*kept.Status.Case, brief.UTC), "the evidence keeps what was approved")
	require.Equal(t, []patch.NoticeKind{
		patch.NoticeStarted, patch.NoticeFailedInstance, patch.NoticeAwaitingApproval,
	}, heard.Kinds("chat")[:3])
	require.Equal(t, said, brief.Case(*heard.Heard["chat"][2].Case, brief.UTC), "people are told once all is read")
}

// What nobody can read is told as not known, and keeps nobody from approving.
func TestAnApprovalTellsWhatIsNotKnown(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
	late(scene, patch.Reject)
	told := about(scene)
	scene.When(func(status patch.WaveStatus) bool { return status.Stage == "staging" }, func(patch.WaveStatus) {
		scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
			reads := call.Operation == "DescribeAlarms" || call.Operation == "DescribeInstancePatchStates"
			if call.Account != wavetest.Production || !reads {
				return awssim.Fault{}
			}
			return awssim.Fault{Kind: awssim.FaultError, Code: "AccessDenied", Message: "not authorized"}
		})
	})
	scene.Env.OnActivity("ReadChanges", mock.Anything, mock.Anything).Return(
		nil, temporal.NewNonRetryableApplicationError("the store is away", activities.ErrEvidence, nil),
	)
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Contains(t, result.Reason, "production was not approved: tester", "it was asked all the same")
	require.Len(t, told.Unknown, 3)
	for i, begins := range []string{
		"how its alarms stand in production/ap-northeast-1: ", "what is due in production/ap-northeast-1/web: ",
		"what the stages before changed, and so what they have not seen: ",
	} {
		require.True(t, strings.HasPrefix(told.Unknown[i], begins), told.Unknown[i])
	}
	said := strings.Join(brief.Case(*told, brief.UTC), "\n")
	for _, part := range []string{
		"staging: 2 of 2 patched", "what is due on its 4 instances is not known", "alarms: how web-5xx stand is not known",
	} {
		require.Contains(t, said, part)
	}
}

// Production has a package that no machine of staging has: its patch is named.
func TestAnApprovalNamesWhatStagingHasNotSeen(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: func(s *world.Scenario) {
		const nginx = "nginx.x86_64"
		more := s.OperatingSystems[0]
		more.Name, more.Packages = more.Name+"-more", maps.Clone(more.Packages)
		more.Packages[nginx] = "1:1.26.2-1.amzn2023.0.1"
		for _, of := range s.Patches {
			if of.OS == s.OperatingSystems[0].Name {
				of.OS = more.Name
				s.Patches = append(s.Patches, of)
			}
		}
		s.Patches = append(s.Patches, world.Patch{
			OS: more.Name, ID: nginx, Version: "1:1.26.3-1.amzn2023.0.1", Severity: "Critical", Classification: "Security",
			AgeDays: 10,
		})
		s.OperatingSystems = append(s.OperatingSystems, more)
		group := &s.Accounts[1].Regions[0].Groups[0]
		image := s.Images[slices.IndexFunc(s.Images, func(i world.ImageSpec) bool { return i.Name == group.Image })]
		image.ID, image.Name, image.OS = "ami-0123456789abcdef9", image.Name+"-more", more.Name
		s.Images, group.Image = append(s.Images, image), image.Name
	}})
	late(scene, patch.Reject)
	told := about(scene)
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Aborted, result.Outcome)
	require.Empty(t, told.Unknown)
	require.Equal(t, []string{"nginx.x86_64"}, told.Due.Unseen)
	require.Equal(t, 7, told.Due.Patches)
	require.Equal(t, 2, told.Changed.Instances)
	require.Len(t, told.Changed.Packages, 6)
	for _, one := range told.Changed.Packages {
		require.Equal(t, 2, one.Instances, "what both got is said once")
	}
	require.Contains(t, brief.Case(*told, brief.UTC), "not installed by this wave in the stages before, 1: nginx.x86_64")
}

// Of many groups so many are asked what is due, and how many are not is told; nothing of it is large.
func TestAnApprovalOfManyGroupsIsSmall(t *testing.T) {
	const many, asked = 210, 200
	scene := manyGroups(t, many)
	change := scene.Plans.Change
	scene.Plans.Change = func(plan *patch.Plan) {
		change(plan)
		plan.Stages[0].Approval = &patch.Approval{Timeout: patch.Duration(time.Hour)}
	}
	late(scene, patch.Reject)
	told := about(scene)
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Contains(t, result.Reason, "production was not approved: tester")
	require.Equal(t, []int{asked, many, 6}, []int{told.Due.Instances, told.Due.Of, told.Due.UnseenCount})
	require.Equal(t, []string{
		"what is due on 10 more instances, which were not asked: 200 are, at most",
	}, told.Unknown)
	require.Contains(t, brief.Case(*told, brief.UTC),
		"no stage comes before it: nothing of this was proven anywhere in this wave")
	require.Empty(t, scene.Sizes.Largest(payload.Most/2))
}
