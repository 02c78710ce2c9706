package world

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// "The AMI used to launch the instance must still exist", and its zone must be one of the group's.
func TestWhatAGroupTakesIn(t *testing.T) {
	for name, change := range map[string]func(*ScalingGroup, *Instance){
		"its image is gone": func(g *ScalingGroup, i *Instance) {
			require.NoError(t, g.Region.DeregisterImage(i.Image.ID))
		},
		"the group left its zone":   func(g *ScalingGroup, _ *Instance) { g.Zones = []string{"ap-northeast-1d"} },
		"it is not running":         func(_ *ScalingGroup, i *Instance) { require.NoError(t, i.Stop()) },
		"desired would exceed max":  func(g *ScalingGroup, _ *Instance) { g.Max = g.Desired },
		"it is a member of another": func(g *ScalingGroup, i *Instance) { require.NoError(t, g.Attach([]string{i.ID})) },
		"nothing":                   nil,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "healthy")
			g, err := production(w).ScalingGroup("web")
			require.NoError(t, err)
			i := g.Members()[0].Instance
			_, err = g.Detach([]string{i.ID}, true)
			require.NoError(t, err)
			elapse(t, w, 10*time.Minute)
			if change == nil {
				require.NoError(t, g.Attach([]string{i.ID}))
				return
			}
			change(g, i)
			requireCode(t, g.Attach([]string{i.ID}), "ValidationError")
		})
	}
}
