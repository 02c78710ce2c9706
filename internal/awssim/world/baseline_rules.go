package world

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// systemFilters are the filters that an operating system's baselines may have, by key, with the values of each; nil is
// any value. The keys are those of DescribePatchProperties in the API reference, the values those of PatchFilter.
type systemFilters struct {
	product *regexp.Regexp
	values  map[string][]string
}

var (
	yumClasses   = []string{"Security", "Bugfix", "Enhancement", "Recommended", "Newpackage"}
	yumLevels    = []string{"Critical", "Important", "Medium", "Low"}
	debLevels    = []string{"Required", "Important", "Standard", "Optional", "Extra"}
	plainLevels  = []string{"Critical", "Important", "Moderate", "Low"}
	suseClasses  = []string{"Security", "Recommended", "Optional", "Feature", "Document", "Yast"}
	windowsKinds = []string{
		"CriticalUpdates", "DefinitionUpdates", "Drivers", "FeaturePacks", "SecurityUpdates", "ServicePacks", "Tools",
		"UpdateRollups", "Updates", "Upgrades",
	}
)

func yum(product string) systemFilters {
	return systemFilters{
		regexp.MustCompile(product), map[string][]string{"CLASSIFICATION": yumClasses, "SEVERITY": yumLevels},
	}
}

func deb(product string) systemFilters {
	return systemFilters{regexp.MustCompile(product), map[string][]string{"PRIORITY": debLevels, "SECTION": nil}}
}

var filtersBySystem = map[string]systemFilters{
	"AMAZON_LINUX":            yum(`^AmazonLinux201\d\.\d+$`),
	"AMAZON_LINUX_2":          yum(`^AmazonLinux2(\.0)?$`),
	"AMAZON_LINUX_2022":       yum(`^AmazonLinux2022$`),
	"AMAZON_LINUX_2023":       yum(`^AmazonLinux2023(\.\d+)?$`),
	"ALMA_LINUX":              yum(`^AlmaLinux`),
	"CENTOS":                  yum(`^CentOS`),
	"REDHAT_ENTERPRISE_LINUX": yum(`^RedhatEnterpriseLinux`),
	"ROCKY_LINUX":             yum(`^RockyLinux`),
	"DEBIAN":                  deb(`^Debian\d+`),
	"RASPBIAN":                deb(`^(Raspbian|Debian)\d+`),
	"UBUNTU":                  deb(`^Ubuntu\d\d\.\d\d$`),
	"MACOS":                   {regexp.MustCompile(`^macOS|^MacOS`), map[string][]string{"CLASSIFICATION": nil}},
	"ORACLE_LINUX": {
		regexp.MustCompile(`^OracleLinux`), map[string][]string{"CLASSIFICATION": yumClasses, "SEVERITY": plainLevels},
	},
	"SUSE": {
		regexp.MustCompile(`^Suse`), map[string][]string{"CLASSIFICATION": suseClasses, "SEVERITY": plainLevels},
	},
	// Windows' baselines are for Microsoft's applications as well.
	"WINDOWS": {
		regexp.MustCompile(`^(Windows|Microsoft|Office|SQL|Exchange|Active|SharePoint|Skype|\.NET|Visual|System Center)`),
		map[string][]string{
			"CLASSIFICATION": windowsKinds, "MSRC_SEVERITY": append(plainLevels[:4:4], "Unspecified"),
			"PATCH_SET": {"OS", "APPLICATION"}, "PRODUCT_FAMILY": nil, "PATCH_ID": nil,
		},
	},
}

// atOnce reports whether the baseline's operating system has no delay: "Not supported for Debian Server or Ubuntu
// Server", says the API reference of ApproveAfterDays. A value is taken and shown all the same, and has no effect.
func (b *Baseline) atOnce() bool { return b.OS == "UBUNTU" || b.OS == "DEBIAN" }

// check refuses what SSM refuses of a baseline; what its description of the API says is refused before.
func (b *Baseline) check() error {
	filters := slices.Clone(b.Filters)
	for n, rule := range b.Rules {
		filters = append(filters, rule.Filters...)
		if err := rule.check(n + 1); err != nil {
			return err
		}
	}
	for _, filter := range filters {
		if err := filter.check(b.OS); err != nil {
			return err
		}
	}
	if len(b.Approved) > 50 || len(b.Rejected) > 50 {
		return api.Errorf("ValidationException", "At most 50 approved and 50 rejected patches are allowed.")
	}
	return nil
}

// check refuses a rule that names no time, or two: "your request must include a value for either ApproveAfterDays or
// ApproveUntilDate", says the API reference of PatchRule, of every operating system.
func (rule ApprovalRule) check(n int) error {
	switch {
	case rule.AfterDays == nil && rule.UntilDate == "":
		return api.Errorf("ValidationException", "Rule %d needs ApproveAfterDays or ApproveUntilDate.", n)
	case rule.AfterDays != nil && rule.UntilDate != "":
		return api.Errorf(
			"ValidationException", "Rule %d has both ApproveAfterDays and ApproveUntilDate; use one of them.", n,
		)
	case rule.AfterDays != nil && (*rule.AfterDays < 0 || *rule.AfterDays > 360):
		return api.Errorf("ValidationException", "ApproveAfterDays must be between 0 and 360, it is %d.", *rule.AfterDays)
	case len(rule.Filters) == 0:
		return api.Errorf("ValidationException", "Rule %d needs a patch filter.", n)
	}
	if _, err := time.Parse(time.DateOnly, rule.UntilDate); rule.UntilDate != "" && err != nil {
		return api.Errorf("ValidationException", "ApproveUntilDate %q is not of the form YYYY-MM-DD.", rule.UntilDate)
	}
	return nil
}

// check refuses a key that the operating system has not, and a value that the key has not.
func (filter PatchFilter) check(os string) error {
	known, ok := filtersBySystem[os]
	if !ok {
		return api.NotModelled("patch baselines of operating system %s", os)
	}
	values, ok := known.values[filter.Key]
	if !ok && filter.Key != "PRODUCT" {
		return api.Errorf(
			"ValidationException", "Patch filter key %s is not supported for operating system %s.", filter.Key, os,
		)
	}
	for _, value := range filter.Values {
		good := value == "*" || values == nil || slices.Contains(values, value)
		if filter.Key == "PRODUCT" {
			good = value == "*" || known.product.MatchString(value)
		}
		if !good {
			return api.Errorf("ValidationException", "Invalid Filter Value: %s for Key: %s", value, filter.Key)
		}
	}
	if filter.Key == "" || strings.TrimSpace(strings.Join(filter.Values, "")) == "" {
		return api.Errorf("ValidationException", "A patch filter needs a key and a value.")
	}
	return nil
}
