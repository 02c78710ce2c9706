package brief_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/brief"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/situations"
)

// What an approval is about, sentence by sentence: each says plainly what is not known.
func TestWhatAnApprovalIsAbout(t *testing.T) {
	left := []patch.NoticedInstance{{Group: "g", ID: "i-1", Outcome: patch.RolledBack, Reason: "ill"}}
	for _, c := range []struct {
		name   string
		change func(*patch.Case)
		want   string
	}{
		{
			"who is not proven comes first", func(c *patch.Case) { c.Before[0].Unproven, c.Before[0].UnprovenCount = left, 1 },
			"^not proven in staging: g i-1 rolled back: ill\n",
		},
		{
			"and how many more", func(c *patch.Case) { c.Before[0].Unproven, c.Before[0].UnprovenCount = left, 9 },
			"\nand 8 more that are not proven\n",
		},
		{"how long it has soaked", nil, "proven in service since 00:50, 1h 20m when this was asked"},
		{
			"nothing soaks", func(c *patch.Case) { c.Before[0].Patched, c.Before[0].Since = 0, time.Time{} },
			"staging: nothing was due on its 2 instances: what they run was installed before this wave, which proves nothing " +
				"there",
		},
		{"not reached", func(c *patch.Case) { c.Before[0].Gaps = 2 }, ", 2 not reached"},
		{"a version", nil, `openssl.x86_64 1:3.0.8-1.amzn2023.0.14 → 1:3.0.8-1.amzn2023.0.16 on 1;`},
		{"packages left out", nil, `; and 3 more\n`},
		{
			"no package", func(c *patch.Case) { c.Changed = patch.CaseChanged{Instances: 1} },
			"packages changed on 1 instance: none that their lists of packages show",
		},
		{"what staging has not seen", nil, "not installed by this wave in the stages before, 1: kernel.x86_64\n"},
		{
			"all was seen, by name", func(c *patch.Case) { c.Due.Unseen, c.Due.UnseenCount = nil, 0 },
			"each of these was installed in the stages before, by its name: a version may be newer here",
		},
		{
			"all was seen, and an image has it", func(c *patch.Case) {
				c.Due.Unseen, c.Due.UnseenCount, c.LosesRoot = nil, 0, "all that only lives on its root is lost"
			},
			"before it is touched, and gets what its image holds and nothing else\neach of these was installed in the stages " +
				"before, by its name: what is newer than the image is not in this wave\n",
		},
		{
			"what an image may lack", func(c *patch.Case) { c.LosesRoot = "all that only lives on its root is lost" },
			"not installed by this wave in the stages before, so that an image may lack them, 1: kernel.x86_64\n",
		},
		{
			"not compared", func(c *patch.Case) { c.Due.Compared = false },
			"which of these the stages before have not installed is not known",
		},
		{
			"a first stage", func(c *patch.Case) { c.Before = nil },
			"no stage comes before it: nothing of this was proven anywhere in this wave",
		},
		{
			"nothing known of what is due", func(c *patch.Case) { c.Due = patch.CaseDue{Of: 4} },
			"production: what is due on its 4 instances is not known",
		},
		{"an alarm that rings", nil, "web-5xx is ALARM in production/eu-west-1 since 02:09, and nothing begins there before"},
		{"no alarm", func(c *patch.Case) { c.Gates, c.Alarms = nil, nil }, "alarms: none judges production"},
		{"alarms not known", func(c *patch.Case) { c.Alarms = nil }, "alarms: how web-5xx stand is not known"},
		{"what a roll back loses", nil, "\na roll back of stage production: each of them gets its root volume back"},
		{"not known", nil, "\nnot known: what is due on 1 of production/ap-northeast-1/web"},
		{"being read", func(c *patch.Case) { c.Reading = true }, "is being read: look again in a minute"},
	} {
		t.Run(c.name, func(t *testing.T) {
			about := situations.Case()
			if c.change != nil {
				c.change(about)
			}
			said := brief.Case(*about, func(at time.Time) string { return at.Format("15:04") })
			require.Regexp(t, c.want, strings.Join(said, "\n")+"\n")
		})
	}
}

// It is told while somebody is to approve, and not of what was approved before.
func TestACaseIsToldWhileItIsAsked(t *testing.T) {
	status := situations.All()["awaiting approval"].Status
	require.NotEmpty(t, brief.Write(status, patch.Waits{}, brief.UTC, brief.UTC).Case)
	status.State = patch.StateRunning
	require.Empty(t, brief.Write(status, patch.Waits{}, brief.UTC, brief.UTC).Case)
}
