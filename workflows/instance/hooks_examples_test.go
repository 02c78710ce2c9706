package instance_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// hookExamples are the examples of docs/hooks.md, each as its lines.
func hookExamples(t *testing.T) (examples [][]string) {
	page, err := os.ReadFile("../../docs/hooks.md")
	require.NoError(t, err)
	for _, block := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		examples = append(examples, strings.Split(strings.TrimRight(block[1], "\n"), "\n"))
	}
	return examples
}

// The page's examples do what it says, in a wave that goes well and in one whose first install fails.
func TestTheExamplesOfHooks(t *testing.T) {
	examples := hookExamples(t)
	require.Len(t, examples, 5)
	for _, example := range examples {
		for name, fleet := range map[string]func(*world.Scenario){"well": nil, "put back": wavetest.FailsOnce(nil)} {
			t.Run(strings.TrimSpace(example[1])+" "+name, func(t *testing.T) {
				scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: fleet, Config: withHooks(example...)})
				heard := listening(scene, func(patch.HookAbout, int) (int, string) { return 200, "3 of 4 are there" })
				scene.AWS.Secrets = secretsOf(map[string]string{
					"ssm:/patchtide/cluster/url": hookURL, "ssm:/patchtide/cluster/key": hookSecret,
				})
				functionsIn(scene, world.FunctionSpec{Name: "cluster-drain", Aliases: []string{"live"}},
					world.FunctionSpec{Name: "cluster-uncordon", Aliases: []string{"live"}})
				scene.Production(func(group *world.ScalingGroup) {
					for _, name := range []string{"cluster-drain", "cluster-uncordon", "cluster-step-down"} {
						_, err := group.Region.CreateDocument(name, "Command", "YAML", `
{schemaVersion: "2.2", parameters: {Node: {type: String}},
mainSteps: [{action: "aws:runShellScript", name: say, inputs: {runCommand: ["echo `+name+` {{ Node }}"]}}]}`, "", nil)
						require.NoError(t, err)
					}
				})
				result, err := scene.Run(wavetest.WebWave)
				require.NoError(t, err)
				require.Empty(t, heard.broken)
				touched := tried(result)
				if fleet == nil {
					require.Equal(t, patch.Succeeded, result.Outcome, "%s", result.Reason)
					require.Len(t, touched, 4)
				} else {
					require.Equal(t, patch.RolledBack, touched[0].Outcome, "%s", touched[0].Reason)
				}
				for _, instance := range touched {
					for _, ran := range instance.Hooks {
						require.Equal(t, patch.HookOK, ran.Result, "%s", ran)
					}
				}
				scene.RequireInvariants(result, wavetest.Except{})
				scene.Production(func(group *world.ScalingGroup) {
					for _, member := range group.Members() {
						require.True(t, member.Instance.AppHealthy(), "%s", member.Instance.ID)
					}
				})
			})
		}
	}
}
