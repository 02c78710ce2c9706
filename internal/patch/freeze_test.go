package patch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func TestWhichFreezesHoldAWave(t *testing.T) {
	since := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	all := patch.Freeze{Actor: "ann", Reason: "incident", Since: since}
	production := patch.Freeze{Account: "production", Actor: "bob", Reason: "sale", Since: since}
	status := func(state patch.WaveState, phases ...patch.GroupPhase) patch.WaveStatus {
		s := patch.WaveStatus{State: state, Stages: []patch.StageStatus{{Name: "production"}}}
		for _, phase := range phases {
			s.Stages[0].Groups = append(s.Stages[0].Groups, patch.GroupCounts{
				Group: "production/ap-northeast-1/web", Phase: phase,
			})
		}
		return s
	}
	for _, c := range []struct {
		name    string
		freezes patch.Freezes
		status  patch.WaveStatus
		want    patch.Freezes
	}{
		{"nothing is frozen", nil, status(patch.StateOnHold, patch.GroupHeld), nil},
		{
			"its account, of two groups",
			patch.Freezes{production},
			status(patch.StateAwaitingApproval, patch.GroupIdle, patch.GroupIdle),
			patch.Freezes{production},
		},
		{
			"everything, which is told before its account",
			patch.Freezes{production, all},
			status(patch.StateOnHold, patch.GroupHeld),
			patch.Freezes{all},
		},
		{
			"another account",
			patch.Freezes{{Account: "staging"}},
			status(patch.StateRunning, patch.GroupPatching),
			nil,
		},
		{"groups that are done", patch.Freezes{all}, status(patch.StateRunning, patch.GroupDone), nil},
		{"what puts back", patch.Freezes{all}, status(patch.StateRollingBack, patch.GroupRollingBack), nil},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, c.freezes.Holding(c.status)) })
	}
}

// One word lifts an account's freeze, whoever has asked for it: nobody's reason is lost before.
func TestWhoFreezesWhatIsFrozenAddsToIt(t *testing.T) {
	since := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	first := patch.Freeze{Actor: "ann", Reason: "incident 4711", Since: since}
	other := patch.Freeze{Account: "staging", Actor: "ann", Reason: "sale", Since: since}
	both := patch.Freeze{Actor: "ann", Reason: "incident 4711", Since: since, Also: []patch.FreezeWord{
		{Actor: "ben", Reason: "network change", Since: since.Add(time.Hour)},
	}}
	newer := both
	newer.Also = []patch.FreezeWord{{Actor: "ben", Reason: "another one", Since: since.Add(time.Hour)}}
	for _, c := range []struct {
		name   string
		frozen patch.Freezes
		added  patch.Freeze
		want   patch.Freezes
	}{
		{
			"another person",
			patch.Freezes{first, other},
			patch.Freeze{Actor: "ben", Reason: "network change", Since: since.Add(time.Hour)},
			patch.Freezes{other, both},
		},
		{
			"another person, twice",
			patch.Freezes{both},
			patch.Freeze{Actor: "ben", Reason: "network change", Since: since.Add(2 * time.Hour)},
			patch.Freezes{both},
		},
		{
			"another person, for another reason now",
			patch.Freezes{both},
			patch.Freeze{Actor: "ben", Reason: "another one", Since: since.Add(2 * time.Hour)},
			patch.Freezes{newer},
		},
		{
			"the same person",
			patch.Freezes{first},
			patch.Freeze{Actor: "ann", Reason: "incident 4712", Since: since.Add(time.Hour)},
			patch.Freezes{{Actor: "ann", Reason: "incident 4712", Since: since}},
		},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, c.frozen.With(c.added)) })
	}
	require.Equal(t, "lifted the freeze of everything by ann since 2026-11-22 02:00 UTC: incident 4711; and by ben: network "+
		"change", both.Lifted())
}

func TestTheCommandThatLiftsAFreeze(t *testing.T) {
	require.Equal(t, "patchtide unfreeze --reason ...", patch.Freeze{Actor: "ann"}.Lift())
	require.Equal(t, "patchtide unfreeze --account production --reason ...", patch.Freeze{Account: "production"}.Lift())
}
