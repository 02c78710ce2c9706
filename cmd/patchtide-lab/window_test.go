package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/config"
)

func TestTheLaboratoryOpensItsOwnWindow(t *testing.T) {
	t.Setenv(externalIDEnv, "made-up")
	loaded, err := config.Parse(exampleFile, config.Example(), nil)
	require.NoError(t, err)
	now := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	window, err := openWindow{loaded}.Window(demoPlan, now)
	require.NoError(t, err)
	for name, at := range map[string]struct {
		time time.Time
		open bool
	}{
		"before": {now.Add(-time.Second), false}, "at once": {now, true},
		"just before the cutoff": {now.Add(labCutoff - time.Second), true}, "at the cutoff": {now.Add(labCutoff), false},
	} {
		open, why := window.Open(at.time)
		require.Equal(t, at.open, open, "%s: %s", name, why)
	}
}
