package patch

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// NewPreview joins what was read of a plan's groups, by Group.String(), and of what concerns the whole plan. at is the
// present, by the clock of the plan's window.
//
// newest is the plan's newest manifest; nil where nothing binds.
func NewPreview(
	plan Plan, hash string, at time.Time, readings map[string]GroupReading, whole []Blocker, newest *PreviewBound,
) *Preview {
	p := &Preview{
		Plan: plan.Name, Hash: hash, At: at, Begins: at, Window: plan.Window, AfterPlan: plan.AfterPlan,
		Loses:      plan.PutBackLoses(),
		Hooks:      plan.Hooks,
		NotCounted: []string{}, Notes: []string{}, Blockers: append([]Blocker{}, whole...),
	}
	if plan.Window != nil && plan.Window.Opens.After(at) {
		p.Begins, p.RefusedNow = plan.Window.Opens, RefusedOutsideWindow
		what := "the window"
		if holds := plan.Blackouts.At(at); holds != nil {
			p.RefusedNow, what = RefusedBlackout, "it is in "+holds.String()+"; the next window"
		}
		p.Notes = append(p.Notes, fmt.Sprintf("%s opens at %s: a wave that is started before is refused (%s); its "+
			"schedule starts one then", what, plan.Window.Opens.Format(time.RFC3339), p.RefusedNow))
	}
	var soaks Duration // before a stage, in all
	for _, stage := range plan.Stages {
		if stage.After != nil {
			p.NotCounted = append(p.NotCounted, stage.After.Words(stage.Name))
			soaks += stage.After.Duration
		}
		p.addStage(plan, stage, readings, soaks)
		last := &p.Stages[len(p.Stages)-1]
		last.Bound = last.boundTo(newest)
		if last.Unasked = last.unasked(stage); last.Unasked != "" {
			continue
		}
		if stage.Approval != nil {
			p.NotCounted = append(p.NotCounted, "the approval of "+stage.Name)
		}
		p.NotCounted = append(p.NotCounted, stage.StepApprovals(0)...)
	}
	p.Ends = p.Begins.Add(p.Takes.D())
	p.note(plan)
	return p
}

// unasked is why nobody would be asked to approve the stage: nothing is due on any instance that the wave takes of it,
// as far as is known. A group that could not be read, or that may get members until then, is asked about.
func (s PreviewStage) unasked(stage Stage) string {
	for i, group := range s.Groups {
		if group.Refused != "" || len(group.Instances) == 0 && stage.Groups[i].Only.Empty() {
			return ""
		}
		for _, instance := range group.Instances {
			if instance.Does != WouldNothing {
				return ""
			}
		}
	}
	return "nothing is due on it"
}

func (p *Preview) addStage(plan Plan, stage Stage, readings map[string]GroupReading, soaks Duration) {
	shown := PreviewStage{
		Name: stage.Name, Approval: stage.Approval, After: stage.After, Service: stage.Service,
		MaxParallelGroups: max(stage.MaxParallelGroups, 1), Bake: stage.Bake, Promote: stage.Promote,
		Pin: plan.PinOf(len(p.Stages)), Method: cmp.Or(stage.Method, MethodPackages),
		Order: stage.Order, ZoneSoak: stage.ZoneSoak, Canary: stage.Canary, Steps: stage.Steps,
		Hooks: stage.Hooks, Metrics: MetricLines(stage.Health),
		Begins: p.Takes, Groups: []PreviewGroup{},
	}
	if stage.Service != "" {
		shown.MaxParallelGroups = 1
	}
	if lost := stage.LosesRoot(); lost != "" {
		p.Notes = append(p.Notes, lost)
	}
	var works []Work
	var of []int // instances that the wave takes of each group
	var zones [][]string
	for _, group := range stage.Groups {
		reading := readings[group.String()].exposed(stage.Order)
		p.Blockers = append(p.Blockers, reading.blockersOf(plan, stage)...)
		one := reading.preview(plan, stage)
		work := Work{AtOnce: one.Strategy.AtOnce, Each: one.Each, First: one.Strategy.LaunchTime(plan.Timing)}
		if reading.State != nil {
			for _, target := range reading.State.TargetGroups {
				work.Shares = append(work.Shares, target.ARN)
			}
			for _, note := range slices.Concat(reading.State.Untouched(), reading.State.ToStart()) {
				p.Notes = append(p.Notes, group.String()+": "+note)
			}
		}
		for _, note := range reading.leftOut() {
			p.Notes = append(p.Notes, group.String()+": "+note)
		}
		if reading.HeldWhy != "" {
			p.Notes = append(p.Notes, group.String()+": which versions it has is not known: "+reading.HeldWhy)
		}
		for _, note := range reading.ahead(stage.Image, one.Instances) {
			p.Notes = append(p.Notes, group.String()+": "+note)
		}
		if reading.Around != nil {
			for _, untried := range reading.Around.Untried() {
				p.Notes = append(p.Notes, group.String()+": "+untried)
			}
		}
		var due []string
		for _, instance := range one.Instances {
			if instance.Does != WouldNothing {
				work.Instances, due = work.Instances+1, append(due, instance.Zone)
			}
		}
		of = append(of, len(one.Instances))
		shown.Groups, works, zones = append(shown.Groups, one), append(works, work), append(zones, due)
	}
	legs := legsOf(stage, works, zones, of, shown.MaxParallelGroups)
	shown.Takes = legs.takes
	for i := range shown.Groups {
		shown.Groups[i].Begins, shown.Groups[i].Takes = shown.Begins+legs.parts[0].begins[i], legs.groupTakes(i)
		p.addInstances(plan, legs, i, &shown, readings[stage.Groups[i].String()], soaks)
	}
	p.Takes += shown.Takes
	p.Stages = append(p.Stages, shown)
}

