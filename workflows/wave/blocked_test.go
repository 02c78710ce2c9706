package wave_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

const (
	blockedCurl = "curl-minimal.x86_64:0:8.11.1-4.amzn2023.0.3"
	badLibs     = "openssl-libs.x86_64:1:3.2.2-1.amzn2023.0.7"
)

// blockPatch blocks a patch, as a person would.
func blockPatch(t *testing.T, scene *wavetest.Scene, text string, until time.Time) {
	one, err := patch.ParsePatch("", text)
	if err == nil {
		one.Actor, one.Reason, one.Since, one.Until = "ann", "logins fail", scene.Env.Now(), until
		_, err = scene.Control.BlockPatches(context.Background(), activities.BlockPatchesInput{
			Patches: []patch.BlockedPatch{one},
		})
	}
	if err != nil {
		t.Errorf("block %s: %v", text, err)
	}
}

// holding counts the machines of an account that hold a patch.
func holding(scene *wavetest.Scene, account, text string) (count int) {
	id, version, _ := strings.Cut(text, ":")
	scene.Sim.Inspect(func(w *world.World) {
		for _, instance := range w.Account(account).Region(wavetest.Tokyo).Instances() {
			if instance.Disk().Version(id) == version {
				count++
			}
		}
	})
	return count
}

// No machine gets a patch that is blocked, whenever that was said.
func TestNoMachineGetsABlockedPatch(t *testing.T) {
	for _, c := range []struct {
		name       string
		pinned     bool
		before     func(*testing.T, *wavetest.Scene)
		staging    int // machines that hold it in the end
		production int
		outcome    patch.Outcome
		said       string // of the first instance of production
	}{
		{name: "nothing is blocked", staging: 2, production: 4, outcome: patch.Succeeded},
		{
			name: "blocked before", outcome: patch.Succeeded,
			before: func(t *testing.T, s *wavetest.Scene) { blockPatch(t, s, blockedCurl, time.Time{}) },
		},
		{
			name: "its time is over", staging: 2, production: 4, outcome: patch.Succeeded,
			before: func(t *testing.T, s *wavetest.Scene) { blockPatch(t, s, blockedCurl, s.Env.Now().Add(-time.Second)) },
		},
		{
			name: "blocked between staging and production", staging: 2, outcome: patch.Succeeded,
			before: func(t *testing.T, s *wavetest.Scene) {
				onceStagingIsDone(s, func() { blockPatch(t, s, blockedCurl, time.Time{}) })
			},
		},
		{
			name: "blocked while the first machine of production is patched", staging: 2, outcome: patch.Aborted,
			said: "it got what is blocked: curl-minimal.x86_64 0:8.11.1-4.amzn2023.0.3 is blocked by ann",
			before: func(t *testing.T, s *wavetest.Scene) {
				s.WhenAtStep(patch.StepInstall, func(string) { blockPatch(t, s, blockedCurl, time.Time{}) })
			},
		},
		{
			name: "staging has proved it", pinned: true, staging: 2, outcome: patch.Aborted,
			said: "refused: BlockedPatch: ",
			before: func(t *testing.T, s *wavetest.Scene) {
				onceStagingIsDone(s, func() { blockPatch(t, s, blockedCurl, time.Time{}) })
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			options := wavetest.Options{Scenario: "healthy"}
			if c.pinned {
				options = pinned("healthy", nil)
			}
			scene := wavetest.New(t, options)
			if c.pinned {
				scene.MakeLists()
			}
			if c.before != nil {
				c.before(t, scene)
			}
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, c.outcome, result.Outcome, "%+v", result)
			require.Empty(t, result.Stranded)
			require.Equal(t, c.staging, holding(scene, wavetest.Staging, blockedCurl))
			require.Equal(t, c.production, holding(scene, wavetest.Production, blockedCurl))
			var said []string
			for _, one := range result.Stages[1].Groups[0].Instances {
				said = append(said, one.Reason)
			}
			require.Contains(t, strings.Join(said, "\n"), c.said)
			status, answers := scene.Status()
			require.True(t, answers)
			require.Equal(t, c.name == "blocked before", len(status.Blocked) == 1, "%v", status.Blocked)
		})
	}
}

