// Package baselines holds the patch baselines: what they are, how their files are read, and what they become in Systems
// Manager. The files beside this one are embedded; a directory of the user's own may add to them.
package baselines

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/internal/patch"
)

// Baseline decides which patches of one operating system are approved, and when.
type Baseline struct {
	Name            string                `json:"name" yaml:"name" required:"true" example:"amazon-linux-2023" doc:"What plans call it; the same as the file's name without .yaml."`
	Description     string                `json:"description" yaml:"description" example:"Critical security at once, the rest after 7 days." doc:"One sentence, shown in Systems Manager, with a mark of ours behind it. Only where ssm_name is written it may be left out, and stands alone."`
	SSM             string                `json:"ssm_name,omitempty" yaml:"ssm_name" example:"corp-al2023" doc:"Its name in Systems Manager, where that is not patchtide- and the name: of a baseline that was there before (patchtide baseline adopt)."`
	OperatingSystem types.OperatingSystem `json:"operating_system" yaml:"operating_system" required:"true" example:"AMAZON_LINUX_2023" doc:"Systems Manager's name of the operating system; it decides which filters a rule may use."`
	// Platform follows from OperatingSystem.
	Platform patch.Platform `json:"platform" yaml:"-"`
	// Adopts: it is no file, but whatever Systems Manager has for each instance (see patch.Adopted).
	Adopts     bool   `json:"adopts,omitempty" yaml:"-"`
	PatchGroup string `json:"patch_group,omitempty" yaml:"patch_group" example:"amazon-linux-2023" doc:"The patch group the baseline is registered for; instances carry it in the tag PatchGroup."`
	Rules      []Rule `json:"rules" yaml:"rules" required:"true" example:"[{name: everything, approve_after_days: 7}]" doc:"A patch that any rule approves is approved. 1 to 10 rules."`
	// Approved, and Rejected with Exceptions, hold patches by name, in Systems Manager's notation: at most 50 each.
	Approved            []string                   `json:"approved_patches,omitempty" yaml:"approved_patches" example:"['kernel-6.1*']" doc:"Patches approved whatever the rules say."`
	ApprovedLevel       types.PatchComplianceLevel `json:"approved_compliance_level,omitempty" yaml:"approved_compliance_level" enum:"CRITICAL,HIGH,MEDIUM,LOW,INFORMATIONAL,UNSPECIFIED" example:"HIGH" doc:"How grave it is when one of approved_patches is missing."`
	ApprovedNonSecurity bool                       `json:"approved_enable_non_security,omitempty" yaml:"approved_enable_non_security" default:"false" example:"true" doc:"approved_patches may be such without any security notice; Linux only."`
	Rejected            []string                   `json:"rejected_patches,omitempty" yaml:"rejected_patches" example:"['docker*']" doc:"Patches never installed."`
	RejectedAction      types.PatchAction          `json:"rejected_action" yaml:"rejected_action" enum:"BLOCK,ALLOW_AS_DEPENDENCY" default:"BLOCK" example:"ALLOW_AS_DEPENDENCY" doc:"What becomes of a rejected patch that another one needs: BLOCK never installs it, ALLOW_AS_DEPENDENCY does."`
	Exceptions          []Exception                `json:"exceptions,omitempty" yaml:"exceptions" example:"[{patch: 'docker*', owner: ann, reason: 'breaks the runtime', until: 2026-12-31}]" doc:"Rejected patches that somebody answers for until a day; check tells those that are over."`
	Sources             []Source                   `json:"sources,omitempty" yaml:"sources" example:"[{name: ours, products: [AmazonLinux2023], configuration: '...'}]" doc:"Other repositories that patches come from; Linux only, at most 20."`
}

// Exception is a rejected patch that somebody answers for. Once its day is over it rejects still, for nothing may come
// in because of a date, and is told until somebody has decided anew.
type Exception struct {
	Patch  string `json:"patch" yaml:"patch" required:"true" example:"docker*" doc:"The patch, in Systems Manager's notation."`
	Owner  string `json:"owner" yaml:"owner" required:"true" example:"ann" doc:"Who answers for it."`
	Reason string `json:"reason" yaml:"reason" required:"true" example:"breaks the runtime" doc:"Why it is not installed."`
	Until  string `json:"until" yaml:"until" required:"true" example:"2026-12-31" doc:"The last day on which it stands, by UTC."`
}

