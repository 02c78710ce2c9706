package scan

import (
	"slices"
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
	"github.com/patchtide/patchtide/workflows/notice"
)

// Request asks ScanFleet to scan the groups of a plan.
type Request = run.PlanRequest

// FleetScan is what is missing where.
type FleetScan struct {
	Plan   string      `json:"plan"`
	Groups []GroupScan `json:"groups"`
}

// GroupScan is one group's part of it.
type GroupScan struct {
	Account   string       `json:"account"`
	Region    string       `json:"region"`
	Name      string       `json:"name"`
	Instances []patch.Scan `json:"instances"`
	Compliant int          `json:"compliant"`
	Scanned   int          `json:"scanned"` // coverage: scanned of len(Instances)
	Error     string       `json:"error,omitempty"`
	// BaselineID is the plan's baseline in Systems Manager, which the scan has made there where it was not yet, and
	// registered for its patch group; "" where that failed, or the plan adopts what Systems Manager has: then each
	// instance tells its own.
	BaselineID string `json:"baseline_id,omitempty"`
	// BaselineDiffered is how that differed from its file until the scan made it equal, and since when; "": it did not.
	BaselineDiffered string `json:"baseline_differed,omitempty"`
}

// Judges says which baselines judged the instances of a group whose plan adopts what Systems Manager has.
func (g GroupScan) Judges() (said []string) {
	if g.BaselineID != "" {
		return nil
	}
	var judges []string
	for _, instance := range g.Instances {
		judges = append(judges, instance.BaselineID)
	}
	return patch.JudgedEach(judges)
}

// Whole reports whether all that a scan should tell it tells: every group was read, and each of its instances scanned.
func (f *FleetScan) Whole() bool {
	return !slices.ContainsFunc(f.Groups, func(group GroupScan) bool {
		return group.Error != "" || group.Scanned < len(group.Instances)
	})
}

// ScanFleet scans every group of a plan. It installs nothing; what it changes is compliance data and, where it is not
// as the file says, the plan's baseline in Systems Manager and its registration for the patch group: without them AWS's
// own baseline would judge. One group that cannot be scanned does not hide the others.
func ScanFleet(ctx workflow.Context, request Request) (*FleetScan, error) {
	if err := request.Validate(); err != nil {
		return nil, err
	}
	fleet := &FleetScan{Plan: request.Plan}
	if err := workflow.SetQueryHandlerWithOptions(ctx, names.QueryStatus, func() (*FleetScan, error) { return fleet, nil },
		workflow.QueryHandlerOptions{Description: "What has been scanned so far"}); err != nil {
		return nil, err
	}
	var resolved activities.ResolvedPlan
	if err := workflow.ExecuteActivity(
		run.Controlling(ctx, "what the plan says"), control.ResolvePlan,
		activities.ResolvePlanInput{Plan: request.Plan, AnyTime: true},
	).Get(ctx, &resolved); err != nil {
		return nil, err
	}
	plan := resolved.Plan
	waveID := workflow.GetInfo(ctx).WorkflowExecution.ID + "/" + workflow.GetInfo(ctx).WorkflowExecution.RunID
	var drifts notice.Drifts
	for _, group := range plan.Groups() {
		scan := GroupScan{Account: group.Account.Name, Region: group.Region, Name: group.Name()}
		var baseline activities.RegisteredBaseline
		scan.Instances, baseline, scan.Error = Group(ctx, group, plan, waveID)
		scan.BaselineID, scan.BaselineDiffered = baseline.BaselineID, baseline.Differed
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		for _, instance := range scan.Instances {
			if instance.Error == "" {
				scan.Scanned++
			}
			if instance.Compliant() {
				scan.Compliant++
			}
		}
		drifts.Add(group, plan.Of(group).Baseline, baseline.Differed)
		fleet.Groups = append(fleet.Groups, scan)
		fleet.fit()
		workflow.SetCurrentDetails(ctx, fleet.details())
	}
	if resolved.Notifies && len(drifts) > 0 {
		told := patch.Notice{
			Kind: patch.NoticeDrift, Key: waveID + "/drift", At: workflow.Now(ctx), Plan: plan.Name,
			WorkflowID: workflow.GetInfo(ctx).WorkflowExecution.ID,
		}
		drifts.Fill(&told)
		notice.Tell(ctx, told)
	}
	return fleet, nil
}

// fit keeps what is told of the scans small enough for Temporal.
func (f *FleetScan) fit() {
	scans := make([][]patch.Scan, len(f.Groups))
	for i, group := range f.Groups {
		scans[i] = group.Instances
	}
	patch.FitScans(scans)
}

// Group scans a group by its plan's baseline, which it returns. What kept it from being scanned is told; "" when
// nothing did.
func Group(
	ctx workflow.Context, group patch.Group, plan patch.Plan, waveID string,
) (scans []patch.Scan, baseline activities.RegisteredBaseline, problem string) {
	var state patch.GroupState
	if err := workflow.ExecuteActivity(
		run.Reading(ctx, group, plan.Timing), aws.InspectGroup,
		activities.InspectGroupInput{Group: group, Unseen: true, Targets: []string{}},
	).Get(ctx, &state); err != nil {
		return []patch.Scan{}, baseline, run.Reason(err)
	}
	if err := workflow.ExecuteActivity(
		run.Acting(ctx, group, plan.Timing), aws.EnsureBaseline, activities.EnsureBaselineInput{
			Group: group, Baseline: plan.Of(group).Baseline, At: workflow.Now(ctx),
		}).Get(ctx, &baseline); err != nil {
		return []patch.Scan{}, baseline, run.Reason(err)
	}
	scans, err := Instances(
		ctx, group, plan.Timing, state.IDs(), baseline.BaselineID, run.SnapshotID(waveID, 0),
		run.Attempt(waveID, group.String(), "scan-fleet", 0),
	)
	if err != nil {
		return []patch.Scan{}, baseline, run.Reason(err)
	}
	return scans, baseline, ""
}

// details is what the Temporal UI shows of a scan.
func (f *FleetScan) details() string {
	var text strings.Builder
	text.WriteString("| group | scanned | compliant | missing | error |\n|---|---|---|---|---|\n")
	for _, group := range f.Groups {
		missing := 0
		for _, instance := range group.Instances {
			missing += instance.MissingNumber()
		}
		run.Write(&text, "| %s/%s/%s | %d of %d | %d | %d | %s |\n", group.Account, group.Region, group.Name,
			group.Scanned, len(group.Instances), group.Compliant, missing, run.Cell(group.Error))
	}
	return text.String()
}
