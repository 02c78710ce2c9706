package world

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// Baseline is a patch baseline: which patches of an operating system are approved.
type Baseline struct {
	ID          string // pb-..., or an ARN when AWS owns it
	Name        string
	Description string
	OS          string // SSM's name: AMAZON_LINUX_2023
	AWSOwned    bool
	Filters     []PatchFilter // every rule needs them too
	Rules       []ApprovalRule
	Approved    []string // approved whatever the rules say
	Rejected    []string
	Level       string // compliance level of the approved list
	Action      string // rejected patches action
	NonSecurity bool
	Created     time.Time
	Modified    time.Time
	Tags        Tags
	ClientToken string
	Sources     []PatchSource // kept only: the world's machines have one repository
}

// PatchSource is a repository beside those of a machine.
type PatchSource struct {
	Name          string
	Products      []string
	Configuration string
}

// PatchFilter lets a patch pass when its key has one of the values, or one value is "*".
type PatchFilter struct {
	Key    string // PRODUCT, CLASSIFICATION, SEVERITY, MSRC_SEVERITY, PATCH_SET, ...
	Values []string
}

// ApprovalRule approves the patches that pass its filters, a number of days after their release or up to a date.
type ApprovalRule struct {
	Filters     []PatchFilter
	AfterDays   *int
	UntilDate   string // YYYY-MM-DD
	Compliance  string
	NonSecurity bool
}

// patching is what Patch Manager keeps in a region.
type patching struct {
	baselines shelf[*Baseline]
	defaults  map[string]string // SSM's operating system to baseline id
	groups    map[string]string // patch group and operating system to baseline id
	states    map[string]*PatchState
	tokens    map[string]*Baseline        // by client token: what it made, deleted or not
	snapshots map[string]baselineSnapshot // SnapshotId and baseline id to what they stand for
}

// awsBaselines are the operating systems AWS has a default baseline for, as far as the world knows them: its name, the
// severities of security patches that it approves after seven days, and whether it approves bug fixes as well. Those
// without severities approve all of a security repository at once (guide, AWS predefined patch baselines).
var awsBaselines = []struct {
	os, name   string
	severities []string
	bugfix     bool
}{
	{"AMAZON_LINUX_2023", "AWS-AmazonLinux2023DefaultPatchBaseline", []string{"Critical", "Important"}, true},
	{"UBUNTU", "AWS-UbuntuDefaultPatchBaseline", nil, false},
	{"WINDOWS", "AWS-DefaultPatchBaseline", []string{"Critical", "Important"}, false},
	{"AMAZON_LINUX_2", "AWS-AmazonLinux2DefaultPatchBaseline", []string{"Critical", "Important"}, true},
	{"ALMA_LINUX", "AWS-AlmaLinuxDefaultPatchBaseline", []string{"Critical", "Important"}, true},
	{"DEBIAN", "AWS-DebianDefaultPatchBaseline", nil, false},
	{"ORACLE_LINUX", "AWS-OracleLinuxDefaultPatchBaseline", []string{"Important", "Moderate"}, true},
	{"REDHAT_ENTERPRISE_LINUX", "AWS-RedHatDefaultPatchBaseline", []string{"Critical", "Important"}, true},
	{"ROCKY_LINUX", "AWS-RockyLinuxDefaultPatchBaseline", []string{"Critical", "Important"}, true},
	{"SUSE", "AWS-SuseDefaultPatchBaseline", []string{"Critical", "Important"}, false},
}

func (r *Region) setUpPatching() {
	r.patching = patching{
		defaults: map[string]string{}, groups: map[string]string{}, states: map[string]*PatchState{},
		tokens:    map[string]*Baseline{},
		snapshots: map[string]baselineSnapshot{},
	}
	week := 7
	for _, known := range awsBaselines {
		severity, classification := "SEVERITY", "Security"
		if known.os == "WINDOWS" {
			severity, classification = "MSRC_SEVERITY", "SecurityUpdates"
		}
		id := "arn:aws:ssm:" + r.Name + ":258303030303:patchbaseline/" + r.NewID("pb")
		rules := []ApprovalRule{{AfterDays: &week, Filters: []PatchFilter{
			{Key: "PRODUCT", Values: []string{"*"}},
			{Key: "CLASSIFICATION", Values: []string{classification}},
			{Key: severity, Values: known.severities},
		}}}
		if known.bugfix {
			rules = append(rules, ApprovalRule{AfterDays: &week, Filters: []PatchFilter{
				{Key: "PRODUCT", Values: []string{"*"}}, {Key: "CLASSIFICATION", Values: []string{"Bugfix"}},
			}})
		}
		if known.severities == nil {
			rules[0] = ApprovalRule{AfterDays: new(int), Filters: []PatchFilter{
				{Key: "PRODUCT", Values: []string{"*"}}, {Key: "PRIORITY", Values: debLevels},
			}}
		}
		r.patching.baselines.put(id, &Baseline{
			ID: id, Name: known.name, OS: known.os, AWSOwned: true, Rules: rules, Level: "UNSPECIFIED",
			Action:      "ALLOW_AS_DEPENDENCY",
			Description: "Default Patch Baseline Provided by AWS.", Created: r.World.start.AddDate(-1, 0, 0),
			Modified: r.World.start.AddDate(-1, 0, 0),
			Tags:     Tags{},
		})
		r.patching.defaults[known.os] = id
	}
}