// Source is a repository beside those of the machine.
type Source struct {
	Name          string   `json:"name" yaml:"name" required:"true" example:"ours" doc:"3 to 50 letters, digits, dots and dashes."`
	Products      []string `json:"products" yaml:"products" required:"true" example:"[AmazonLinux2023]" doc:"The systems that it is for, as the filter PRODUCT names them; at most 20."`
	Configuration string   `json:"configuration" yaml:"configuration" required:"true" example:"[main]" doc:"As the package manager's own file has it: a section of yum's, or one line of apt's. It is shown to whoever may read baselines: no password belongs there."`
}

// Rule approves the patches that match all of its filters, some days after their release or up to a day. An empty
// filter matches every value. Which filters exist depends on the operating system.
type Rule struct {
	Name             string                     `json:"name" yaml:"name" required:"true" example:"critical security at once" doc:"For readers; Systems Manager has no place for it."`
	PatchSet         string                     `json:"patch_set,omitempty" yaml:"patch_set" enum:"OS,APPLICATION" example:"APPLICATION" doc:"Filter PATCH_SET, Windows only: APPLICATION for updates of Microsoft's applications; left out, of the system."`
	ProductFamilies  []string                   `json:"product_families,omitempty" yaml:"product_families" example:"[Office]" doc:"Filter PRODUCT_FAMILY; Windows only."`
	Products         []string                   `json:"products,omitempty" yaml:"products" example:"[WindowsServer2022]" doc:"Filter PRODUCT."`
	Classifications  []string                   `json:"classifications,omitempty" yaml:"classifications" example:"[Security]" doc:"Filter CLASSIFICATION; not on Debian and Ubuntu."`
	Severities       []string                   `json:"severities,omitempty" yaml:"severities" example:"[Critical]" doc:"Filter SEVERITY, on Windows MSRC_SEVERITY; not on Debian and Ubuntu."`
	Priorities       []string                   `json:"priorities,omitempty" yaml:"priorities" example:"[Required, Important]" doc:"Filter PRIORITY; only on Debian and Ubuntu."`
	ApproveAfterDays *int32                     `json:"approve_after_days,omitempty" yaml:"approve_after_days" min:"0" max:"360" example:"7" doc:"Days between a patch's release and its approval. It or approve_until is needed everywhere but on Debian and Ubuntu, which do not support them."`
	ApproveUntil     string                     `json:"approve_until,omitempty" yaml:"approve_until" example:"2026-11-15" doc:"The last day, by UTC, of whose releases a patch is approved; none that is released later."`
	ComplianceLevel  types.PatchComplianceLevel `json:"compliance_level" yaml:"compliance_level" enum:"CRITICAL,HIGH,MEDIUM,LOW,INFORMATIONAL,UNSPECIFIED" default:"UNSPECIFIED" example:"CRITICAL" doc:"How grave it is when a patch approved by this rule is missing."`
	NonSecurity      bool                       `json:"enable_non_security" yaml:"enable_non_security" default:"false" example:"true" doc:"Also packages without any security notice; Linux only."`
}

// Over reports whether the exception's day is over.
func (e Exception) Over(now time.Time) bool { return now.UTC().Format(time.DateOnly) > e.Until }

// String is an exception in one line, as it reads after the baseline's name.
func (e Exception) String() string {
	return fmt.Sprintf("exception of %s until %s, for which %s answers: %s", e.Patch, e.Until, e.Owner, e.Reason)
}

// Over are the exceptions whose day is over.
func (b Baseline) Over(now time.Time) (over []Exception) {
	for _, exception := range b.Exceptions {
		if exception.Over(now) {
			over = append(over, exception)
		}
	}
	return over
}

// rejected are all patches that are rejected, also by exceptions.
func (b Baseline) rejected() []string {
	all := slices.Clone(b.Rejected)
	for _, exception := range b.Exceptions {
		if !slices.Contains(all, exception.Patch) {
			all = append(all, exception.Patch)
		}
	}
	return all
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
