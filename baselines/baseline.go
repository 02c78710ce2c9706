// Package baselines holds the patch baselines: what they are, how their files are read, and what they become in Systems
// Manager. The files beside this one are embedded; a directory of the user's own may add to them.
package baselines

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/internal/patch"
)

// Baseline decides which patches of one operating system are approved, and when.
type Baseline struct {
	Name            string                `json:"name" yaml:"name" required:"true" example:"amazon-linux-2023" doc:"What plans call it; the same as the file's name without .yaml."`
	Description     string                `json:"description" yaml:"description" required:"true" example:"Critical security at once, the rest after 7 days." doc:"One sentence, shown in Systems Manager."`
	OperatingSystem types.OperatingSystem `json:"operating_system" yaml:"operating_system" required:"true" example:"AMAZON_LINUX_2023" doc:"Systems Manager's name of the operating system; it decides which filters a rule may use."`
	// Platform follows from OperatingSystem.
	Platform   patch.Platform `json:"platform" yaml:"-"`
	PatchGroup string         `json:"patch_group,omitempty" yaml:"patch_group" example:"amazon-linux-2023" doc:"The patch group the baseline is registered for; instances carry it in the tag PatchGroup."`
	Rules      []Rule         `json:"rules" yaml:"rules" required:"true" example:"[{name: everything, approve_after_days: 7}]" doc:"A patch that any rule approves is approved. 1 to 10 rules."`
	// Approved and Rejected hold patches by name, in Systems Manager's notation: at most 50 each.
	Approved []string `json:"approved_patches,omitempty" yaml:"approved_patches" example:"['kernel-6.1*']" doc:"Patches approved whatever the rules say."`
	Rejected []string `json:"rejected_patches,omitempty" yaml:"rejected_patches" example:"['docker*']" doc:"Patches never installed, not even as a dependency."`
}

// Rule approves the patches that match all of its filters, some days after their release. An empty filter matches every
// value. Which filters exist depends on the operating system.
type Rule struct {
	Name             string                     `json:"name" yaml:"name" required:"true" example:"critical security at once" doc:"For readers; Systems Manager has no place for it."`
	Products         []string                   `json:"products,omitempty" yaml:"products" example:"[WindowsServer2022]" doc:"Filter PRODUCT."`
	Classifications  []string                   `json:"classifications,omitempty" yaml:"classifications" example:"[Security]" doc:"Filter CLASSIFICATION; not on Debian and Ubuntu."`
	Severities       []string                   `json:"severities,omitempty" yaml:"severities" example:"[Critical]" doc:"Filter SEVERITY, on Windows MSRC_SEVERITY; not on Debian and Ubuntu."`
	Priorities       []string                   `json:"priorities,omitempty" yaml:"priorities" example:"[Required, Important]" doc:"Filter PRIORITY; only on Debian and Ubuntu."`
	ApproveAfterDays *int32                     `json:"approve_after_days,omitempty" yaml:"approve_after_days" min:"0" max:"360" example:"7" doc:"Days between a patch's release and its approval. Needed everywhere but on Debian and Ubuntu, which do not support it."`
	ComplianceLevel  types.PatchComplianceLevel `json:"compliance_level" yaml:"compliance_level" enum:"CRITICAL,HIGH,MEDIUM,LOW,INFORMATIONAL,UNSPECIFIED" default:"UNSPECIFIED" example:"CRITICAL" doc:"How grave it is when a patch approved by this rule is missing."`
	NonSecurity      bool                       `json:"enable_non_security" yaml:"enable_non_security" default:"false" example:"true" doc:"Also packages without any security notice; Linux only."`
}

// Hash identifies the content: the first 16 hexadecimal digits of a SHA-256 over it. It changes whenever anything does
// that Systems Manager would be told.
func (b Baseline) Hash() string {
	text, err := json.Marshal(b)
	if err != nil {
		panic(err) // strings, numbers and lists of them always marshal
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])[:16]
}
