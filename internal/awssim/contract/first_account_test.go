package contract_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/contract"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/shelltest"
)

// firstAccount is the CloudFormation template of the role that asks a real account.
const firstAccount = "../../../deploy/first-account/stack.yaml"

// rolePolicy is a policy document as YAML and JSON spell it.
type rolePolicy struct {
	Version   string            `yaml:"Version"`
	Statement []policyStatement `yaml:"Statement"`
}

type policyStatement struct {
	Sid       string         `yaml:"Sid"`
	Effect    string         `yaml:"Effect"`
	Action    []string       `yaml:"Action"`
	Resource  any            `yaml:"Resource"`
	Condition map[string]any `yaml:"Condition" json:",omitempty"`
}

// policyOfStack is the policy of the template's role that asks. It uses no function of CloudFormation's, so that it is
// read here as it stands there.
func policyOfStack(t *testing.T) rolePolicy {
	t.Helper()
	text, err := os.ReadFile(firstAccount)
	require.NoError(t, err)
	path, err := yaml.PathString("$.Resources.Asker.Properties.Policies[0].PolicyDocument")
	require.NoError(t, err)
	var policy rolePolicy
	require.NoError(t, path.Read(bytes.NewReader(text), &policy))
	require.NotEmpty(t, policy.Statement)
	return policy
}

// The role of deploy/first-account can do all that the contract and its questions do, and nothing that they do not.
func TestTheFirstAccountsRoleIsEnough(t *testing.T) {
	policy := policyOfStack(t)
	text, err := json.Marshal(policy)
	require.NoError(t, err)
	s := newSimulatorOf(t, func(scenario *world.Scenario) {
		for n := range scenario.Accounts {
			for m := range scenario.Accounts[n].Roles {
				scenario.Accounts[n].Roles[m].Policy = string(text)
			}
		}
	})
	endpoint := s.endpoint(t)
	endpoint.Prefix = contractPrefix + "a1b2-"
	endpoint.Machines, endpoint.CanSkipDays = inside{s}, true
	s.Inspect(func(*world.World) { s.region.Instance(endpoint.Managed).Tags["Name"] = contractPrefix + "machine" })
	for _, question := range contract.Questions() {
		if question.Needs != nil && question.Needs(endpoint) != "" {
			continue
		}
		if question.Name == "scan-with-old-snapshot" {
			continue // days go by in it
		}
		t.Run(question.Name, func(t *testing.T) {
			_, err, undone := question.Put(t.Context(), endpoint)
			require.NoError(t, err)
			require.NoError(t, undone)
		})
	}
	play(t, endpoint, nil)

	used := s.ActionsUsed(staging)
	for _, statement := range policy.Statement {
		for _, action := range statement.Action {
			require.True(t, slices.ContainsFunc(slices.Collect(maps.Keys(used)), func(one string) bool {
				return world.Matches(strings.ToLower(action), strings.ToLower(one))
			}), "%s allows %s, which nothing does", statement.Sid, action)
		}
	}
}

// The script asks as the role, with what the stack tells, in the shells that people have; with `go` in its place is a
// program which prints what it was given.
func TestTheFirstAccountIsAskedByAScript(t *testing.T) {
	aws := shelltest.Need(t, "aws", "awscli")
	s := newSimulator(t)
	server := httptest.NewServer(s.Sim)
	defer server.Close()
	outputs := map[string]string{
		"Role": role, "Profile": "profile", "Managed": s.region.Instances()[0].ID, "Image": s.region.Images()[0].ID,
	}
	home := s.region.World.Scenario.Home
	s.Inspect(func(w *world.World) {
		w.Account(home.ID).Region(tokyo).PutStack(world.Stack{
			Name: "patchtide-first-account", Status: "CREATE_COMPLETE", Outputs: outputs,
		})
	})
	bin := t.TempDir()
	require.NoError(t, os.Symlink(aws, filepath.Join(bin, "aws")))
	require.NoError(t, os.WriteFile(filepath.Join(bin, "go"), []byte("#!/bin/sh\nenv\necho \"go $*\"\n"), 0o755))
	ask := func(env ...string) (string, error) {
		command := exec.CommandContext(t.Context(), "../../../deploy/first-account/ask.sh")
		command.Env = append([]string{
			"PATH=" + bin + ":/usr/bin:/bin", "HOME=" + t.TempDir(), "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=",
			"AWS_ENDPOINT_URL=" + server.URL, "AWS_MAX_ATTEMPTS=1",
			"AWS_ACCESS_KEY_ID=" + home.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + home.SecretAccessKey,
		}, env...)
		said, err := command.CombinedOutput()
		return string(said), err
	}
	said, err := ask("AWS_REGION="+tokyo, "PATCHTIDE_CONTRACT_EXTERNAL_ID="+secret)
	require.NoError(t, err, said)
	for _, want := range []string{
		"PATCHTIDE_CONTRACT_ROLE=" + role, "PATCHTIDE_CONTRACT_PROFILE=profile",
		"PATCHTIDE_CONTRACT_MANAGED_INSTANCE=" + outputs["Managed"], "PATCHTIDE_CONTRACT_IMAGE=" + outputs["Image"],
		"PATCHTIDE_CONTRACT_ZONES=" + tokyo + "a," + tokyo + "b", "PATCHTIDE_CONTRACT_ACCOUNT=" + home.ID,
		"go test ./internal/awssim/contract -count=1 -v -timeout 3h -parallel 12 -run AWSKeepsTheContract/questions",
	} {
		require.Contains(t, said, want)
	}
	require.NotContains(t, said, "AWS_ACCESS_KEY_ID="+home.AccessKeyID, "it asks as the role")
	require.Regexp(t, `(?m)^AWS_SESSION_TOKEN=\S+$`, said)

	said, err = ask("AWS_REGION=" + tokyo)
	require.Error(t, err)
	require.Contains(t, said, "PATCHTIDE_CONTRACT_EXTERNAL_ID: is not set")
	said, err = ask("AWS_REGION="+tokyo, "PATCHTIDE_CONTRACT_EXTERNAL_ID="+secret, "PATCHTIDE_CONTRACT_STACK=other")
	require.Error(t, err)
	require.Contains(t, said, "other does not exist")
}
