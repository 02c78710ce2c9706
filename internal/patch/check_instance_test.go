package patch_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

// The runbook says never by hand of what carries our mark; a plan's advice must not say otherwise.
func TestWhatCarriesAMarkIsNotBroughtIntoServiceByHand(t *testing.T) {
	for _, c := range []struct{ name, mark, advice string }{
		{"somebody else's", "", "bring it into service first"},
		{"ours", "wave-1", "patchtide reconcile"},
	} {
		t.Run(c.name, func(t *testing.T) {
			refused := patch.First(patch.LevelInstance, patch.View{
				Group: patch.Group{AutoScalingGroup: "web"}, Instance: "i-1",
				State: &patch.GroupState{FreeTags: true, Members: []patch.Member{{
					ID: "i-1", State: "running", Lifecycle: patch.LifecycleStandby, Mark: c.mark,
					FreeTags: true,
				}}},
			})
			require.Equal(t, patch.RefusedNotInService, refused.Code)
			require.Contains(t, refused.WhatToDo, c.advice)
		})
	}
}