// deafBlocks does not know what is blocked.
type deafBlocks struct{}

func (deafBlocks) Blocked(context.Context) (patch.Blocks, error) {
	return nil, errors.New("the bucket is away")
}

// A wave that cannot know what is blocked does not begin.
func TestAWaveThatCannotKnowWhatIsBlockedDoesNotBegin(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
	scene.AWS.Blocks = deafBlocks{}
	_, err := scene.Run(wavetest.WebWave)
	require.ErrorContains(t, err, "BlockedPatch: ")
	require.ErrorContains(t, err, "nobody knows which patches are blocked: the bucket is away")
	require.Empty(t, scene.Effects("EnterStandby"))
}

// Whoever decides at a hold blames what was to blame: that is blocked, and the next wave leaves it out.
func TestWhoDecidesAtAHoldBlames(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "bad-patch"})
	scene.Silent = true
	people := scene.Listen("ops")
	scene.When(wavetest.InState(patch.StateAwaitingApproval), func(patch.WaveStatus) { scene.Tell(patch.Approve, "") })
	scene.When(wavetest.InState(patch.StateOnHold), func(status patch.WaveStatus) {
		request := wavetest.Because("logins fail")
		request.Point, request.Blame = status.Point(), "opensl"
		scene.Env.UpdateWorkflow(string(patch.RollBack), "", &testsuite.TestUpdateCallback{
			OnAccept: func() {}, OnReject: func(err error) { t.Errorf("rejected: %v", err) },
			OnComplete: func(_ any, err error) {
				if err == nil || !strings.Contains(err.Error(), `none of the instances got "opensl"; they got curl-minimal`) {
					t.Errorf("a misspelt package: %v", err)
				}
				request.Blame = "openssl-libs"
				scene.MustTake(patch.RollBack, request)
			},
		}, request)
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.RolledBack, result.Outcome, "%+v", result)
	kept, err := scene.Control.ReadBlocks(t.Context())
	require.NoError(t, err)
	require.Len(t, kept.Blocked, 1)
	require.Equal(t, badLibs, kept.Blocked[0].Argument())
	require.Equal(t, "tester", kept.Blocked[0].Actor)
	require.Len(t, kept.Blocked[0].Failed, 1)
	require.Contains(t, kept.Blocked[0].String(), "logins fail (failed with it: i-")
	status, answers := scene.Status()
	require.True(t, answers)
	require.Contains(t, strings.Join(brief.Write(status, patch.Waits{}, brief.UTC, brief.UTC).Groups, "\n"),
		"openssl-libs.x86_64 1:3.2.2-1.amzn2023.0.7 is blocked by tester")
	last := status.Decisions[len(status.Decisions)-1]
	require.Contains(t, last.Told(), "roll back, which blames openssl-libs by tester (logins fail)")
	require.Contains(t, people.Kinds("ops"), patch.NoticeBlocked)
	for _, told := range people.Heard["ops"] { // staging's machines run it, and are not put back
		if told.Kind == patch.NoticeBlocked {
			said := strings.Join(told.Findings, "\n")
			require.Equal(t, 2, strings.Count(said, " got openssl-libs.x86_64 by "+status.WaveID+", and was left with it"), said)
		}
	}
	require.Contains(t, strings.Join(status.Blocked, "\n"), "and was left with it when it was blocked: it is not put back for that; once that wave has closed")

	scene.Again(scene.Env.Now().Add(time.Hour))
	scene.Env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: "wave-next", TaskQueue: names.TaskQueue})
	scene.Silent = false
	result, err = scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	require.Zero(t, holding(scene, wavetest.Production, badLibs))
}

// Whom a roll back puts back is not named as one that keeps what is blamed, and not sent to another roll back.
func TestABlameNamesNobodyWhomItsRollBackPutsBack(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "bad-patch"})
	scene.Silent = true
	scene.When(wavetest.InState(patch.StateAwaitingApproval), func(patch.WaveStatus) { scene.Tell(patch.Approve, "") })
	scene.When(wavetest.InState(patch.StateOnHold), func(status patch.WaveStatus) {
		request := wavetest.Because("logins fail")
		request.Point, request.Blame, request.Scope = status.Point(), "openssl-libs", patch.ScopeWave
		scene.MustTake(patch.RollBack, request)
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.RolledBack, result.Outcome, "%+v", result)
	status, answers := scene.Status()
	require.True(t, answers)
	said := strings.Join(status.Blocked, "\n")
	require.Contains(t, said, "this roll back puts back 2 instances of "+status.WaveID+" that got it")
	require.NotContains(t, said, "was left with it")
	require.Zero(t, holding(scene, wavetest.Staging, badLibs))
}

