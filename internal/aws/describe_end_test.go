package aws

import (
	"strings"
	"testing"

	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/stretchr/testify/require"
)

// TestWhyACommandFailed: the reason is the script's own last word, where that is to be had, and not the agent's.
func TestWhyACommandFailed(t *testing.T) {
	const agent = "failed to run commands: exit status 1"
	long := strings.Repeat("W: the mirror does not answer\n", 400)
	for _, c := range []struct{ name, stderr, stdout, says string }{
		{"its last line", "first\ncat: /wrong/file: No such file or directory\n" + agent, "", "cat: /wrong/file: No such file or directory"},
		{"with blank lines", "no space left\n\n" + agent + "\n", "", "no space left"},
		{"nothing but the agent's", agent, "", agent},
		{"an error that was printed", agent, "10:00 [INFO]: begins\n10:01 [ERROR]: no such repository\n10:02 [INFO]: ends\n", "10:01 [ERROR]: no such repository"},
		{"nothing", "", "", ""},
		{"cut by the API", long[:8000], "", "W: the mirror does not answer (" + stderrCut + ")"},
		{"cut with a note", long[:7000] + "\n--output truncated--", "", "W: the mirror does not answer (" + stderrCut + ")"},
		{"cut with a note of older agents", long[:7000] + "\n---Error truncated----", "", "W: the mirror does not answer (" + stderrCut + ")"},
		{"one long line", strings.Repeat("x", 8000), "", strings.Repeat("x", 200) + "… (" + stderrCut + ")"},
	} {
		t.Run(c.name, func(t *testing.T) {
			end := Invocation{
				Status: ssmtypes.CommandInvocationStatusFailed, Details: "Failed", ExitCode: 1, Stderr: c.stderr, Stdout: c.stdout,
			}.DescribeEnd()
			require.Equal(t, strings.TrimSuffix("Failed, exit code 1: "+c.says, ": "), end)
		})
	}
}
