package soak

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

// fleet is so many groups of so many instances each.
func fleet(groups, instances int) (all []Watched) {
	for g := range groups {
		of := Watched{
			Group:   patch.Group{AutoScalingGroup: fmt.Sprintf("group-%d", g), Region: "ap-northeast-1"},
			Targets: []string{strings.Repeat("a", 120) + fmt.Sprint(g), strings.Repeat("b", 120) + fmt.Sprint(g)},
		}
		for i := range instances {
			of.Instances = append(of.Instances, fmt.Sprintf("i-%04d%013d", g, i))
		}
		all = append(all, of)
	}
	return all
}

func TestALargeStageIsLookedAtInTurns(t *testing.T) {
	in := Input{Groups: fleet(7, 100)}
	seen := map[string]int{}
	for ; in.Looks < 7; in.Looks++ {
		count := 0
		for _, group := range in.turn() {
			require.NotEmpty(t, group.Instances)
			count += len(group.Instances)
			for _, id := range group.Instances {
				seen[id]++
			}
		}
		require.Equal(t, mostAtALook, count)
	}
	require.Len(t, seen, 700)
	for id, times := range seen {
		require.Equal(t, 3, times, "%s: 7 looks at 300 of 700", id)
	}
	small := Input{Groups: fleet(3, 100), Looks: 5}
	require.Equal(t, small.Groups, small.turn(), "all of them at each look")
}

func TestWhatIsWatchedFitsIntoOneInput(t *testing.T) {
	for _, c := range []struct{ groups, instances int }{{1, 10}, {1_000, 20}, {600, 600}, {1, 60_000}} {
		groups := fleet(c.groups, c.instances)
		Fit(groups, c.groups*c.instances)
		written, err := json.Marshal(groups)
		require.NoError(t, err)
		require.Less(t, len(written), 512<<10, "%+v", c)
		for _, group := range groups {
			require.NotEmpty(t, group.Instances, "%+v", c)
		}
	}
	small := fleet(2, 10)
	Fit(small, 20)
	require.Equal(t, fleet(2, 10), small)
}

func TestWhenItIsLookedAtNext(t *testing.T) {
	at := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	in := Input{Every: patch.SoakEvery, Until: at.Add(150 * time.Minute)}
	for _, c := range []struct {
		name    string
		now     time.Duration
		verdict patch.SoakVerdict
		next    time.Duration
	}{
		{"an hour later", 0, patch.SoakWell, time.Hour},
		{"to confirm", 0, patch.SoakIll, 5 * time.Minute},
		{"for what could not be read", 0, patch.SoakUnknown, 15 * time.Minute},
		{"when it is over", 2 * time.Hour, patch.SoakWell, 150 * time.Minute},
		{"and after that as ever", 150 * time.Minute, patch.SoakWell, 210 * time.Minute},
	} {
		require.Equal(t, at.Add(c.next), in.after(at.Add(c.now), c.verdict), c.name)
	}
}
