package doctor_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/doctor"
)

// deepChecks are what only a deep look has.
var deepChecks = map[string]bool{
	"document": true, "patch run": true, "page sizes": true, "region": true, "endpoint": true, "encryption": true,
}

// deepFindings are "check where: what is said" of what a deep look did not find well.
func deepFindings(report doctor.Report) (all []string) {
	for _, result := range report.Results {
		if deepChecks[result.Check] && result.State != doctor.OK {
			all = append(all, string(result.State)+" "+result.Check+" "+result.Where+": "+result.Says)
		}
	}
	return all
}

// region is that of the staging account.
func (b *scene) region(do func(*world.Region)) {
	b.aws.Inspect(func(w *world.World) { do(w.Account(staging).Region(tokyo)) })
}

// scanned has AWS's document scan an instance of staging, and waits until it has ended.
func (b *scene) scanned() {
	b.region(func(r *world.Region) {
		_, err := r.Send(world.SendSpec{
			Document: "AWS-RunPatchBaseline", Instances: []string{r.Instances()[0].ID},
			Parameters: map[string][]string{"Operation": {"Scan"}},
		})
		require.NoError(b.t, err)
	})
}

func TestADeepLookAsksWhatIsBelieved(t *testing.T) {
	const none = "unknown patch run %: Systems Manager remembers none that has ended, and keeps them for 30 days"
	const stagingHere, productionHere = "staging/" + tokyo, "production/" + tokyo
	unscanned := []string{
		strings.ReplaceAll(none, "%", productionHere), strings.ReplaceAll(none, "%", stagingHere),
	}
	for _, tc := range []struct {
		name  string
		fleet func(*world.Scenario)
		with  func(*scene)
		want  []string
	}{
		{"as it should be", nil, func(*scene) {}, unscanned},
		{
			"an older document", func(s *world.Scenario) { s.Doubts = []world.Doubt{world.DoubtNoStepTimeout} }, func(*scene) {},
			append([]string{
				"problem document " + stagingHere + " AWS-RunPatchBaseline: it has no parameter StepTimeoutSeconds",
				"problem document " + productionHere + " AWS-RunPatchBaseline: it has no parameter StepTimeoutSeconds",
			}, unscanned...),
		},
		{
			"the default key is off", nil, func(b *scene) {
				b.region(func(r *world.Region) {
					r.EncryptsByDefault = true
					r.DefaultKey = r.ARN("kms", "key/5f2c1e9a-0000-4000-8000-0000000000e2")
					r.PutKey(&world.Key{ARN: r.DefaultKey, State: "Disabled"})
				})
			},
			append([]string{
				"problem encryption " + stagingHere + ": the key arn:aws:kms:ap-northeast-1:222233334444:key/" +
					"5f2c1e9a-0000-4000-8000-0000000000e2 of the account's encryption by default, which a restored root volume " +
					"gets is Disabled",
			}, unscanned...),
		},
		{
			"no CodeDeploy, and no load balancers", nil, func(b *scene) {
				b.aws.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
					if call.Account == staging && (call.Operation == "ListDeployments" || call.Operation == "DescribeTargetGroups") {
						return awssim.Fault{Kind: awssim.FaultNoEndpoint}
					}
					return awssim.Fault{}
				})
			},
			append([]string{
				"problem endpoint " + stagingHere + " elasticloadbalancing: its name does not resolve",
				"unknown endpoint " + stagingHere + " codedeploy: it is not in this region: nobody is asked whether a deployment " +
					"runs, which each wave tells",
			}, unscanned...),
		},
		{
			"a page is refused", nil, func(b *scene) {
				b.aws.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
					if call.Account == staging && call.Operation == "ListAssociations" {
						return awssim.Fault{Kind: awssim.FaultError, Code: "ValidationException"}
					}
					return awssim.Fault{}
				})
			},
			append([]string{"problem page sizes " + stagingHere}, unscanned...),
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newSceneOf(t, tc.fleet)
			b.deep = true
			tc.with(b)
			report := b.look()
			found := deepFindings(report)
			require.Len(t, found, len(tc.want), "%s", strings.Join(found, "\n"))
			for _, want := range tc.want {
				require.Contains(t, strings.Join(found, "\n"), want)
			}
			for _, result := range report.Results {
				require.Equal(t, result.State == doctor.OK, result.Mend == "", "%+v", result)
			}
		})
	}
}

// With a patch run behind it a deep look reads that run's output, and it changes nothing.
func TestADeepLookReadsAPatchRunAndChangesNothing(t *testing.T) {
	b := newScene(t)
	b.deep = true
	b.scanned()
	report := b.look()
	require.Equal(t, []string{
		"unknown patch run production/ap-northeast-1: Systems Manager remembers none that has ended, and keeps them for 30 days",
	}, deepFindings(report))
	for _, event := range b.aws.Events() {
		require.False(t, event.Effect && event.Operation != "AssumeRole", "%s changes something", event.Operation)
	}
	require.False(t, func() bool { // a look that is not deep asks none of it
		b.deep = false
		for _, result := range b.look().Results {
			if deepChecks[result.Check] {
				return true
			}
		}
		return false
	}())
}
