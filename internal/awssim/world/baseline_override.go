package world

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// overrideBaseline is one baseline of a BaselineOverride document: a list, with one for each operating system.
type overrideBaseline struct {
	OperatingSystem                  string
	GlobalFilters                    overrideFilters
	ApprovalRules                    struct{ PatchRules []overrideRule }
	ApprovedPatches                  []string
	ApprovedPatchesComplianceLevel   string
	ApprovedPatchesEnableNonSecurity bool
	RejectedPatches                  []string
	RejectedPatchesAction            string
	Sources                          []json.RawMessage
}

type overrideFilters struct{ PatchFilters []PatchFilter }

type overrideRule struct {
	PatchFilterGroup  overrideFilters
	ApproveAfterDays  *int
	ApproveUntilDate  string
	ComplianceLevel   string
	EnableNonSecurity bool
}

// readBaselineOverride fetches the baselines that stand in for the registered one and picks the machine's. Unlike an
// override list, one that cannot be had ends the run.
func (run *patchRun) readBaselineOverride() error {
	where := run.invocation.Command.parameter("BaselineOverride", "")
	if where == "" {
		return nil
	}
	if run.state.OverrideList != "" {
		return fmt.Errorf("BaselineOverride and InstallOverrideList cannot be used together")
	}
	data, err := run.instance.download(where)
	if err != nil {
		return fmt.Errorf("BaselineOverride %q: %w", where, err)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var document []overrideBaseline
	if err := decoder.Decode(&document); err != nil {
		return fmt.Errorf("BaselineOverride %q is no list of baselines: %w", where, err)
	}
	os := run.instance.Disk().os.SSM
	n := slices.IndexFunc(document, func(b overrideBaseline) bool { return b.OperatingSystem == os })
	if n < 0 {
		return fmt.Errorf("BaselineOverride %q has no baseline for operating system %s", where, os)
	}
	chosen := document[n]
	if len(chosen.Sources) > 0 {
		return fmt.Errorf("BaselineOverride %q: the simulated machine does not model Sources", where)
	}
	baseline := Baseline{
		ID: run.baseline.ID, Name: "override", OS: os, Filters: chosen.GlobalFilters.PatchFilters,
		Approved: chosen.ApprovedPatches,
		Rejected: chosen.RejectedPatches, Action: chosen.RejectedPatchesAction, Level: chosen.ApprovedPatchesComplianceLevel,
		NonSecurity: chosen.ApprovedPatchesEnableNonSecurity,
	}
	for _, rule := range chosen.ApprovalRules.PatchRules {
		baseline.Rules = append(baseline.Rules, ApprovalRule{
			Filters: rule.PatchFilterGroup.PatchFilters, AfterDays: rule.ApproveAfterDays, UntilDate: rule.ApproveUntilDate,
			Compliance: rule.ComplianceLevel, NonSecurity: rule.EnableNonSecurity,
		})
	}
	if err := baseline.check(); err != nil {
		return fmt.Errorf("BaselineOverride %q: %w", where, err)
	}
	run.baseline, run.unreported = &baseline, true
	return nil
}

// download reads an s3:// object with the machine's own permissions. The machine has no way out to anything else.
func (i *Instance) download(where string) ([]byte, error) {
	location, err := url.Parse(where)
	if err != nil {
		return nil, fmt.Errorf("%q is not a URL", where)
	}
	world := i.Region.World
	switch {
	case location.Scheme != "s3" || world.ReadObject == nil:
		return nil, fmt.Errorf("it cannot be read: use an s3:// URL")
	case world.faults.strikes(FaultOverrideUnreadable, i):
		return nil, &api.Error{Status: 403, Code: "AccessDenied", Message: "403 Forbidden"}
	}
	return world.ReadObject(i.Region, location.Host, strings.TrimPrefix(location.Path, "/"))
}
