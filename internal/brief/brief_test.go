package brief_test

import (
	"cmp"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/patch"
)

// A command that is shown has dots wherever a person has to fill something in, and nowhere else.
func TestTheCommandOfEveryVerb(t *testing.T) {
	want := map[patch.Verb]string{
		patch.SetConcurrency: `patchtide wave set-concurrency wave-1 --max-parallel-groups ... --reason "..."`,
		patch.ExtendWindow:   `patchtide wave extend-window wave-1 --until ... --reason "..."`,
	}
	for _, choice := range (brief.Wave{ID: "wave-1", Verbs: patch.Verbs()}).Choices() {
		plain := "patchtide wave " + choice.Verb.Command() + ` wave-1 --reason "..."`
		require.Equal(t, cmp.Or(want[choice.Verb], plain), choice.Command)
		require.NotEmpty(t, choice.When)
	}
	there := brief.Wave{ID: "wave-1", Verbs: patch.Verbs(), Point: patch.Point{Stage: "production", Hold: 2}}
	for _, choice := range there.Choices() {
		require.Contains(t, choice.Command, ` --stage production --hold 2 --reason "..."`, "it says what it is for")
	}
}

func TestWhenToSendAVerb(t *testing.T) {
	one := func(w brief.Wave, verb patch.Verb) string {
		w.Verbs = []patch.Verb{verb}
		return w.Choices()[0].When
	}
	quarantined := []patch.Outcome{patch.Quarantined}
	for _, c := range []struct {
		name string
		wave brief.Wave
		verb patch.Verb
		want string
	}{
		{
			"a roll back of nothing",
			brief.Wave{},
			patch.RollBack,
			"if the patch is bad: puts back what the stage patched: no instance",
		},
		{
			"a roll back by its scopes",
			brief.Wave{RollsBack: patch.RollsBack{Stage: 1, Wave: 3}},
			patch.RollBack,
			"if the patch is bad: puts back what the stage patched: 1 instance, or with --scope wave 3 instances of this stage " +
				"and those before it",
		},
		{
			"a roll back where only stages before have patched",
			brief.Wave{RollsBack: patch.RollsBack{Wave: 2, Loses: "each of them loses what was written since"}},
			patch.RollBack,
			"if the patch is bad: this stage has patched nothing; puts back what the stages before it patched: 2 instances; " +
				"each of them loses what was written since",
		},
		{
			"a roll back while one is under way",
			brief.Wave{UnderWay: 1},
			patch.RollBack,
			"if the patch is bad: puts back what the stage patched: no instance, and 1 instance under way",
		},
		{
			"a roll back that loses more than patches",
			brief.Wave{RollsBack: patch.RollsBack{Stage: 1, Wave: 1, Loses: "each of them loses what was written since"}},
			patch.RollBack,
			"if the patch is bad: puts back what the stage patched: 1 instance; each of them loses what was written since",
		},
		{
			"a roll back of what cannot be",
			brief.Wave{RollsBack: patch.RollsBack{WhyNot: "no backup is kept", WaveStays: 2}},
			patch.RollBack,
			"if the patch is bad: nothing can be put back: no backup is kept; 2 stay patched",
		},
		{
			"an abort that leaves what cannot be put back",
			brief.Wave{State: patch.StateRunning, RollsBack: patch.RollsBack{WhyNot: "no backup is kept", WaveStays: 2}},
			patch.Abort,
			"to stop here: 2 instances stay patched",
		},
		{
			"an abort that puts nobody back",
			brief.Wave{
				State: patch.StateRunning, UnderWay: 1, RollsBack: patch.RollsBack{WhyNot: "no backup is kept", WaveStays: 2},
			},
			patch.Abort,
			"to stop here: 2 instances stay patched; 1 instance under way comes to its end first, and is not put back",
		},
		{
			"an approval that one may not give",
			brief.Wave{NotBy: "alice"},
			patch.Approve,
			"to let the stage begin, by somebody other than alice, who started the wave",
		},
		{"an approval", brief.Wave{}, patch.Approve, "to let the stage begin"},
		{"an abort", brief.Wave{State: patch.StateRunning}, patch.Abort, "to stop here"},
		{
			"an abort that leaves what is patched",
			brief.Wave{State: patch.StateRunning, UnderWay: 1, RollsBack: patch.RollsBack{Wave: 2}},
			patch.Abort,
			"to stop here: 2 instances stay patched; 1 instance under way is put back or, once proven, stays patched, too",
		},
		{
			"a second abort",
			brief.Wave{State: patch.StateAborting},
			patch.Abort,
			"to give up on what cannot be put back: it stays as it is, and is reported",
		},
		{
			"a retry",
			brief.Wave{Failed: []patch.Outcome{patch.RolledBack, patch.Quarantined}},
			patch.Retry,
			"if what failed has passed",
		},
		{
			"a retry of what cannot be",
			brief.Wave{Failed: quarantined},
			patch.Retry,
			"to go on with the others of this stage: what failed is quarantined and is not tried again, and " +
				"after this stage the wave ends failed",
		},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, one(c.wave, c.verb)) })
	}
}

