package baselines

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/patchtide/patchtide/internal/strictyaml"
)

// Limits of Systems Manager: PatchRuleGroup holds 1 to 10 rules, a baseline 50 approved and 50 rejected patches, a
// description 1,024 characters of which ours leaves some for the hash.
const (
	maxRules       = 10
	maxPatches     = 50
	maxDescription = 900
)

// namePattern leaves room for the prefix in Systems Manager's pattern for baseline names, ^[a-zA-Z0-9_\-.]{3,128}$.
var namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,99}$`)

// Parse reads one baseline. All mistakes come back together as strictyaml.Errors: an unknown key, a value of the wrong
// type, rules that are missing, filters and values that the operating system does not have.
func Parse(file string, data []byte) (Baseline, error) {
	doc := strictyaml.Parse(file, data)
	var b Baseline
	doc.Decode(&b)
	if !doc.Broken() {
		check(doc, file, &b)
	}
	if err := doc.Err(); err != nil {
		return Baseline{}, err
	}
	return b, nil
}

func check(doc *strictyaml.Document, file string, b *Baseline) {
	stem := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	switch {
	case b.Name == "":
	case !namePattern.MatchString(b.Name):
		doc.Problem("name", "may hold small letters, digits, dots and dashes; write it like name: amazon-linux-2023")
	case b.Name != stem:
		doc.Problem(
			"name", "is %s but the file is %s; plans find a baseline by its file: write name: %s", b.Name, filepath.Base(file),
			stem,
		)
	}
	if len(b.Description) > maxDescription {
		doc.Problem("description", "is %d characters long; keep it under %d", len(b.Description), maxDescription)
	}
	if len(b.PatchGroup) > 256 {
		doc.Problem("patch_group", "is longer than the 256 characters Systems Manager allows")
	}
	for key, list := range map[string][]string{"approved_patches": b.Approved, "rejected_patches": b.Rejected} {
		if len(list) > maxPatches {
			doc.Problem(key, "holds %d patches; Systems Manager allows %d", len(list), maxPatches)
		}
	}
	os, known := systemOf(b.OperatingSystem)
	if !known {
		if slices.Contains(b.OperatingSystem.Values(), b.OperatingSystem) {
			doc.Problem("operating_system", "%q is a system of Systems Manager, and %s", string(b.OperatingSystem), Patches())
		} else if b.OperatingSystem != "" {
			doc.Problem(
				"operating_system", "%q is not known; write one of %s", string(b.OperatingSystem),
				strings.Join(systemNames(), ", "),
			)
		}
		return
	}
	b.Platform = os.platform
	if doc.Has("rules") && len(b.Rules) == 0 {
		doc.Problem(
			"rules",
			"is empty, so nothing would ever be approved; write at least one, like rules: [{name: everything, "+
				"approve_after_days: 7}]",
		)
	}
	if len(b.Rules) > maxRules {
		doc.Problem("rules", "holds %d rules; Systems Manager allows %d", len(b.Rules), maxRules)
	}
	for i, rule := range b.Rules {
		checkRule(doc, fmt.Sprintf("rules[%d]", i), string(b.OperatingSystem), os, rule)
	}
}

func checkRule(doc *strictyaml.Document, at, name string, os system, rule Rule) {
	checkValues(doc, at+".classifications", name, "classification", rule.Classifications, os.classifications)
	checkValues(doc, at+".severities", name, "severity", rule.Severities, os.severities)
	checkValues(doc, at+".priorities", name, "priority", rule.Priorities, os.priorities)
	for i, product := range rule.Products {
		if len(product) > 64 {
			doc.Problem(fmt.Sprintf("%s.products[%d]", at, i), "is longer than the 64 characters Systems Manager allows")
		}
	}
	days := at + ".approve_after_days"
	switch {
	case os.delay && rule.ApproveAfterDays == nil && !doc.Has(days):
		doc.Problem(days, "is missing; write approve_after_days: 0 for at once, or the days to wait")
	case !os.delay && rule.ApproveAfterDays != nil:
		doc.Problem(days, "is not supported on %s by Systems Manager; remove it: what matches is approved at once", name)
	}
	if rule.NonSecurity && os.platform != "linux" {
		doc.Problem(at+".enable_non_security", "exists on Linux only; remove it")
	}
}

func checkValues(doc *strictyaml.Document, at, system, what string, values, known []string) {
	if len(values) > 0 && known == nil {
		doc.Problem(at, "%s has no filter by %s; remove it", system, what)
		return
	}
	for i, value := range values {
		if value != "" && value != wildcard && !slices.Contains(known, value) {
			doc.Problem(
				at+"["+strconv.Itoa(i)+"]", "%q is no %s of %s; write one of %s", value, what, system, strings.Join(known, ", "),
			)
		}
	}
}
