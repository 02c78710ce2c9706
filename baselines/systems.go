package baselines

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/internal/patch"
)

// system says what Systems Manager accepts for one operating system. Which keys exist is told by the API reference of
// DescribePatchProperties, the values of each by that of PatchFilter. Products change with every release, so
// they are not listed here.
type system struct {
	platform        patch.Platform
	classifications []string // nil: there is no such filter
	severityKey     types.PatchFilterKey
	severities      []string
	priorities      []string
	delay           bool // ApproveAfterDays and ApproveUntilDate have an effect
}

// The values of systems whose repositories carry notices as yum reads them.
var (
	yumClassifications = []string{"Security", "Bugfix", "Enhancement", "Recommended", "Newpackage"}
	yumSeverities      = []string{"Critical", "Important", "Medium", "Low"}
	plainSeverities    = []string{"Critical", "Important", "Moderate", "Low"}
)

func yum(severities []string) system {
	return system{
		platform: patch.Linux, classifications: yumClassifications, severityKey: types.PatchFilterKeySeverity,
		severities: severities, delay: true,
	}
}

// wildcard matches every value of a filter.
const wildcard = "*"

// systemOf returns what is known about an operating system, and false for one that Patchtide does not patch.
func systemOf(name types.OperatingSystem) (system, bool) {
	switch name {
	case types.OperatingSystemAmazonLinux2, types.OperatingSystemAmazonLinux2023,
		types.OperatingSystemRedhatEnterpriseLinux, types.OperatingSystemRockyLinux, types.OperatingSystemAlmaLinux:
		return yum(yumSeverities), true
	case types.OperatingSystemOracleLinux:
		return yum(plainSeverities), true
	case types.OperatingSystemSuse:
		of := yum(plainSeverities)
		of.classifications = []string{"Security", "Recommended", "Optional", "Feature", "Document", "Yast"}
		return of, true
	case types.OperatingSystemUbuntu, types.OperatingSystemDebian:
		return system{
			platform:   patch.Linux,
			priorities: []string{"Required", "Important", "Standard", "Optional", "Extra"},
		}, true
	case types.OperatingSystemWindows:
		return system{
			platform: patch.Windows,
			classifications: []string{
				"CriticalUpdates", "DefinitionUpdates", "Drivers", "FeaturePacks", "SecurityUpdates", "ServicePacks",
				"Tools", "UpdateRollups", "Updates", "Upgrades",
			},
			severityKey: types.PatchFilterKeyMsrcSeverity,
			severities:  append(slices.Clone(plainSeverities), "Unspecified"),
			delay:       true,
		}, true
	}
	return system{}, false
}

// systemNames lists the operating systems a baseline may be for.
func systemNames() []string {
	var names []string
	for _, name := range types.OperatingSystem("").Values() {
		if _, ok := systemOf(name); ok {
			names = append(names, string(name))
		}
	}
	slices.Sort(names)
	return names
}

// Patches says which systems Patchtide patches, wherever people are told of another.
func Patches() string {
	return "Patchtide patches " + strings.Join(systemNames(), ", ") + " and no other system"
}

// SystemOf is patch.SystemOf, as Systems Manager's type.
func SystemOf(platform, version string) types.OperatingSystem {
	return types.OperatingSystem(patch.SystemOf(platform, version))
}