func TestARollBackNamesTheScopeThatPutsAnythingBack(t *testing.T) {
	command := func(back patch.RollsBack) string {
		w := brief.Wave{ID: "wave-1", Verbs: []patch.Verb{patch.RollBack}, RollsBack: back}
		return w.Choices()[0].Command
	}
	require.Contains(t, command(patch.RollsBack{Wave: 2}), "--scope wave")
	require.NotContains(t, command(patch.RollsBack{Stage: 1, Wave: 2}), "--scope")
	require.NotContains(t, command(patch.RollsBack{WhyNot: "no backup is kept", WaveStays: 2}), "--scope")
}

func TestWhatIsDoneIfNobodyAnswers(t *testing.T) {
	until := time.Date(2026, 11, 22, 2, 30, 0, 0, time.UTC)
	at := func(t time.Time) string { return t.Format(time.Kitchen) }
	require.Equal(t, "If nobody answers by 2:30AM, roll back is done. It puts back no instance.",
		brief.Wave{Otherwise: patch.RollBack, Until: &until, Verbs: []patch.Verb{patch.Retry}}.Silence(at))
	none := patch.RollsBack{WhyNot: "no backup is kept", StageStays: 1, WaveStays: 2}
	require.Equal(t, "If nobody answers by 2:30AM, roll back is done. By it nothing can be put back: no backup is kept; "+
		"1 stays patched.", brief.Wave{Otherwise: patch.RollBack, Until: &until, RollsBack: none}.Silence(at))
	require.Equal(t, "It waits until somebody answers.", brief.Wave{Verbs: []patch.Verb{patch.Approve}}.Silence(at))
	require.Empty(t, brief.Wave{Verbs: []patch.Verb{patch.Abort}}.Silence(at), "nobody is asked")
}

func TestWhoIsQuarantined(t *testing.T) {
	const how = "Quarantined, out of its group: %s. Why, and until when: " +
		"patchtide quarantine list"
	unfit := func(ids ...string) (failed []patch.InstanceResult) {
		for _, id := range ids {
			failed = append(failed, patch.InstanceResult{ID: id, Outcome: patch.Quarantined})
		}
		return append(failed, patch.InstanceResult{ID: "i-9", Outcome: patch.RolledBack})
	}
	for name, c := range map[string]struct {
		failed []patch.InstanceResult
		want   string
	}{
		"nobody": {unfit(), ""},
		"one":    {unfit("i-1"), fmt.Sprintf(how, "i-1")},
		"many":   {unfit("i-1", "i-2", "i-3", "i-4", "i-5", "i-6", "i-7"), fmt.Sprintf(how, "i-1, i-2, i-3, i-4, i-5 and 2 more")},
	} {
		t.Run(name, func(t *testing.T) {
			status := patch.WaveStatus{State: patch.StateOnHold, Stages: []patch.StageStatus{{Groups: []patch.GroupCounts{{
				Phase: patch.GroupDone, Failed: c.failed,
			}}}}}
			require.Equal(t, c.want, brief.Of(status).Quarantine())
			status.State = patch.StateClosed // somebody may have released or terminated them since
			closed := strings.NewReplacer("Quarantined, out of its group", "Quarantined when it closed",
				"Why, and until when: patchtide quarantine list", "Who still is: patchtide quarantine list; any other was "+
					"released or terminated since").Replace(c.want)
			require.Equal(t, closed, brief.Of(status).Quarantine())
			var told []patch.NoticedInstance
			for _, one := range c.failed {
				told = append(told, patch.NoticedInstance{ID: one.ID, Outcome: one.Outcome})
			}
			require.Equal(t, c.want, brief.Told(patch.Notice{Instances: told}).Quarantine())
		})
	}
}
