package patch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

// answered is a decision of one hold.
func answered(d patch.Decision, hold int) patch.Decision {
	d.Hold = hold
	return d
}

func TestRepeats(t *testing.T) {
	approve := patch.Decision{
		Verb: patch.Approve, Actor: "ann", Reason: "looks well", Point: patch.Point{Stage: "production"}, At: time.Unix(1, 0),
	}
	for _, c := range []struct {
		name  string
		taken []patch.Decision
		again patch.Decision
		want  bool
	}{
		{"nothing was decided", nil, approve, false},
		{
			"later, in another stage, in the same words",
			[]patch.Decision{approve},
			patch.Decision{Verb: patch.Approve, Actor: "ann", Reason: "looks well"},
			true,
		},
		{
			"by somebody else",
			[]patch.Decision{approve},
			patch.Decision{Verb: patch.Approve, Actor: "bob", Reason: "looks well"},
			false,
		},
		{"another verb came between", []patch.Decision{approve, {Verb: patch.Abort, Actor: "bob"}}, approve, false},
		{
			"another scope",
			[]patch.Decision{{Verb: patch.RollBack}},
			patch.Decision{Verb: patch.RollBack, Scope: patch.ScopeWave},
			false,
		},
		{
			"of the same hold, whatever came between",
			[]patch.Decision{answered(approve, 1), {Verb: patch.ExtendWindow, Actor: "bob"}},
			answered(approve, 1), true,
		},
		{"of the hold before", []patch.Decision{answered(approve, 1)}, answered(approve, 2), false},
		{
			"by its hold alone",
			[]patch.Decision{answered(approve, 1)},
			patch.Decision{Verb: patch.Approve, Actor: "ann", Reason: "looks well", Point: patch.Point{Hold: 1}},
			true,
		},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, patch.Repeats(c.taken, c.again)) })
	}
}

// A wave asks a person in four states, and in none of them once it was told what to do.
func TestWhoIsAsked(t *testing.T) {
	asks := map[patch.WaveState]bool{
		patch.StateAwaitingApproval: true, patch.StateOnHold: true, patch.StatePaused: true, patch.StateParked: true,
	}
	for _, state := range patch.WaveStates() {
		require.Equal(t, asks[state], patch.WaveStatus{State: state, Verbs: patch.VerbsIn(state, true)}.Asks(), state)
		require.False(t, patch.WaveStatus{State: state}.Asks(), "%s: a decision is carried out", state)
	}
	for _, standing := range []patch.Verb{patch.Approve, patch.Retry, patch.Skip, patch.Resume} {
		require.False(
			t, patch.WaveStatus{State: patch.StateParked, Verbs: patch.VerbsParked(standing)}.Asks(), "%s waits for the window",
			standing,
		)
	}
}

func TestFourEyes(t *testing.T) {
	demanded := patch.Stage{Name: "production", Approval: &patch.Approval{FourEyes: true}}
	for _, c := range []struct {
		name              string
		stage             patch.Stage
		starter, approver string
		refused           bool
	}{
		{"two people", demanded, "ann", "bob", false},
		{"the same", demanded, "ann", "ann", true},
		{"the same with a capital and a space", demanded, "ann", " Ann", true},
		{"not demanded", patch.Stage{Name: "production", Approval: &patch.Approval{}}, "ann", "ann", false},
		{"no gate at all", patch.Stage{}, "ann", "ann", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := patch.FourEyes(c.stage, c.starter, c.approver)
			if c.refused {
				require.ErrorContains(t, err, "somebody else must approve")
				return
			}
			require.NoError(t, err)
		})
	}
}

func TestAWindowExtended(t *testing.T) {
	at := func(clock string) time.Time {
		moment, err := time.Parse("15:04", clock)
		require.NoError(t, err)
		return moment
	}
	window := &patch.Window{Opens: at("02:00"), Cutoff: at("05:00"), Closes: at("06:00")}
	for _, c := range []struct {
		name       string
		until, now string
		cutoff     string
		refused    string
	}{
		{"an hour more for both", "07:00", "04:00", "06:00", ""},
		{"after its cutoff, before its end", "07:00", "05:30", "06:00", ""},
		{"the end that it has, asked for again", "06:00", "04:00", "05:00", ""},
		{"shorter", "05:30", "04:00", "", "only be extended"},
		{"into the past", "06:30", "06:45", "", "has passed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			extended, err := window.Extended(at(c.until), at(c.now))
			if c.refused != "" {
				require.ErrorContains(t, err, c.refused)
				return
			}
			require.NoError(t, err)
			require.Equal(t, &patch.Window{Opens: window.Opens, Cutoff: at(c.cutoff), Closes: at(c.until)}, extended)
			require.Equal(t, at("06:00"), window.Closes, "the one before stays as it is")
		})
	}
	_, err := window.Extended(window.Closes.Add(25*time.Hour), at("04:00"))
	require.ErrorContains(t, err, "24h0m0s")
}

func TestFreezes(t *testing.T) {
	var none patch.Freezes
	require.Empty(t, none.Of("production"))
	one := patch.Freeze{Account: "production", Actor: "ann", Reason: "incident", Since: time.Unix(1, 0)}
	other := patch.Freeze{Account: "production", Actor: "bob", Reason: "still", Since: time.Unix(9, 0)}
	all := patch.Freeze{Actor: "eve", Reason: "all of it", Since: time.Unix(2, 0)}
	frozen := patch.Freezes{one, other, all}
	require.Equal(t, patch.Freezes{all, one, other}, frozen.Of("production"), "the wider one is told first")
	require.Equal(t, patch.Freezes{all}, frozen.Of("staging"))
	require.Equal(t, patch.Freezes{all}, frozen.Of(""))
}
