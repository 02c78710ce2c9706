package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/baselines"
	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/awssimtest"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
)

// simulated lets the default chain find a simulated AWS, and leaves the test in an empty folder.
func simulated(t *testing.T) *awssim.Sim {
	t.Helper()
	fleet := awssimtest.New(t, awssimtest.Options{})
	fleet.Serve(t)
	t.Setenv("PATCHTIDE_EXTERNAL_ID", "patchtide-lab")
	t.Chdir(t.TempDir())
	return fleet.Sim
}

var initArgs = []string{
	"init", "--role", "staging=arn:aws:iam::222233334444:role/patchtide", "--role",
	"production=arn:aws:iam::111122223333:role/patchtide",
	"--external-id-from", "env:PATCHTIDE_EXTERNAL_ID",
}

func TestInitWritesWhatCheckTakes(t *testing.T) {
	simulated(t)
	code, stdout, stderr := call(t, initArgs...)
	require.Equal(t, exitDone, code, stderr)
	require.Contains(t, stdout, "patchtide.yaml: 2 groups in plans [web]")

	code, stdout, stderr = call(t, "check")
	require.Equal(t, exitDone, code, stderr)
	require.Contains(t, stdout, "patchtide.yaml is right: 2 accounts, plans [web]")

	loaded, err := config.Load("patchtide.yaml", nil)
	require.NoError(t, err)
	plan, err := loaded.Plan("web")
	require.NoError(t, err)
	require.Equal(t, "amazon-linux-2023", plan.Baseline)
	require.Len(t, plan.Stages, 2)
	require.Equal(t, "staging", plan.Stages[0].Name)
	require.Equal(t, "staging/ap-northeast-1/Role=web", plan.Stages[0].Groups[0].String())
	require.Nil(t, plan.Stages[0].Approval)
	require.Equal(t, "production/ap-northeast-1/web", plan.Stages[1].Groups[0].String())
	require.NotNil(t, plan.Stages[1].Approval)
	require.Equal(t, patch.HTTPCheck{Path: "/healthz", Port: 80, From: "instance"}, *plan.Stages[1].Health[1].HTTP)

	text, err := os.ReadFile("patchtide.yaml")
	require.NoError(t, err)
	code, _, stderr = call(t, initArgs...)
	require.Equal(t, exitUsage, code, "it is there already")
	require.Contains(t, stderr, "--force")
	require.NoError(t, os.WriteFile("patchtide.yaml", []byte("mine"), 0o600))
	code, _, stderr = call(t, append(initArgs, "--force")...)
	require.Equal(t, exitDone, code, stderr)
	again, err := os.ReadFile("patchtide.yaml")
	require.NoError(t, err)
	require.Equal(t, string(text), string(again))
	left, err := filepath.Glob("*")
	require.NoError(t, err)
	require.Equal(t, []string{"patchtide.yaml"}, left, "no draft stays")
}

// With a place for manifests production is bound to what staging proves; without one the file says that it is not.
func TestInitBindsProductionWhereManifestsHaveAPlace(t *testing.T) {
	for _, c := range []struct {
		name  string
		flags []string
		want  patch.Pin
	}{
		{"none", nil, patch.PinNone},
		{"a bucket", []string{"--manifests", "s3://patchtide-manifests/web"}, patch.PinManifest},
	} {
		t.Run(c.name, func(t *testing.T) {
			simulated(t)
			code, _, stderr := call(t, append(c.flags, initArgs...)...)
			require.Equal(t, exitDone, code, stderr)
			code, _, stderr = call(t, "check")
			require.Equal(t, exitDone, code, stderr)
			loaded, err := config.Load("patchtide.yaml", nil)
			require.NoError(t, err)
			plan, err := loaded.Plan("web")
			require.NoError(t, err)
			require.Equal(t, c.want, plan.PinOf(1))
		})
	}
}

func TestInitLeavesOutWhatOthersOperate(t *testing.T) {
	sim := simulated(t)
	sim.Inspect(func(w *world.World) {
		group, err := w.Account("111122223333").Region("ap-northeast-1").ScalingGroup("web")
		require.NoError(t, err)
		group.Tags = append(group.Tags, world.GroupTag{Key: "eks:cluster-name", Value: "shop"})
	})
	code, stdout, stderr := call(t, append(initArgs, "--json")...)
	require.Equal(t, exitDone, code, stderr)
	var result begun
	require.NoError(t, json.Unmarshal([]byte(stdout), &result))
	require.Equal(t, 1, result.Groups)
	require.Len(t, result.LeftOut, 1)
	require.Equal(t, "production/ap-northeast-1/web", result.LeftOut[0].Where)
	require.Contains(t, result.LeftOut[0].Why, "Amazon EKS")
	text, err := os.ReadFile("patchtide.yaml")
	require.NoError(t, err)
	require.Contains(t, string(text), "#   production/ap-northeast-1/web: it is operated by Amazon EKS")
	code, _, stderr = call(t, "check")
	require.Equal(t, exitDone, code, stderr)
}

