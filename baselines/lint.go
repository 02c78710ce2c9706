package baselines

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/internal/strictyaml"
)

// soon is from when on before its last day an exception is told: long enough to decide anew.
const soon = 30 * 24 * time.Hour

// Doubt is what is right in a file and may not be meant.
type Doubt struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Key     string `json:"key"`
	Message string `json:"message"`
}

// String is file:line: key: message, as of a mistake.
func (d Doubt) String() string { return fmt.Sprintf("%s:%d: %s: %s", d.File, d.Line, d.Key, d.Message) }

// Lint reads one baseline like Parse, and tells as well what is right in it and may not be meant: an exception that is
// over, ends soon or has no effect, a rule that can approve nothing, a date that has passed. The error is Parse's.
func Lint(file string, data []byte, now time.Time) (Baseline, []Doubt, error) {
	b, err := Parse(file, data)
	if err != nil {
		return Baseline{}, nil, err
	}
	doc := strictyaml.Parse(file, data)
	doc.Decode(&Baseline{}) // for the lines of keys
	l := linter{doc: doc, file: file, b: b, now: now.UTC()}
	l.exceptions()
	l.lists()
	for i, rule := range b.Rules {
		l.rule(fmt.Sprintf("rules[%d]", i), rule)
	}
	slices.SortStableFunc(l.doubts, func(a, b Doubt) int { return a.Line - b.Line })
	return b, l.doubts, nil
}

// LintEmbedded lints a baseline that is built in.
func LintEmbedded(name string, now time.Time) (Baseline, []Doubt, error) {
	file := name + ".yaml"
	data, err := embedded.ReadFile(file)
	if err != nil {
		return Baseline{}, nil, errors.Join(fmt.Errorf("there is no built-in baseline %q", name), err)
	}
	return Lint(file, data, now)
}

type linter struct {
	doc    *strictyaml.Document
	file   string
	b      Baseline
	now    time.Time
	doubts []Doubt
}

func (l *linter) doubt(key, format string, args ...any) {
	l.doubts = append(l.doubts, Doubt{l.file, l.doc.Line(key), key, fmt.Sprintf(format, args...)})
}

func (l *linter) exceptions() {
	for i, e := range l.b.Exceptions {
		at := fmt.Sprintf("exceptions[%d]", i)
		until, err := time.Parse(time.DateOnly, e.Until)
		switch {
		case err != nil: // Parse refused it
		case e.Over(l.now):
			l.doubt(at+".until", "the day of the exception of %s is over, and it rejects still; %s decides anew: another day, "+
				"or remove the exception", e.Patch, e.Owner)
		case until.Before(l.now.Add(soon)):
			l.doubt(at+".until", "the exception of %s ends with %s, in less than %d days; %s decides anew", e.Patch, e.Until,
				int(soon.Hours()/24), e.Owner)
		}
		if others := append(slices.Clone(l.b.Rejected), patchesOf(l.b.Exceptions[:i])...); covered(e.Patch, others) != "" {
			l.doubt(at+".patch", "has no effect: %s is rejected by %s anyway; remove one of them", e.Patch,
				covered(e.Patch, others))
		}
	}
}

func patchesOf(exceptions []Exception) (patches []string) {
	for _, e := range exceptions {
		patches = append(patches, e.Patch)
	}
	return patches
}

// covered is the first pattern that matches whatever another does; "" where none is sure to.
func covered(pattern string, by []string) string {
	for _, each := range by {
		if each == pattern || each == wildcard {
			return each
		}
		// What a pattern's own star may stand for only another star is sure to match: "docker-ce*" is judged by "docker*".
		if matched, err := path.Match(each, strings.ReplaceAll(pattern, wildcard, "\x00")); err == nil && matched {
			return each
		}
	}
	return ""
}

func (l *linter) lists() {
	rejected := l.b.rejected()
	for i, patch := range l.b.Approved {
		if by := covered(patch, rejected); by != "" {
			l.doubt(fmt.Sprintf("approved_patches[%d]", i),
				"has no effect: %s is rejected by %s, which wins; remove one of them", patch, by)
		}
	}
	if slices.Contains(rejected, wildcard) {
		l.doubt("rejected_patches", "%s rejects every patch, so that no rule approves anything", wildcard)
	}
}

func (l *linter) rule(at string, rule Rule) {
	if until, err := time.Parse(time.DateOnly, rule.ApproveUntil); err == nil && !l.now.Before(until.AddDate(0, 0, 1)) {
		l.doubt(at+".approve_until", "%s has passed: nothing that was released since is approved; write a later day, or "+
			"approve_after_days", rule.ApproveUntil)
	}
	prefixes := productsOf(l.b.OperatingSystem)
	if len(prefixes) == 0 || len(rule.Products) == 0 || slices.Contains(rule.Products, wildcard) {
		return
	}
	if !slices.ContainsFunc(rule.Products, func(product string) bool {
		return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(product+".", prefix) })
	}) {
		l.doubt(at+".products", "no machine of %s is of the product %s, so that the rule approves nothing; its products "+
			"begin with %s, or leave it out", l.b.OperatingSystem, joined(rule.Products), joined(prefixes))
	}
}

// productsOf is what the products of a system begin with (API reference of PatchFilter); nil where they may be
// anything, as on Windows, whose applications are products, too.
func productsOf(os types.OperatingSystem) []string {
	switch os {
	case types.OperatingSystemAmazonLinux2:
		return []string{"AmazonLinux2."}
	case types.OperatingSystemAmazonLinux2023:
		return []string{"AmazonLinux2023"}
	case types.OperatingSystemRedhatEnterpriseLinux:
		return []string{"RedhatEnterpriseLinux"}
	case types.OperatingSystemRockyLinux:
		return []string{"RockyLinux"}
	case types.OperatingSystemAlmaLinux:
		return []string{"AlmaLinux"}
	case types.OperatingSystemOracleLinux:
		return []string{"OracleLinux"}
	case types.OperatingSystemSuse:
		return []string{"Suse"}
	case types.OperatingSystemUbuntu:
		return []string{"Ubuntu"}
	case types.OperatingSystemDebian:
		return []string{"Debian"}
	}
	return nil
}
