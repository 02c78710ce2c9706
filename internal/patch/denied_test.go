package patch_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

// Where something denies, another Allow mends nothing, and who can is told. The words are AWS's (IAM guide,
// "Troubleshoot access denied error messages").
func TestMendDenied(t *testing.T) {
	const user = "User: arn:aws:sts::111122223333:assumed-role/patchtide/w is not authorized to perform: " +
		"ec2:CreateSnapshot on resource: arn:aws:ec2:ap-northeast-1::snapshot/* "
	for said, want := range map[string]string{
		"because no identity-based policy allows the ec2:CreateSnapshot action":  "allow it",
		"with an explicit deny in an identity-based policy":                      "take the Deny out",
		"with an explicit deny in a service control policy":                      "organisation's policies",
		"because no service control policy allows the ec2:CreateSnapshot action": "organisation's policies",
		"with an explicit deny in a permissions boundary":                        "permissions boundary",
		"because no permissions boundary allows the ec2:CreateSnapshot action":   "permissions boundary",
		"with an explicit deny in a VPC endpoint policy":                         "VPC endpoint",
		"with an explicit deny in a resource-based policy":                       "policy of the resource",
	} {
		t.Run(said, func(t *testing.T) { require.Contains(t, patch.MendDenied(user+said, "allow it"), want) })
	}
}
