package instance_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// productionAsks has production's instances judged by these checks beside its target group.
func productionAsks(checks ...string) func([]byte) []byte {
	return wavetest.PlanWith("          - http: {path: /healthz, port: 80}\n          - alarm",
		"          - "+strings.Join(checks, "\n          - ")+"\n          - alarm")
}

// A check that can never pass is found out while the instance still serves, and not by patching it, putting its root
// volume back and putting it in quarantine.
func TestAHealthCheckIsAskedWhileTheInstanceServes(t *testing.T) {
	for _, c := range []struct{ name, check, says, mend string }{
		{"another port", "http: {path: /healthz, port: 443}", "http /healthz on port 443 answers 0", "plain HTTP"},
		{"another status", "http: {path: /healthz, status: [204]}", "http /healthz on port 80 answers 200", "plain HTTP"},
		{"another body", "http: {path: /healthz, body: ready}", `answers 200 without "ready" in its body`, "plain HTTP"},
		{
			"TLS where plain HTTP is spoken", "https: {path: /healthz, port: 80, insecure: true}",
			"https /healthz on port 80 answers 0: curl: (35)", "server_name",
		},
		{
			"a unit that nobody knows", "command: {run: systemctl is-active db}",
			`the command "systemctl is-active db" exits with 4: inactive`, "must exit with 0",
		},
		{
			"a document that is not there", "command: {document: smoke-test}", "the document smoke-test did not end: ",
			"must exit with 0",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Config: wavetest.ProductionOnly(func(file []byte) []byte {
					return productionAsks(c.check)(wavetest.Unattended(file))
				}),
			})
			scene.Decide = []patch.Verb{patch.Abort}
			reasons := ""
			scene.OnHold = func(status patch.WaveStatus) { reasons = status.Awaiting }
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Contains(t, reasons, "UnhealthyBefore")
			require.Contains(t, reasons, c.says)
			require.Contains(t, reasons, c.mend)
			require.Zero(t, wavetest.CountInProduction(result, patch.Patched), "%v", wavetest.ProductionOutcomes(result))
			require.Zero(t, wavetest.CountInProduction(result, patch.Quarantined))
			scene.RequireNobodyOut()
			require.Empty(t, scene.Effects("EnterStandby"), "nothing was taken out to find it out")
		})
	}
}

const madeUpCA = "-----BEGIN CERTIFICATE-----\nbWFkZSB1cA==\n-----END CERTIFICATE-----\n"

// speaksTLS has every application answer by TLS, with a certificate of a private CA.
func speaksTLS(scenario *world.Scenario) {
	for i := range scenario.Images {
		scenario.Images[i].App.TLS = &world.TLS{Name: "web.example.com", CA: madeUpCA}
		scenario.Images[i].App.Body = `{"status":"ok"}`
	}
}

// A wave is judged by every check that asks the instance, and its bake on the instance is one command of each.
func TestAWaveIsJudgedByWhatIsAskedOnTheInstance(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Fleet: speaksTLS, Config: wavetest.ProductionOnly(func(file []byte) []byte {
			return productionAsks(
				`https: {path: /healthz, port: 80, server_name: web.example.com, ca_from: 'ssm:/web/ca', body: '"ok"'}`,
				"command: {run: systemctl is-active --quiet web}", "command: {document: smoke-test, parameters: {Depth: full}}",
			)(wavetest.Unattended(file))
		}),
	})
	scene.AWS.Secrets = func(context.Context, string) (string, error) { return madeUpCA, nil }
	scene.Production(func(group *world.ScalingGroup) {
		_, err := group.Region.CreateDocument("smoke-test", "Command", "YAML", `{schemaVersion: "2.2", parameters: {Depth: {type: String}},
mainSteps: [{action: "aws:runShellScript", name: smoke, inputs: {runCommand: ["systemctl is-active web"]}}]}`, "", nil)
		require.NoError(t, err)
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%s", result.Reason)
	require.Equal(t, 4, wavetest.CountInProduction(result, patch.Patched))
	bakes, documents := map[string]int{}, 0
	scene.Production(func(group *world.ScalingGroup) {
		for _, command := range group.Region.Commands() {
			if strings.HasPrefix(command.Comment, "patchtide bake ") {
				bakes[command.Invocations[0].Instance.ID]++
			}
			if command.Document == "smoke-test" {
				documents++
			}
		}
	})
	require.Len(t, bakes, 4)
	for id, commands := range bakes {
		require.Equal(t, 1, commands, "bakes on %s", id)
	}
	require.Equal(t, 3*4, documents, "before, after the return, and at the end of the bake")
	scene.RequireInvariants(result, wavetest.Except{})
}

// What goes wrong on the instance in its bake decides, and is told with its time.
func TestWhatTheInstanceSeesInItsBake(t *testing.T) {
	for _, c := range []struct {
		name    string
		do      func(*world.Instance)
		then    func(*world.Instance) // eight seconds later: between two looks
		outcome patch.Outcome
		reason  string
		note    string
	}{
		{
			name: "the application ends for good", do: (*world.Instance).StopApp, outcome: patch.RolledBack,
			reason: `is-active web" exits with 3: failed`,
		},
		{
			name: "it stumbles", do: (*world.Instance).StopApp, then: (*world.Instance).StartApp, outcome: patch.Patched,
			note: "1 of 31 looks on the instance were bad: 2036-11-22T",
		},
		{
			name: "somebody cancels the command that watches", outcome: patch.Patched,
			note: "the bake began anew: ", do: func(it *world.Instance) {
				for _, command := range it.Region.Commands() {
					if !command.Done() {
						command.Cancel(nil)
					}
				}
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Config: wavetest.ProductionOnly(func(file []byte) []byte {
					return wavetest.PlanWith("          - target_group: auto\n          - http: {path: /healthz, port: 80}\n          - alarm: "+
						"web-5xx # must be OK before we begin and stay so while we watch\n",
						"          - command: {run: systemctl is-active web}\n")(wavetest.Unattended(file))
				}),
			})
			scene.Decide = []patch.Verb{patch.Abort}
			first := ""
			scene.WhenAtStep(patch.StepBake, func(id string) {
				first = id
				scene.Env.RegisterDelayedCallback(func() {
					scene.Production(func(group *world.ScalingGroup) {
						it := group.Region.Instance(id)
						c.do(it)
						if c.then != nil {
							group.Region.World.After(8*time.Second, func() { c.then(it) })
						}
					})
				}, 2*time.Minute)
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			instance := result.Stages[0].Groups[0].Instances[0]
			require.Equal(t, first, instance.ID)
			require.Equal(t, c.outcome, instance.Outcome, "%s %q", instance.Reason, instance.Notes)
			require.Contains(t, instance.Reason, c.reason)
			require.Contains(t, strings.Join(instance.Notes, "\n"), c.note)
			scene.RequireNobodyOut()
		})
	}
}
