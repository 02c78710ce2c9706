package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
)

// That a cancel ends which no agent answers is promised nowhere (the API reference of CancelCommand gives no guarantee
// that a command stops; that `Cancelling` stays is unverified, and a doubt of the simulator's). A machine whose agent
// is silent is not waited for: whatever still runs there is on the root volume that is about to be replaced.
func TestACancelThatNoAgentAnswers(t *testing.T) {
	for name, stays := range map[string][]world.Doubt{
		"it ends with the command's time": nil, "it never ends": {world.DoubtCancellingStays},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFleetOf(t, func(s *world.Scenario) {
				s.Doubts, s.Durations.Install = stays, world.Duration(10*time.Minute)
			})
			id := f.Instances(staging.Account.ID)[0]
			execution := must[activities.Execution](f, f.aws.StartInstall, f.startInstall(id))
			f.Pass(time.Minute)
			f.Inspect(func(w *world.World) {
				w.Account(staging.Account.ID).Region(staging.Region).Instance(id).StopAgent()
			})
			f.Pass(time.Minute)
			in := activities.AwaitInstallInput{
				Instance: activities.Instance{Group: staging, ID: id}, Execution: execution, Pace: pace,
			}
			must[nothing](f, f.aws.StopInstall, in)
			report, err := run[patch.PatchReport](f, 15*time.Minute, f.aws.AwaitStopped, in)
			require.NoError(t, err)
			require.True(t, report.Installing)
			require.Nil(t, report.After)
		})
	}
}

// A silent agent excuses no command that neither a step nor a list has told of yet: it may wait for the agent, and
// would patch what was put back.
func TestASilentAgentDoesNotHideACommandThatIsNotListed(t *testing.T) {
	const never = 1000 * time.Hour
	f := newFleetOf(t, func(s *world.Scenario) {
		s.Doubts = []world.Doubt{world.DoubtCancellingStays}
		s.Durations.CommandLag, s.Durations.StepLag = world.Duration(40*time.Minute), world.Duration(never)
		s.Durations.Install = world.Duration(10 * time.Minute)
	})
	id := f.Instances(staging.Account.ID)[0]
	f.Inspect(func(w *world.World) { w.Account(staging.Account.ID).Region(staging.Region).Instance(id).StopAgent() })
	f.Pass(10 * time.Minute) // Systems Manager knows that it is silent
	execution := must[activities.Execution](f, f.aws.StartInstall, f.startInstall(id))
	f.Pass(10 * time.Second)
	in := activities.AwaitInstallInput{
		Instance: activities.Instance{Group: staging, ID: id}, Execution: execution, Pace: pace,
	}
	must[nothing](f, f.aws.StopInstall, in)
	began := f.Clock()
	_, err := run[patch.PatchReport](f, 15*time.Minute, f.aws.AwaitStopped, in)
	require.True(t, err != nil || f.Clock().Sub(began) >= pace.ReadLag.D(), "nobody has seen what its first step sent")
}

// Systems Manager takes no cancel for an instance that is no more, and there is nothing to cancel.
func TestStopInstallOfAnInstanceThatIsGone(t *testing.T) {
	f := newFleet(t)
	id := f.Instances(staging.Account.ID)[0]
	execution := must[activities.Execution](f, f.aws.StartInstall, f.startInstall(id))
	f.Pass(40 * time.Second)
	f.Inspect(func(w *world.World) {
		w.Account(staging.Account.ID).Region(staging.Region).Instance(id).Terminate()
	})
	f.Pass(5 * time.Minute)
	_, err := run[nothing](f, time.Hour, f.aws.StopInstall, activities.AwaitInstallInput{
		Instance: activities.Instance{Group: staging, ID: id}, Execution: execution, Pace: pace,
	})
	requireType(t, err, activities.ErrGone)
}
