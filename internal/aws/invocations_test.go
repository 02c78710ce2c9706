package aws_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/awssim/simtest"
)

// AWS refuses to guess which of a document's steps is meant: ours reads the one that ran, be it the first or another.
func TestAnInvocationIsReadByTheStepThatRan(t *testing.T) {
	f := simtest.New(t, simtest.Options{})
	s := f.Services(simtest.Production)
	id := f.Instances(simtest.Production.Account.ID)[0]
	for _, c := range []struct {
		name, document string
		parameters     map[string][]string
		status, says   string
	}{
		{"one of three", "AWS-RunPatchBaseline", map[string][]string{"Operation": {"Scan"}}, "Success", "Scan"},
		{
			"the only one", "AWS-RunShellScript",
			map[string][]string{"commands": {`# patchtide:probe {"checks":[{"port":80,"path":"/healthz"}]}`}},
			"Success", "200",
		},
		{"it failed", "AWS-RunShellScript", map[string][]string{"commands": {"dracut --force"}}, "Failed", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			sent, err := s.SSM.SendCommand(t.Context(), &ssm.SendCommandInput{
				DocumentName: &c.document, InstanceIds: []string{id}, Parameters: c.parameters,
			})
			require.NoError(t, err)
			f.Pass(5 * time.Minute)
			seen, err := aws.FindInvocation(t.Context(), s, "here", id, aws.Deref(sent.Command.CommandId))
			require.NoError(t, err)
			require.True(t, seen.Over())
			require.NoError(t, seen.ReadOutput(t.Context(), s, "here"))
			require.Equal(t, c.status, string(seen.Status))
			require.Equal(t, c.status == "Failed", seen.Failed())
			require.Contains(t, seen.Stdout, c.says)
			if c.status == "Failed" {
				require.Regexp(t, `^Failed, exit code 127: .*dracut`, seen.DescribeEnd())
			}
		})
	}
}
