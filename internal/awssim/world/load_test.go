package world

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestEmbeddedScenariosLoadAndBuild(t *testing.T) {
	require.Equal(t, []string{"bad-patch", "healthy", "lost-replies", "stuck-reboot"}, ScenarioNames())
	for _, name := range ScenarioNames() {
		t.Run(name, func(t *testing.T) {
			s, err := LoadScenario(name)
			require.NoError(t, err)
			require.Equal(t, name, s.Name)
			require.NotEmpty(t, s.Description)
			require.NotEmpty(t, s.Expect.Outcome)
			w, err := New(s, time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC))
			require.NoError(t, err)
			require.Len(t, w.Account("222233334444").Region("ap-northeast-1").Instances(), 2)
			require.Empty(t, w.Account("222233334444").Region("us-east-1").Instances(), "regions are apart")
		})
	}
}

func TestScenarioMistakesAreNamed(t *testing.T) {
	cases := []struct{ name, yaml, want string }{
		{"unknown key", "extends: fleet\ndescripton: x\n", `my.yaml:2: unknown field "descripton"`},
		{"wrong type", "extends: fleet\nseed: many\n", "my.yaml:2: cannot unmarshal"},
		{"bad duration", "extends: fleet\ndurations:\n  scan: soon\n", `"soon" is not a duration`},
		{"unknown base", "extends: flet\n", `there is no scenario "flet"`},
		{
			"unknown fault", "extends: fleet\nfaults: {world: [{kind: meteor}]}\n",
			`faults.world[0]: kind "meteor" is none of agent_silent`,
		},
		{"unknown decision", "extends: fleet\ndecide: shrug\n", `decide: "shrug" is none of roll_back`},
		{"empty", "", "home.id"},
		{"unknown image", `
extends: fleet
accounts: [{id: "123456789012", name: a, regions: [{name: us-east-1, instances: [{name: x, image: nope}]}]}]
`, `instance x: there is no image "nope"`},
		{"account id as a number", `
extends: fleet
accounts: [{id: 12345678901, name: a}]
`, "is not an account id"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseScenario("my.yaml", []byte(c.yaml))
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestUnknownScenarioListsTheKnownOnes(t *testing.T) {
	_, err := LoadScenario("sunny")
	require.ErrorContains(t, err, "bad-patch, healthy, lost-replies, stuck-reboot")
}
