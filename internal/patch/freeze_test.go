package patch_test

import (
	"fmt"
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
			patch.Freezes{all, production},
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

// Everybody's stop stands until they take it back: nobody's reason is lost, and a command said twice lifts no more.
func TestEachLiftsWhatTheyFroze(t *testing.T) {
	since := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	ann := patch.Freeze{Actor: "ann", Reason: "incident 4711", Since: since}
	ben := patch.Freeze{Actor: "ben", Reason: "network change", Since: since.Add(time.Hour)}
	staging := patch.Freeze{Account: "staging", Actor: "ann", Reason: "sale", Since: since}
	frozen := patch.Freezes{ann, staging, ben}
	for _, c := range []struct {
		name           string
		account, actor string
		lifted         patch.Freezes
		left           patch.Freezes
		refused        string
	}{
		{name: "one of two", actor: "ben", lifted: patch.Freezes{ben}, left: patch.Freezes{ann, staging}},
		{name: "the first of two", actor: "ann", lifted: patch.Freezes{ann}, left: patch.Freezes{staging, ben}},
		{name: "everybody's", lifted: patch.Freezes{ann, ben}, left: patch.Freezes{staging}},
		{
			name: "by somebody else", actor: "carl", left: frozen,
			refused: "everything is frozen by ann since 2026-11-22 02:00 UTC: incident 4711; everything is frozen by ben since " +
				"2026-11-22 03:00 UTC: network change. None of it is by carl, and each takes back their own. To lift it for all " +
				"of them: patchtide unfreeze --for-all --reason \"...\"",
		},
		{
			name: "an account, by somebody else", account: "staging", actor: "ben", left: frozen,
			refused: "account staging is frozen by ann since 2026-11-22 02:00 UTC: sale. None of it is by ben, and each takes " +
				"back their own. To lift it for all of them: patchtide unfreeze --account staging --for-all --reason \"...\"",
		},
		{name: "an account that is not", account: "production", actor: "ann", left: frozen},
	} {
		t.Run(c.name, func(t *testing.T) {
			left, lifted, err := frozen.Without(c.account, c.actor)
			require.Equal(t, c.left, left)
			require.Equal(t, c.lifted, lifted)
			if c.refused == "" {
				require.NoError(t, err)
			} else {
				require.EqualError(t, err, c.refused)
			}
		})
	}
	left, _, err := frozen.Without("", "ben")
	require.NoError(t, err)
	_, _, err = left.Without("", "ben") // its answer was lost, and ben says it again
	require.ErrorContains(t, err, "None of it is by ben")
}

func TestAPersonFreezesWhatIsFrozenOnce(t *testing.T) {
	since := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	var frozen patch.Freezes
	add := func(freeze patch.Freeze) (*patch.Freeze, error) {
		var said *patch.Freeze
		var err error
		frozen, said, err = frozen.With(freeze)
		return said, err
	}
	ann := patch.Freeze{Actor: "ann", Reason: "incident 4711", Since: since}
	said, err := add(ann)
	require.NoError(t, err)
	require.Nil(t, said)
	said, err = add(patch.Freeze{Actor: "ann", Reason: "incident 4712", Since: since.Add(time.Hour)})
	require.NoError(t, err)
	require.Equal(t, &ann, said, "which reason gave way is told")
	require.Equal(t, patch.Freezes{{Actor: "ann", Reason: "incident 4712", Since: since}}, frozen)
	for i := range 19 {
		_, err = add(patch.Freeze{Actor: fmt.Sprintf("person %d", i), Reason: "an incident", Since: since})
		require.NoError(t, err)
	}
	before := frozen
	_, err = add(patch.Freeze{Actor: "zoe", Reason: "an incident", Since: since})
	require.EqualError(t, err, "everything is frozen already, by 20 people, and more are not kept: see `patchtide freeze show`")
	require.Equal(t, before, frozen)
	_, err = add(patch.Freeze{Actor: "ann", Reason: "incident 4713", Since: since})
	require.NoError(t, err, "who has frozen it may say so again")
	_, err = add(patch.Freeze{Account: "staging", Actor: "zoe", Reason: "an incident", Since: since})
	require.NoError(t, err, "another account")
}

func TestTheCommandThatLiftsAFreeze(t *testing.T) {
	require.Equal(t, `patchtide unfreeze --reason "..."`, patch.Freeze{Actor: "ann"}.Lift())
	require.Equal(t, `patchtide unfreeze --account production --reason "..."`, patch.Freeze{Account: "production"}.Lift())
	require.Equal(t, `patchtide unfreeze --for-all --reason "..."`, patch.Freeze{Actor: patch.ByItself}.Lift(),
		"nobody could take that back")
	require.Equal(t, `patchtide unfreeze --account production --for-all --reason "..."`,
		patch.Freeze{Account: "production"}.LiftForAll())
	require.Equal(t, "lifted the freeze of everything by ann since 1970-01-01 00:00 UTC: incident",
		patch.Freeze{Actor: "ann", Reason: "incident", Since: time.Unix(0, 0)}.Lifted())
}
