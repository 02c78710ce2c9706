package instance_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/internal/worker"
	"github.com/patchtide/patchtide/workflows"
)

// awayEvidence is an evidence store whose records can be neither written nor read for as long as it is away.
type awayEvidence struct {
	activities.Evidence
	why  error
	away atomic.Bool
}

func (e *awayEvidence) AppendJournal(ctx context.Context, wave, name string, record any) error {
	if e.away.Load() {
		return e.why
	}
	return e.Evidence.AppendJournal(ctx, wave, name, record)
}

// No instance stays out of service for the evidence store's sake: it comes back within minutes, and what could not be
// recorded is named.
func TestAnInstanceComesBackWithoutTheEvidenceStore(t *testing.T) {
	denied := errors.New("AccessDenied: s3:PutObject")
	lost := &evidence.InvalidRecordError{Name: "record", Reason: "is signed with a key that nobody has"}
	for _, c := range []struct {
		name  string
		why   error
		fails bool // the install does, and so the way back is an undo
		since patch.Step
	}{
		{"denied from the install on, which fails", denied, true, patch.StepInstall},
		{"denied from the install on", denied, false, patch.StepInstall},
		{"its key is lost", lost, true, patch.StepInstall},
		{"denied from the snapshot on", denied, false, patch.StepSnapshot},
	} {
		t.Run(c.name, func(t *testing.T) {
			var fleet func(*world.Scenario)
			if c.fails {
				fleet = wavetest.FailsOnce(nil)
			}
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: fleet})
			scene.Decide = []patch.Verb{patch.Abort}
			kept := &awayEvidence{Evidence: scene.Control.Evidence, why: c.why}
			scene.Control.Evidence = kept
			var since time.Time
			var victim string
			scene.WhenAtStep(c.since, func(id string) {
				kept.away.Store(true)
				victim, since = id, scene.Env.Now()
				// Somebody scales the group to its max: an instance leaves standby only once max is raised, which is recorded.
				scene.Production(func(g *world.ScalingGroup) { require.NoError(t, g.SetDesired(6)) })
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			first := result.Stages[1].Groups[0].Instances[0]
			require.Equal(t, victim, first.ID)
			scene.Production(func(group *world.ScalingGroup) {
				require.Equal(t, world.LifecycleInService, group.Member(victim).State, "%+v", first)
			})
			require.Less(t, first.Ended.Sub(since), 50*time.Minute)
			require.Contains(t, strings.Join(first.Notes, "\n"), "max was raised without a record of it in the journal: "+
				"record 111122223333/ap-northeast-1/"+victim)
		})
	}
}

// A key that is rotated while an instance is out keeps neither its way back nor a raise of max, there or in a later
// wave, from being recorded.
func TestAKeyIsRotatedWhileAnInstanceIsOut(t *testing.T) {
	first, second, folder := evidence.GenerateKey(), evidence.GenerateKey(), t.TempDir()
	opened := func(options evidence.Options) activities.Evidence {
		store, err := evidence.Open(t.Context(), folder, options)
		require.NoError(t, err)
		return worker.Journal(store)
	}
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: wavetest.FailsOnce(nil)})
	scene.Decide = []patch.Verb{patch.Abort}
	scene.Control.Evidence = opened(evidence.Options{Signer: first})
	scene.WhenAtStep(patch.StepInstall, func(string) {
		scene.Control.Evidence = opened(evidence.Options{Signer: second, Older: []evidence.Signer{first}})
		scene.Production(func(g *world.ScalingGroup) { require.NoError(t, g.SetDesired(6)) })
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	victim := result.Stages[1].Groups[0].Instances[0]
	require.Equal(t, patch.RolledBack, victim.Outcome, victim.Reason)
	require.NotContains(t, strings.Join(victim.Notes, "\n"), "journal")
	require.Contains(t, victim.Stranded[0].State, "max was raised from 6 to 7")

	scene.Production(func(g *world.ScalingGroup) { require.NoError(t, g.SetDesired(4)) })
	require.Empty(t, scene.Reconcile(workflows.ReconcileRequest{}, time.Hour).Failed, "by a record of before and after")
	require.Empty(t, scene.Marks())
	scene.Production(func(g *world.ScalingGroup) { require.Equal(t, 6, g.Max) })
}
