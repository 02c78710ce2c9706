package wavelog

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func TestFromEvidence(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 11, 22, 2, minute, 0, 0, time.UTC) }
	status := patch.WaveStatus{State: patch.StateClosed, Since: at(9), Decisions: []patch.Decision{
		{
			Verb: patch.RollBack, Scope: patch.ScopeWave, Actor: "alice", Reason: "logins break", At: at(6),
			Point: patch.Point{Stage: "production"},
		},
	}}
	result := patch.WaveResult{
		Outcome: patch.RolledBack,
		Reason:  "rolled back by alice: logins break",
		Stages: []patch.StageResult{
			{
				Name: "production",
				Groups: []patch.GroupResult{
					{Account: "production", Region: "us-east-1", Name: "web", Instances: []patch.InstanceResult{
						{ID: "i-0a", Outcome: patch.RolledBack, Reason: "unhealthy", Started: at(1), Ended: at(5)},
						{ID: "i-0b", Outcome: patch.NotStarted},
					}},
				},
			},
		},
	}
	require.Equal(t, ""+
		"02:01:00   instance  production/us-east-1/web i-0a  begins\n"+
		"02:05:00   instance  production/us-east-1/web i-0a  rolled back: unhealthy\n"+
		"02:06:00   decision  stage production  roll back of the wave by alice: logins break\n"+
		"02:09:00   wave      wave  rolled back: rolled back by alice: logins break\n", text(FromEvidence(status, result)))
	require.Empty(
		t, FromEvidence(patch.WaveStatus{State: patch.StateRunning}, patch.WaveResult{}),
		"a wave that was terminated before anything",
	)
}
