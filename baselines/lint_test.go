package baselines_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/baselines"
)

// What is right in a file and may not be meant is told with its line.
func TestLint(t *testing.T) {
	now := time.Date(2026, 11, 30, 15, 0, 0, 0, time.UTC)
	const head = "name: bad\ndescription: x\noperating_system: "
	const rules = "rules: [{name: all, approve_after_days: 7}]\n"
	exception := func(patch, until string) string {
		return "exceptions: [{patch: '" + patch + "', owner: ann, reason: x, until: " + until + "}]\n"
	}
	for _, c := range []struct {
		name string
		text string
		says []string
	}{
		{"nothing", head + "ROCKY_LINUX\n" + rules + exception("docker*", "2027-11-30"), nil},
		{"an exception that is over", head + "ROCKY_LINUX\n" + rules + exception("docker*", "2026-11-29"), []string{
			"bad.yaml:5: exceptions[0].until: the day of the exception of docker* is over, and it rejects still; ann decides " +
				"anew: another day, or remove the exception",
		}},
		{"one that ends today", head + "ROCKY_LINUX\n" + rules + exception("docker*", "2026-11-30"), []string{
			"bad.yaml:5: exceptions[0].until: the exception of docker* ends with 2026-11-30, in less than 30 days; ann " +
				"decides anew",
		}},
		{
			"one of what is rejected anyway",
			head + "ROCKY_LINUX\n" + rules + "rejected_patches: ['docker*']\n" + exception("docker-ce*", "2027-11-30"),
			[]string{
				"bad.yaml:6: exceptions[0].patch: has no effect: docker-ce* is rejected by docker* anyway; remove one of them",
			},
		},
		{
			"one that rejects more", head + "ROCKY_LINUX\n" + rules + "rejected_patches: ['docker-ce']\n" +
				exception("docker*", "2027-11-30"), nil,
		},
		{
			"approved and rejected",
			head + "ROCKY_LINUX\n" + rules + "approved_patches: [vim, kernel]\nrejected_patches: ['k*']\n",
			[]string{"bad.yaml:5: approved_patches[1]: has no effect: kernel is rejected by k*, which wins; remove one of them"},
		},
		{"all rejected", head + "ROCKY_LINUX\n" + rules + "rejected_patches: ['*']\n", []string{
			"bad.yaml:5: rejected_patches: * rejects every patch, so that no rule approves anything",
		}},
		{
			"products of another system",
			head + "AMAZON_LINUX_2\nrules:\n  - {name: a, approve_after_days: 7, products: [AmazonLinux2.0]}\n" +
				"  - {name: b, approve_after_days: 7, products: [AmazonLinux2023, WindowsServer2022]}\n",
			[]string{
				"bad.yaml:6: rules[1].products: no machine of AMAZON_LINUX_2 is of the product AmazonLinux2023,WindowsServer2022, " +
					"so that the rule approves nothing; its products begin with AmazonLinux2., or leave it out",
			},
		},
		{
			"days that have passed", head + "ROCKY_LINUX\nrules:\n  - {name: a, approve_until: 2026-11-30}\n" +
				"  - {name: b, approve_until: 2026-11-29}\n",
			[]string{
				"bad.yaml:6: rules[1].approve_until: 2026-11-29 has passed: nothing that was released since is approved; write a " +
					"later day, or approve_after_days",
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, doubts, err := baselines.Lint("bad.yaml", []byte(c.text), now)
			require.NoError(t, err)
			require.Equal(t, "bad", b.Name)
			var said []string
			for _, doubt := range doubts {
				said = append(said, doubt.String())
			}
			require.Equal(t, c.says, said)
		})
	}
	_, _, err := baselines.Lint("bad.yaml", []byte("name: bad\n"), now)
	require.ErrorContains(t, err, "bad.yaml:1: rules: is missing")
	for _, name := range baselines.Names() {
		_, doubts, err := baselines.LintEmbedded(name, now)
		require.NoError(t, err)
		require.Empty(t, doubts, name)
	}
}