// Two instances that fail their health checks with the same difference are told of where a person decides, and at the
// wave's end what they failed with is blocked, unless a machine is well with it.
func TestTwoThatFailAlike(t *testing.T) {
	for _, c := range []struct {
		name    string
		config  func([]byte) []byte
		blocked bool
	}{
		{"staging is well with it", nil, false},
		{"nobody is well with it", wavetest.ProductionOnly(wavetest.PlanWith(
			"approval: {required: true, timeout: 24h}", "approval: {required: false}")), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "bad-patch", Config: c.config})
			people := scene.Listen("ops")
			scene.Decide = []patch.Verb{patch.Skip, patch.Abort}
			var asked []string
			scene.OnHold = func(status patch.WaveStatus) {
				asked = append(asked, status.Awaiting)
				if len(asked) == 2 { // in its middle nothing is blocked
					kept, err := scene.Control.ReadBlocks(context.Background())
					if err != nil || len(kept.Blocked) > 0 {
						t.Errorf("blocked: %v, %v", kept, err)
					}
				}
			}
			_, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Len(t, asked, 2)
			require.NotContains(t, asked[0], "same difference")
			require.Contains(t, asked[1], "failed their health checks with the same difference: curl-minimal.x86_64 0:8.11.1-4")
			require.Contains(t, asked[1], "--blame PACKAGE")
			kept, err := scene.Control.ReadBlocks(t.Context())
			require.NoError(t, err)
			told := people.Heard["ops"]
			last := told[len(told)-1]
			require.Equal(t, patch.NoticeFinished, last.Kind)
			status, _ := scene.Status()
			require.NotEmpty(t, status.Blocked)
			if !c.blocked {
				require.Empty(t, kept.Blocked)
				require.Contains(t, strings.Join(last.Findings, ""), "nothing of it is blocked by itself: i-")
				require.Empty(t, last.Commands)
				return
			}
			require.NotEmpty(t, kept.Blocked)
			require.Equal(t, "two failed alike in wave "+status.WaveID, kept.Blocked[0].Reason)
			require.Len(t, kept.Blocked[0].Failed, 2)
			require.Len(t, last.Findings, len(kept.Blocked))
			require.Equal(t, kept.Blocked.Clear(), last.Commands)

			// The next wave leaves them out, and is well.
			scene.Again(scene.Env.Now().Add(time.Hour))
			scene.Decide = nil
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Zero(t, holding(scene, wavetest.Production, badLibs), "%+v", result)
		})
	}
}

// A closed wave is rolled back with the blame as well: of what it left patched, for no check had failed.
func TestARollBackOfAClosedWaveBlames(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
	scene.OwnersStay()
	scene.Play(func(s wavetest.Story) {
		s.Wave("wave-web-1")
		for _, c := range []struct{ blame, problem string }{{"curl", "none of the instances got"}, {"curl-minimal", ""}} {
			child := workflow.WithChildOptions(s.Ctx, workflow.ChildWorkflowOptions{WorkflowID: names.RollBack("wave-web-1")})
			err := workflow.ExecuteChildWorkflow(child, names.RollBackWave, workflows.RollBackRequest{
				WaveID: "wave-web-1", Actor: "tester", Reason: "logins fail", Blame: c.blame, AcceptLoss: true,
			}).Get(child, nil)
			if c.problem == "" && err != nil || c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem)) {
				t.Errorf("%s: %v", c.blame, err)
			}
		}
	})
	kept, err := scene.Control.ReadBlocks(t.Context())
	require.NoError(t, err)
	require.Len(t, kept.Blocked, 1)
	require.Equal(t, blockedCurl, kept.Blocked[0].Argument())
	require.Zero(t, holding(scene, wavetest.Production, blockedCurl))
}

