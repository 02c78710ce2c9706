package world

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Production's group, as the scenarios count on it: four in two zones, and web/2 the one that stuck-reboot names.
func TestProductionGroupOfTheScenarios(t *testing.T) {
	w := newWorld(t, "stuck-reboot")
	r := production(w)
	members := r.Instances()
	require.Len(t, members, 4)
	zones := map[string]int{}
	for n, i := range members {
		require.Equal(t, "web", i.Group)
		require.Equal(t, n+1, i.Ordinal)
		require.True(t, i.AppHealthy())
		require.Equal(t, "amazon-linux-2023", i.PatchGroupOf())
		zones[i.Zone]++
		patchNow(t, i, map[string]string{"Operation": "Install"})
	}
	require.Equal(t, map[string]int{"ap-northeast-1a": 2, "ap-northeast-1c": 2}, zones)
	elapse(t, w, 170*time.Second) // by then the group has begun to replace those that its health checks found down
	for n, i := range members {
		require.Equal(t, n != 1, i.AgentOnline(), i.Name())
	}
}