// A system that Patchtide does not patch is left out by init with the words that check has for its baseline.
func TestInitAndCheckAgreeOnSystems(t *testing.T) {
	sim := simulated(t)
	sim.Inspect(func(w *world.World) {
		for i := range w.Scenario.OperatingSystems {
			w.Scenario.OperatingSystems[i].PlatformName = "CentOS Stream"
			w.Scenario.OperatingSystems[i].PlatformVersion = "8.8"
		}
	})
	code, _, stderr := call(t, initArgs...)
	require.Equal(t, exitFailed, code)
	require.Contains(t, stderr, "runs CentOS Stream 8.8: "+baselines.Patches())
	_, err := baselines.Parse("centos8.yaml", []byte("name: centos8\ndescription: d\n"+
		"operating_system: CENTOS\nrules: [{name: all, approve_after_days: 7}]\n"))
	require.ErrorContains(t, err, baselines.Patches())
	require.NotContains(t, err.Error(), "is not known")
}

// Without the tag another baseline would judge the instances, and a wave refuses them: init offers the commands.
func TestInitOffersWhatPutsInstancesInTheirPatchGroup(t *testing.T) {
	sim := simulated(t)
	code, stdout, stderr := call(t, append(initArgs, "--force")...)
	require.Equal(t, exitDone, code, stderr)
	require.NotContains(t, stdout, "create-tags", "all have it")
	var id string
	sim.Inspect(func(w *world.World) {
		group, err := w.Account("111122223333").Region("ap-northeast-1").ScalingGroup("web")
		require.NoError(t, err)
		id = group.Members()[0].Instance.ID
		delete(group.Members()[0].Instance.Tags, "PatchGroup")
	})
	code, stdout, stderr = call(t, append(initArgs, "--force")...)
	require.Equal(t, exitDone, code, stderr)
	require.Contains(t, stdout, "1 of 4 instances are not in the patch group amazon-linux-2023: "+id+" (none)")
	require.Contains(t, stdout, "aws ec2 create-tags --region ap-northeast-1 --resources "+id)
	require.Contains(t, stdout, "aws autoscaling create-or-update-tags")
}

func TestInitAsksNothingWithoutATerminal(t *testing.T) {
	simulated(t)
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no role": {[]string{"init"}, exitUsage, "--role is missing"},
		"no ARN":  {[]string{"init", "--role", "production"}, exitUsage, "write it like production=arn:aws:iam"},
		"no external id": {
			[]string{"init", "--role", initArgs[2]},
			exitFailed,
			"arn:aws:iam::222233334444:role/patchtide may not be assumed: AccessDenied: ",
		},
		"no external id, and what to do": {
			[]string{"init", "--role", initArgs[2]}, exitFailed, "--external-id-from env:PATCHTIDE_EXTERNAL_ID",
		},
		"another external id": {
			[]string{"init", "--role", initArgs[2], "--external-id-from", "env:AWS_REGION"},
			exitFailed,
			"role/patchtide may not be assumed with the external id in env:AWS_REGION: AccessDenied: ",
		},
		"unset external id": {
			[]string{"init", "--role", initArgs[2], "--external-id-from", "env:NOBODY"}, exitUsage, "NOBODY is not set",
		},
		"an empty region": {
			append(initArgs, "--region", "eu-west-1"), exitFailed, "nothing to patch was found in eu-west-1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, stderr := call(t, c.args...)
			require.Equal(t, c.code, code, stderr)
			require.Contains(t, stderr, c.want)
			require.NotContains(t, stderr, "operation error", "the SDK's way there is left out")
			require.NoFileExists(t, "patchtide.yaml")
		})
	}
}

func TestInitSaysHowToMakeTheJournalsKey(t *testing.T) {
	t.Chdir(t.TempDir())
	const ends = "`patchtide check`\n"
	for _, c := range []struct{ from, says string }{
		{"file:journal.key", "  2. make the key that signs the journal, once, and keep it: every worker needs the same\n" +
			"       (umask 077; openssl rand -base64 48 > journal.key)\n  3. " + ends},
		{"ssm:/patchtide/key", "aws ssm put-parameter --type SecureString --name /patchtide/key --value"},
		{"kms:alias/patchtide", "see that alias/patchtide is a key of KMS for HMAC_256"},
	} {
		require.Contains(t, nextSteps(c.from), c.says)
	}
	require.NoError(t, os.WriteFile("journal.key", []byte("k"), 0o600))
	require.Contains(t, nextSteps("file:journal.key"), "  2. "+ends, "it is there already")
}

func TestInitWithoutANetworkSaysSo(t *testing.T) {
	simulated(t)
	t.Setenv("AWS_ENDPOINT_URL", "http://nosuch.invalid")
	code, _, stderr := call(t, initArgs...)
	require.Equal(t, exitFailed, code)
	require.Contains(t, stderr, "AWS cannot be reached from here: ")
	require.Contains(t, stderr, "AWS_ENDPOINT_URL")
	require.NotContains(t, stderr, "operation error")
}