// A plan says what is blocked and left out, by whom and why.
func TestAPlanTellsWhatIsBlocked(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
	blockPatch(t, scene, blockedCurl, time.Time{})
	scene.Env.ExecuteWorkflow(names.PreviewWave, workflows.PreviewRequest{Plan: "web", Scan: true})
	require.NoError(t, scene.Env.GetWorkflowError())
	var result workflows.PreviewResult
	require.NoError(t, scene.Env.GetWorkflowResult(&result))
	require.Equal(t, patch.WouldRun, result.Outcome, "%+v", result.Preview.Blockers)
	require.Contains(t, strings.Join(result.Preview.Notes, "\n"), "left out on 4 machines: curl-minimal.x86_64 "+
		"0:8.11.1-4.amzn2023.0.3 is blocked by ann since ")
	for _, stage := range result.Preview.Stages {
		for _, instance := range stage.Groups[0].Instances {
			for _, missing := range instance.Missing {
				require.NotEqual(t, "curl-minimal.x86_64", missing.ID)
			}
		}
	}
}

// People list, block and clear patches.
func TestPeopleBlockAndClearPatches(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
	people := scene.Listen("ops")
	ask := func(request workflows.PatchesRequest) (result workflows.PatchesResult, err error) {
		scene.Again(scene.Env.Now().Add(time.Hour))
		scene.Env.ExecuteWorkflow(names.Patches, request)
		if err = scene.Env.GetWorkflowError(); err == nil {
			err = scene.Env.GetWorkflowResult(&result)
		}
		return result, err
	}
	request := workflows.PatchesRequest{
		Verb: patch.BlockPatch, Patches: []string{blockedCurl}, Actor: "ann", Reason: "logins fail",
	}
	for name, c := range map[string]struct {
		change func(*workflows.PatchesRequest)
		want   string
	}{
		"no reason":      {func(r *workflows.PatchesRequest) { r.Reason = "" }, "reason: is missing"},
		"no patch":       {func(r *workflows.PatchesRequest) { r.Patches = nil }, "patches: name at least one"},
		"no version":     {func(r *workflows.PatchesRequest) { r.Patches = []string{"curl"} }, "names no version"},
		"until the past": {func(r *workflows.PatchesRequest) { r.Until = "2020-01-01T00:00:00Z" }, "has passed"},
		"until nothing":  {func(r *workflows.PatchesRequest) { r.Until = "soon" }, "no moment in RFC 3339"},
		"to clear without a reason": {
			func(r *workflows.PatchesRequest) { r.Verb, r.Reason = patch.ClearPatch, "" }, "reason: is missing",
		},
	} {
		wrong := request
		c.change(&wrong)
		_, err := ask(wrong)
		require.ErrorContains(t, err, c.want, name)
	}
	result, err := ask(request)
	require.NoError(t, err)
	require.Len(t, result.Fresh, 1)
	result, err = ask(request)
	require.NoError(t, err)
	require.Empty(t, result.Fresh, "once")
	require.Len(t, result.Blocked, 1)
	result, err = ask(workflows.PatchesRequest{})
	require.NoError(t, err)
	require.Contains(t, result.Blocked[0].String(), "is blocked by ann since 2036-11-22 ")
	request.Verb, request.Reason = patch.ClearPatch, "it was the deployment"
	result, err = ask(request)
	require.NoError(t, err)
	require.Len(t, result.Cleared, 1)
	require.Empty(t, result.Blocked)
	result, err = ask(request)
	require.NoError(t, err)
	require.Len(t, result.Not, 1)
	result, err = ask(workflows.PatchesRequest{})
	require.NoError(t, err)
	require.Equal(t, "it was the deployment", result.Before[0].Reason)
	var told []string
	for _, notice := range people.Heard["ops"] {
		told = append(told, notice.Subject)
	}
	require.Equal(t, []string{
		"curl-minimal.x86_64 0:8.11.1-4.amzn2023.0.3 is blocked for every plan and account",
		"curl-minimal.x86_64 0:8.11.1-4.amzn2023.0.3 is no longer blocked",
	}, told)
}
