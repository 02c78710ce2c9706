package baselines

import (
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// mark is what our descriptions end with.
var mark = regexp.MustCompile(`Managed by Patchtide, content ([0-9a-f]{16})\.$`)

// Origin says how a baseline in Systems Manager that differs came to differ, as far as its description tells: ours has
// the hash of the file's content.
func (b Baseline) Origin(got *ssm.GetPatchBaselineOutput) string {
	if b.SSM != "" {
		return "" // its description is somebody's
	}
	found := mark.FindStringSubmatch(aws.ToString(got.Description))
	switch {
	case found == nil:
		return "Patchtide has not written it, or somebody wrote over its description"
	case found[1] == b.Hash():
		return "it was written from this file, and somebody changed it in Systems Manager since"
	}
	return "it was written from another content of the file (" + found[1] + ", this one is " + b.Hash() + ")"
}
