package baselines

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/strictyaml"
)

// Limits of Systems Manager: PatchRuleGroup holds 1 to 10 rules, PatchFilterGroup 0 to 4 filters, a baseline 50 patches
// that are approved, 50 that are rejected, and 20 sources, each for 20 products and of 1,024 characters; a description
// has 1,024 characters, of which ours leaves some for the hash.
const (
	maxRules         = 10
	maxFilters       = 4
	maxPatches       = 50
	maxSources       = 20
	maxConfiguration = 1024
	maxDescription   = 900
	maxAdopted       = 1024 // of a description that nothing is added to
)

// namePattern leaves room for the prefix in Systems Manager's pattern for baseline names, ^[a-zA-Z0-9_\-.]{3,128}$.
var namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,99}$`)

// ssmNamePattern is Systems Manager's.
var ssmNamePattern = regexp.MustCompile(`^[a-zA-Z0-9_.-]{3,128}$`)

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
	checkDescription(doc, b)
	if len(b.PatchGroup) > 256 {
		doc.Problem("patch_group", "is longer than the 256 characters Systems Manager allows")
	}
	if len(b.Approved) > maxPatches {
		doc.Problem("approved_patches", "holds %d patches; Systems Manager allows %d", len(b.Approved), maxPatches)
	}
	if count := len(b.rejected()); count > maxPatches {
		doc.Problem("rejected_patches", "holds %d patches, exceptions counted; Systems Manager allows %d", count, maxPatches)
	}
	for i, exception := range b.Exceptions {
		doc.Day(fmt.Sprintf("exceptions[%d].until", i), exception.Until)
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
	checkSources(doc, b)
	checkNames(doc, b)
	if b.ApprovedNonSecurity && os.platform != patch.Linux {
		doc.Problem("approved_enable_non_security", "exists on Linux only; remove it")
	}
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

// checkNames refuses a version in a list that tells none apart, where it would approve or reject nothing.
func checkNames(doc *strictyaml.Document, b *Baseline) {
	if !b.byName() || b.OperatingSystem == types.OperatingSystemSuse {
		return
	}
	check := func(at, name string) {
		if strings.ContainsAny(name, ":=_ ") { // no name of a package of dpkg has one
			doc.Problem(at, "%q names a version or an architecture, which lists of %s do not tell apart, so that it would do "+
				"nothing; write the name alone, or keep one version away by `patchtide patch block NAME:VERSION`", name,
				b.OperatingSystem)
		}
	}
	for i, name := range b.Approved {
		check(fmt.Sprintf("approved_patches[%d]", i), name)
	}
	for i, name := range b.Rejected {
		check(fmt.Sprintf("rejected_patches[%d]", i), name)
	}
	for i, exception := range b.Exceptions {
		check(fmt.Sprintf("exceptions[%d].patch", i), exception.Patch)
	}
}

// checkDescription checks what Systems Manager shows of a baseline: its name and its description.
func checkDescription(doc *strictyaml.Document, b *Baseline) {
	longest := maxDescription
	if b.SSM != "" {
		longest = maxAdopted
	}
	switch {
	case b.SSM != "" && !ssmNamePattern.MatchString(b.SSM):
		doc.Problem("ssm_name", "may hold 3 to 128 letters, digits, dots, dashes and underscores")
	case b.SSM == "" && !doc.Has("description"):
		doc.Problem("description", "is missing; write it like description: Critical security at once, the rest after 7 days.")
	}
	if len(b.Description) > longest {
		doc.Problem("description", "is %d characters long; keep it under %d", len(b.Description), longest)
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
	days, until := at+".approve_after_days", at+".approve_until"
	doc.Day(until, rule.ApproveUntil)
	const atOnce = "is not supported on %s by Systems Manager; remove it: what matches is approved at once"
	switch {
	case !os.delay && rule.ApproveAfterDays != nil:
		doc.Problem(days, atOnce, name)
	case !os.delay && doc.Has(until):
		doc.Problem(until, atOnce, name)
	case !os.delay:
	case doc.Has(days) && doc.Has(until):
		doc.Problem(until, "stands beside approve_after_days; Systems Manager takes one of them")
	case !doc.Has(days) && !doc.Has(until):
		doc.Problem(days, "is missing; write approve_after_days: 0 for at once, or the days to wait")
	}
	if rule.NonSecurity && os.platform != patch.Linux {
		doc.Problem(at+".enable_non_security", "exists on Linux only; remove it")
	}
	if os.platform != patch.Windows {
		for _, key := range []string{"patch_set", "product_families"} {
			if doc.Has(at + "." + key) {
				doc.Problem(at+"."+key, "exists on Windows only; remove it")
			}
		}
		return
	}
	of := Baseline{OperatingSystem: types.OperatingSystemWindows}
	if filters := len(of.ssmRule(rule).PatchFilterGroup.PatchFilters); filters > maxFilters {
		doc.Problem(at+".product_families", "makes %d filters of a rule; Systems Manager allows %d: leave out products, "+
			"classifications or severities", filters, maxFilters)
	}
}

// sourceName is Systems Manager's pattern.
var sourceName = regexp.MustCompile(`^[a-zA-Z0-9_.-]{3,50}$`)

func checkSources(doc *strictyaml.Document, b *Baseline) {
	switch {
	case len(b.Sources) > 0 && b.Platform != patch.Linux:
		doc.Problem("sources", "exist on Linux only; remove them")
	case len(b.Sources) > maxSources:
		doc.Problem("sources", "holds %d; Systems Manager allows %d", len(b.Sources), maxSources)
	}
	seen := map[string]bool{}
	for i, source := range b.Sources {
		at := fmt.Sprintf("sources[%d].", i)
		switch {
		case source.Name == "":
		case !sourceName.MatchString(source.Name):
			doc.Problem(at+"name", "may hold 3 to 50 letters, digits, dots, dashes and underscores")
		case seen[source.Name]:
			doc.Problem(at+"name", "%s is there twice", source.Name)
		}
		seen[source.Name] = true
		if n := len(source.Products); n > maxSources {
			doc.Problem(at+"products", "holds %d; Systems Manager allows %d", n, maxSources)
		}
		if n := len(source.Configuration); n > maxConfiguration {
			doc.Problem(at+"configuration", "is %d characters long; Systems Manager allows %d", n, maxConfiguration)
		}
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
