package baselines

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func TestWhatABaselineRejectsOfWhatIsBlocked(t *testing.T) {
	long := strings.Repeat("a", 90)
	for _, c := range []struct {
		name     string
		baseline string
		blocked  string
		rejects  string // "": a version of it cannot be named there
	}{
		{"rpm", "amazon-linux-2023", "openssl.x86_64:1:3.2.2-1.amzn2023", "openssl.x86_64:1:3.2.2-1.amzn2023"},
		{"rpm of every architecture", "rhel-9", "openssl:1:3.2.2-1", "openssl-1:3.2.2-1.*"},
		{"a name that is too long", "amazon-linux-2023", long + ".x86_64:0:3.2.2-1", ""},
		{"SLES has another notation", "sles-15", "openssl.x86_64:0:3.2.2-1", ""},
		{"a package of Debian", "rhel-9", "openssl.amd64:3.0.2-0", ""},
		{"Windows", "windows-server-2022", "KB5031234", "KB5031234"},
		{"an update on Linux", "amazon-linux-2023", "KB5031234", ""},
		{"a package on Windows", "windows-server-2022", "openssl.x86_64:1:3.2.2-1", ""},
		{"Ubuntu takes names only", "ubuntu-24.04", "openssl.amd64:3.0.2-0ubuntu1", ""},
		{"and so does Debian", "debian-12", "openssl.amd64:3.0.2-0", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			file, err := Load(c.baseline)
			require.NoError(t, err)
			one, err := patch.ParsePatch("", c.blocked)
			require.NoError(t, err)
			with, err := file.Rejecting(patch.Blocks{one, one})
			require.NoError(t, err)
			require.Equal(t, c.rejects != "", file.Rejects(one))
			if c.rejects == "" {
				require.Equal(t, file.ToSSM(), with.ToSSM())
				return
			}
			require.LessOrEqual(t, len(c.rejects), 100)
			require.Equal(t, []string{c.rejects}, with.ToSSM().RejectedPatches)
			require.Equal(t, types.PatchActionBlock, with.ToSSM().RejectedPatchesAction)
			require.Empty(t, file.Rejected, "the file's own is as it was")
			require.NotEqual(t, file.Hash(), with.Hash())
			// What is blocked, or was, is no difference where it is rejected, and anything else is one.
			got := &ssm.GetPatchBaselineOutput{RejectedPatches: []string{"docker*", "vim:9-1", c.rejects}}
			require.Equal(t, with.ToSSM(), file.Forgiving(got, patch.Blocks{one}).ToSSM())
			require.Equal(t, file.ToSSM(), file.Forgiving(got, nil).ToSSM())
		})
	}
}

// More than Systems Manager takes is told: what is left out would be installed.
func TestMoreBlockedThanABaselineRejects(t *testing.T) {
	file, err := Load("amazon-linux-2023")
	require.NoError(t, err)
	var all patch.Blocks
	for i := range 51 {
		all = append(all, patch.BlockedPatch{Platform: patch.Linux, Name: fmt.Sprintf("p%d.x86_64", i), Version: "0:1-1"})
	}
	_, err = file.Rejecting(all[:50])
	require.NoError(t, err)
	_, err = file.Rejecting(all)
	require.ErrorContains(t, err, "would reject 51 patches with those that are blocked, and Systems Manager takes 50")
}