// addInstances gives a group's instances their times, and says where the window keeps the first from being begun.
func (p *Preview) addInstances(
	plan Plan, legs *legs, of int, shown *PreviewStage, reading GroupReading, soaks Duration,
) {
	state, stage, group := reading.State, legs.stage, &shown.Groups[of]
	canaryPlan, canaryStage := plan.AsCanary(stage)
	if state == nil || ReachOf(*state, stage.Order).Nobody() {
		return // it could not be read, or nobody of it is taken: it has no instances
	}
	taken := 0
	for i := range group.Instances {
		instance := &group.Instances[i]
		instance.Begins = shown.Begins + legs.begins(of, taken)
		p.Instances++
		p.Missing += instance.MissingCount
		if p.Missing > mostPatchIDs {
			instance.Missing = []MissingPatch{}
		}
		if instance.Does == WouldNothing {
			instance.InTime = true
			continue
		}
		p.Due++
		if instance.Reboot {
			p.Reboots++
		}
		if instance.RebootIfRequired {
			p.MayBoot++
		}
		instance.Takes, instance.Canary, instance.Step = group.Each, legs.isCanary(of, taken), legs.stepOf(of, taken)
		budget := plan.Budget(stage, state.TargetGroups)
		if instance.Canary {
			instance.Takes += legs.longer
			budget = canaryPlan.Budget(canaryStage, state.TargetGroups)
		}
		taken++
		instance.InTime, _ = plan.Window.HasRoomFor(p.Begins.Add((soaks + instance.Begins).D()), budget)
		if instance.InTime {
			p.InTime++
		}
	}
	// A wave is refused when none could be begun as soon as it begins; later ones are left for another window.
	policy := PolicyOf(plan.Of(reading.Group), stage).AsCanary()
	view := View{Group: reading.Group, Policy: policy, Now: p.Begins, State: state}
	if late := TooLate(LevelWave, view); late != nil {
		p.Blockers = append(p.Blockers, late.Blocker())
	}
}

// note says what a reader should know beside what the tables hold.
func (p *Preview) note(plan Plan) {
	unknown, foreign, oldest := 0, 0, Duration(0)
	var judges []string
	for _, stage := range p.Stages {
		for _, group := range stage.Groups {
			_, adopts := Adopts(cmp.Or(group.Baseline, plan.Baseline))
			for _, instance := range group.Instances {
				if adopts {
					judges = append(judges, instance.JudgedBy)
				}
				if instance.Does == WouldScan {
					unknown++
				}
				if instance.JudgedBy != "" && !adopts {
					foreign++
				}
				oldest = max(oldest, instance.Age)
			}
		}
	}
	if oldest > 0 {
		p.Notes = append(
			p.Notes,
			fmt.Sprintf(
				"what is missing is what Systems Manager knows; the oldest of it is of %s ago. The wave scans anew before it "+
					"touches anything",
				oldest.Rough(),
			),
		)
	}
	if unknown > 0 {
		p.Notes = append(
			p.Notes,
			fmt.Sprintf(
				"%d were never scanned: what they miss is not known, and they count as to be patched. Scan them: patchtide scan %s",
				unknown, plan.Name,
			),
		)
	}
	if foreign > 0 {
		p.Notes = append(
			p.Notes,
			fmt.Sprintf(
				"%d were last judged by another baseline than the plan's %s: a scan by that may find other patches. Scan them: "+
					"patchtide scan %s",
				foreign, strings.Join(plan.Baselines(), ", "), plan.Name,
			),
		)
	}
	p.Notes = append(p.Notes, JudgedEach(judges)...)
	if p.Missing > mostPatchIDs {
		p.Notes = append(p.Notes, fmt.Sprintf("more than %d patch ids: of the rest only their number is kept", mostPatchIDs))
	}
	if p.Window != nil && p.InTime < p.Due {
		p.Notes = append(
			p.Notes,
			fmt.Sprintf(
				"%d of %d fit before the window's cutoff at %s; the rest is for a later window", p.InTime, p.Due,
				p.Window.Cutoff.Format(time.RFC3339),
			),
		)
	}
	p.Notes = append(p.Notes, plan.SoakWarnings()...)
	p.Notes = append(
		p.Notes,
		"no machine is asked: that its agent answers, its http, https and command checks pass, its packages are whole, its "+
			"system is all on its root volume and it does not patch itself is asked before it is taken",
	)
}
