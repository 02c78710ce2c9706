package aws

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

// Every kind of health check is observed, and nothing is observed that nobody judges.
func TestEveryKindOfHealthCheckIsObserved(t *testing.T) {
	require.Len(t, healthObservers, len(patch.HealthKinds()))
	for _, kind := range patch.HealthKinds() {
		require.NotNil(t, healthObservers[kind.Key].observe, kind.Key)
	}
}

// A check that this worker cannot read must not count as passed.
func TestAHealthCheckOfNoKnownKindIsRefused(t *testing.T) {
	known := patch.HealthCheck{Alarm: "web-5xx"}
	require.NoError(t, HealthQuery{Checks: []patch.HealthCheck{known}}.Validate())
	err := HealthQuery{Checks: []patch.HealthCheck{known, {}}}.Validate()
	require.ErrorContains(t, err, "health check 2 is of no kind that this worker knows")
}