func (r *Region) buildPatching(spec RegionSpec) error {
	for _, wanted := range spec.Baselines {
		baseline := Baseline{Name: wanted.Name, OS: wanted.OperatingSystem}
		severity := "SEVERITY"
		if wanted.OperatingSystem == "WINDOWS" {
			severity = "MSRC_SEVERITY"
		}
		for _, rule := range wanted.Rules {
			days := rule.ApproveAfterDays
			approval := ApprovalRule{AfterDays: &days}
			if len(rule.Severities) > 0 {
				approval.Filters = append(approval.Filters, PatchFilter{Key: severity, Values: rule.Severities})
			}
			if len(rule.Classifications) > 0 {
				approval.Filters = append(approval.Filters, PatchFilter{Key: "CLASSIFICATION", Values: rule.Classifications})
			}
			baseline.Rules = append(baseline.Rules, approval)
		}
		created, err := r.CreateBaseline(baseline)
		if err != nil {
			return err
		}
		r.patching.defaults[created.OS] = created.ID
	}
	return nil
}

// Limits of Patch Manager in an account and region.
const (
	BaselineLimit   = 50 // baselines
	PatchGroupLimit = 25 // patch groups of one baseline
)

// CreateBaseline registers a new baseline; a repeat with the same client token returns the first.
func (r *Region) CreateBaseline(b Baseline) (*Baseline, error) {
	own := 0
	if old := r.patching.tokens[b.ClientToken]; old != nil && r.World.Has(DoubtTokensOutliveBaselines) {
		return old, nil
	}
	for _, other := range r.patching.baselines.all() {
		if b.ClientToken != "" && other.ClientToken == b.ClientToken {
			return other, nil
		}
		if !other.AWSOwned {
			own++
		}
	}
	if own >= BaselineLimit {
		return nil, api.Errorf("ResourceLimitExceededException", "The limit of %d patch baselines is reached.", BaselineLimit)
	}
	if err := b.check(); err != nil {
		return nil, err
	}
	b.ID, b.Created, b.Modified = r.NewID("pb"), r.World.now, r.World.now
	if b.Level == "" {
		b.Level = "UNSPECIFIED"
	}
	if b.Action == "" {
		b.Action = "ALLOW_AS_DEPENDENCY"
	}
	b.Tags = b.Tags.Clone()
	r.patching.baselines.put(b.ID, &b)
	if b.ClientToken != "" {
		r.patching.tokens[b.ClientToken] = &b
	}
	return &b, nil
}

// Baseline returns the baseline with that id.
func (r *Region) Baseline(id string) (*Baseline, error) {
	baseline, ok := r.patching.baselines.get(id)
	if !ok {
		return nil, api.Errorf("DoesNotExistException", "Patch Baseline %s does not exist.", id)
	}
	return baseline, nil
}

// Baselines lists the region's baselines, AWS's own first.
func (r *Region) Baselines() []*Baseline { return r.patching.baselines.all() }

// UpdateBaseline puts changed in the place of a baseline of the account's own.
func (r *Region) UpdateBaseline(changed Baseline) error {
	old, err := r.Baseline(changed.ID)
	if err != nil {
		return err
	}
	if old.AWSOwned {
		return api.Errorf("AccessDeniedException", "Patch Baseline %s is owned by AWS and cannot be changed.", changed.ID)
	}
	if err := changed.check(); err != nil {
		return err
	}
	changed.Modified = r.World.now
	r.patching.baselines.put(changed.ID, &changed)
	return nil
}

// DeleteBaseline deletes a baseline that is no default and registered for no patch group; an unknown id is no error.
func (r *Region) DeleteBaseline(id string) error {
	baseline, ok := r.patching.baselines.get(id)
	if !ok {
		return nil
	}
	if baseline.AWSOwned || r.IsDefault(baseline) {
		return api.Errorf("ResourceInUseException", "Patch Baseline %s is a default baseline.", id)
	}
	for key, registered := range r.patching.groups {
		if registered == id {
			return api.Errorf(
				"ResourceInUseException", "Patch Baseline %s is registered for patch group %s.", id,
				strings.SplitN(key, "\x00", 2)[0],
			)
		}
	}
	r.patching.baselines.drop(id)
	return nil
}

// IsDefault reports whether the baseline is the default of its operating system.
func (r *Region) IsDefault(b *Baseline) bool { return r.patching.defaults[b.OS] == b.ID }

// SetDefaultBaseline makes the baseline the default of its operating system.
func (r *Region) SetDefaultBaseline(id string) error {
	baseline, err := r.Baseline(id)
	if err != nil {
		return err
	}
	r.patching.defaults[baseline.OS] = id
	return nil
}

// DefaultBaselineID is the default of an operating system; "" when there is none.
func (r *Region) DefaultBaselineID(os string) string { return r.patching.defaults[os] }

// approves reports whether the baseline approves a patch at a moment.
func (b *Baseline) approves(w *World, os *OperatingSystem, p Patch, at time.Time) bool {
	if b.rejects(p) {
		return false
	}
	if p.listed(b.Approved) {
		return b.NonSecurity || !b.unnoticed(p)
	}
	if !pass(b.Filters, os, p) {
		return false
	}
	for _, rule := range b.Rules {
		if !rule.reaches(p) || !pass(rule.Filters, os, p) || b.unnoticed(p) && !rule.NonSecurity {
			continue
		}
		released := w.released(p)
		if b.atOnce() {
			return true
		}
		if rule.UntilDate != "" {
			if until, err := time.Parse(time.DateOnly, rule.UntilDate); err == nil && released.Before(until.AddDate(0, 0, 1)) {
				return true
			}
			continue
		}
		days := 0
		if rule.AfterDays != nil {
			days = *rule.AfterDays
		}
		if !released.AddDate(0, 0, days).After(at) {
			return true
		}
	}
	return false
}

// unnoticed reports whether only a rule that says so approves the patch: one that no notice of its repository tells of,
// and on Debian and Ubuntu one that comes from no security repository (guide, How patch baseline rules work on
// Linux-based systems). Windows knows no such difference.
func (b *Baseline) unnoticed(p Patch) bool {
	switch b.OS {
	case "WINDOWS":
		return false
	case "UBUNTU", "DEBIAN":
		return p.Classification != "Security"
	}
	return p.Classification == ""
}

// rejects reports whether the patch is among those that the baseline rejects.
func (b *Baseline) rejects(p Patch) bool { return p.listed(b.Rejected) }

// listed reports whether a list of approved or rejected patches names this one, by package, id or title.
func (p Patch) listed(list []string) bool {
	return slices.ContainsFunc(list, func(pattern string) bool {
		return Matches(pattern, p.ID) || Matches(pattern, p.title()) || Matches(pattern, strings.SplitN(p.ID, ".", 2)[0])
	})
}

// set is the PATCH_SET of a patch.
func (p Patch) set() string {
	if p.Family != "" {
		return "APPLICATION"
	}
	return "OS"
}

// reaches reports whether a rule may be about a patch at all: about an application's only one that names their set. It
// is unverified, as AWS does not say what a rule without one means.
func (r ApprovalRule) reaches(p Patch) bool {
	return p.set() != "APPLICATION" ||
		slices.ContainsFunc(r.Filters, func(filter PatchFilter) bool { return filter.Key == "PATCH_SET" })
}

func pass(filters []PatchFilter, os *OperatingSystem, p Patch) bool {
	for _, filter := range filters {
		value := ""
		switch filter.Key {
		case "PRODUCT":
			value = cmp.Or(p.Product, os.Product)
		case "PRODUCT_FAMILY":
			value = p.Family
		case "CLASSIFICATION", "SECTION":
			value = p.Classification
		case "SEVERITY", "MSRC_SEVERITY", "PRIORITY":
			value = p.Severity
		case "PATCH_SET":
			value = p.set()
		case "PATCH_ID":
			value = p.ID
		}
		if !slices.Contains(filter.Values, "*") && !slices.Contains(filter.Values, value) {
			return false
		}
	}
	return true
}

// released is when a patch of the catalogue came out.
func (w *World) released(p Patch) time.Time { return w.start.AddDate(0, 0, -p.AgeDays) }

func (p Patch) title() string {
	if p.Title != "" {
		return p.Title
	}
	return p.ID + ":" + p.Version
}
