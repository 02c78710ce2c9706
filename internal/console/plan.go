package console

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/patchtide/patchtide/internal/palette"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/plain"
)

// PrintPlan writes what a wave would do: each stage, group and instance in the order in which they would be taken, then
// what is in the way. Colours are used where out is a terminal that has them; environ ("NAME=value") decides that too.
func PrintPlan(out io.Writer, environ []string, p patch.Preview) error {
	writer := colorprofile.NewWriter(out, environ)
	if noColor(environ) {
		writer.Profile = colorprofile.NoTTY
	}
	_, err := io.WriteString(writer, planText(p, PageOf(out)))
	return err
}

// planWriter writes a plan's lines, which go on behind so many cells where they are too long.
type planWriter struct {
	strings.Builder
	page Page
}

func (w *planWriter) line(indent int, format string, words ...any) {
	w.WriteString(w.page.Wrap(fmt.Sprintf(format, words...), indent) + "\n")
}

func planText(p patch.Preview, page Page) string {
	plain.Lines(&p)
	text := &planWriter{page: page}
	text.line(
		2,
		"%s  %d of %s due, %s. Nothing was changed.",
		palette.Title.Render("Plan "+p.Plan),
		p.Due,
		plain.Plural(p.Instances, "instance"),
		missing(p),
	)
	if p.AfterPlan != nil {
		text.line(2, "It %s.", p.AfterPlan.Told())
	}
	planHooks(text, p.Hooks)
	for number, stage := range p.Stages {
		text.WriteString("\n")
		text.line(
			2, "%s%s", palette.Title.Render(fmt.Sprintf("%d %s", number+1, stage.Name)), palette.Quiet.Render(stageWords(stage)),
		)
		if stage.After != nil {
			text.line(4, "  %s %s", palette.Asks.Render("!"), soakWords(stage, p.Stages[number-1]))
		}
		switch {
		case stage.Approval == nil:
		case stage.Unasked != "":
			text.line(4, "  %s", palette.Quiet.Render("nobody is asked to approve it: "+stage.Unasked))
		default:
			text.line(
				4, "  %s waits for somebody to approve, at most %s%s", palette.Asks.Render("!"),
				stage.Approval.Timeout.Rough(), fourEyes(stage),
			)
		}
		planBound(text, stage.Bound)
		planHooks(text, stage.Hooks)
		for _, metric := range stage.Metrics {
			text.line(6, "    %s %s", palette.Quiet.Render("metric"), metric)
		}
		for _, group := range stage.Groups {
			planGroup(text, group, len(stage.Groups) > 1)
		}
	}
	planBlockers(text, p)
	planFooter(text, p)
	return text.String()
}

// planHooks lists hooks by their points.
func planHooks(text *planWriter, hooks patch.Hooks) {
	for _, point := range patch.HookPoints() {
		for _, hook := range hooks[point] {
			text.line(6, "    %s %s", palette.Quiet.Render(string(point)), hook.Words())
		}
	}
}

// missing is how many patches and reboots are due, as far as that is known: of those that nobody has scanned it is not.
func missing(p patch.Preview) string {
	unknown := 0
	for _, stage := range p.Stages {
		for _, group := range stage.Groups {
			for _, instance := range group.Instances {
				if instance.Does == patch.WouldScan {
					unknown++
				}
			}
		}
	}
	known := plain.Plural(p.Missing, "patch") + " missing, " + reboots(p)
	switch {
	case unknown == 0:
		return known
	case p.Missing == 0:
		return fmt.Sprintf("and what they miss is not known: %d were never scanned (--scan does)", unknown)
	}
	return fmt.Sprintf("%s that are known of; %d never scanned", known, unknown)
}

func stageWords(stage patch.PreviewStage) string {
	words := fmt.Sprintf("  about %s, each instance watched for %s", stage.Takes.Rough(), stage.Bake.Rough())
	if len(stage.Groups) > 1 {
		words += fmt.Sprintf(", %s at once", plain.Plural(stage.MaxParallelGroups, "group"))
	}
	if stage.Promote == patch.PromoteWithSkips {
		words += ", goes on to the next stage with skips"
	}
	if stage.Method == patch.MethodImage {
		words += ", root volumes replaced by an image"
	}
	if stage.Pin == patch.PinManifest {
		words += ", bound to what the stages before prove"
	}
	if stage.Service != "" {
		words += ", service " + stage.Service + ": one group at a time"
	}
	return words + orderWords(stage)
}

// orderWords says who is taken first, where it is not the usual order, and what is waited for.
func orderWords(stage patch.PreviewStage) (words string) {
	switch stage.Order {
	case patch.OrderZone:
		words = ", one zone after the other"
		if stage.ZoneSoak > 0 {
			words += ", " + stage.ZoneSoak.Rough() + " apart"
		}
	case patch.OrderOldestFirst:
		words = ", the oldest first"
	case patch.OrderExposure:
		words = ", the most exposed first"
	}
	if stage.Canary != nil {
		first := "the first"
		if stage.Canary.Instances > 1 {
			first = fmt.Sprintf("the first %d", stage.Canary.Instances)
		}
		words += fmt.Sprintf(", %s of each group watched for %s before the others", first, stage.Canary.Bake.Rough())
	}
	return words + stepsWords(stage)
}

// stepsWords says in which steps a stage goes, and what each asks: ", in steps: 1, 10% (soaks 1h), 100%".
func stepsWords(stage patch.PreviewStage) string {
	var said []string
	for _, step := range stage.Steps {
		one, asks := step.To.String(), []string{}
		if step.Soak != nil {
			asks = append(asks, "soaks "+step.Soak.Duration.Rough())
		}
		if step.Approval != nil {
			asks = append(asks, "approval")
		}
		if len(asks) > 0 {
			one += " (" + strings.Join(asks, ", ") + ")"
		}
		said = append(said, one)
	}
	if len(said) == 0 {
		return ""
	}
	return ", in steps of each group: " + strings.Join(said, ", ")
}

// soakWords is what is waited for between a stage and the one before it.
func soakWords(stage, before patch.PreviewStage) string {
	looks := "nobody looks at its health meanwhile"
	if stage.After.Healthy {
		looks = "its health is looked at meanwhile"
	}
	return fmt.Sprintf("waits until %s has soaked for %s, and then for a window: %s", before.Name,
		stage.After.Duration.Rough(), looks)
}

func fourEyes(stage patch.PreviewStage) string {
	if stage.Approval.FourEyes {
		return ", who is not who starts the wave"
	}
	return ""
}

// planGroup writes one group; of several in a stage, also when it begins and how long it takes.
func planGroup(text *planWriter, group patch.PreviewGroup, several bool) {
	mark, style := "~", palette.Back
	if group.Refused != "" {
		mark, style = "✗", palette.Bad
	}
	text.line(6, "  %s %s  %s", style.Render(mark), group.Group, style.Render(roomWords(group)+byBaseline(group)))
	if group.Each > 0 && group.Takes > 0 {
		when := ""
		if several {
			when = fmt.Sprintf("begins at +%s, about %s: ", group.Begins.Rough(), group.Takes.Rough())
		}
		text.line(
			8, "      %s",
			palette.Quiet.Render(when+fmt.Sprintf("each instance about %s, by %s", group.Each.Rough(), group.EachFrom)),
		)
	}
	sets := missingSets(group)
	for _, instance := range group.Instances {
		planInstance(text, instance, sets)
	}
	for _, set := range sets.all {
		planSet(text, set, len(sets.all) > 1)
	}
}

// byBaseline is by what a group is judged where that is not the plan's.
func byBaseline(group patch.PreviewGroup) string {
	if group.Baseline == "" {
		return ""
	}
	return ", by the baseline " + group.Baseline
}

// roomWords is how a group makes room for an instance that is out.
func roomWords(group patch.PreviewGroup) string {
	numbers := ""
	if n := group.Numbers; n != nil {
		numbers = fmt.Sprintf("min %d, desired %d, max %d", n.Min, n.Desired, n.Max)
		if n.Counts != patch.CountsInstances {
			numbers += " " + string(n.Counts)
		}
	}
	switch {
	case group.Refused != "":
		why, _, _ := strings.Cut(group.Refused, ":") // the rest is told among what is in the way
		return strings.TrimPrefix(numbers+": ", ": ") + "refused, " + why
	case group.Strategy.Mode == patch.CapacitySurge:
		by, raised := "one", "desired is"
		if n := group.Strategy.Launches(); n > 1 {
			by = strconv.Itoa(n)
		}
		if group.Strategy.RaiseMax > 0 {
			raised = "max and desired are"
		}
		return numbers + ": surge, " + raised + " raised by " + by + " and " + by + " more " +
			map[bool]string{true: "is", false: "are"}[by == "one"] + " launched first" + atOnceWords(group.Strategy)
	case group.Strategy.Mode == patch.CapacityDecrement:
		return numbers + ": decrement, one less serves while an instance is out" + atOnceWords(group.Strategy)
	}
	if len(group.Instances) == 0 {
		return "nobody of it is taken"
	}
	if group.OfNodes() {
		return "managed nodes: deregistered while one is out, and put back by nobody" + atOnceWords(group.Strategy)
	}
	return "chosen by tags: deregistered while it is out" + atOnceWords(group.Strategy)
}

// atOnceWords says that several are out at once; "" where one is.
func atOnceWords(strategy patch.Strategy) string {
	if strategy.AtOnce < 2 {
		return ""
	}
	return fmt.Sprintf(", %d at once", strategy.AtOnce)
}

// reboots counts those that are certain, and those that depend on what the machines say after their install.
func reboots(p patch.Preview) string {
	certain := plain.Plural(p.Reboots, "reboot")
	switch {
	case p.MayBoot == 0:
		return certain
	case p.Reboots == 0:
		return plain.Plural(p.MayBoot, "reboot") + " if required"
	}
	return fmt.Sprintf("%s and %d if required", certain, p.MayBoot)
}

func planInstance(text *planWriter, instance patch.PreviewInstance, sets setsOfMissing) {
	mark, style, does := "~", palette.Back, fmt.Sprintf("%d missing", instance.MissingCount)
	switch instance.Does {
	case patch.WouldNothing:
		mark, style, does = "·", palette.Quiet, "nothing missing, not touched"
		if len(instance.PendingReboot) > 0 {
			does = fmt.Sprintf("nothing missing, %d wait for a reboot, not touched", len(instance.PendingReboot))
		}
	case patch.WouldScan:
		mark, style, does = "?", palette.Asks, "never scanned"
		if instance.Outdated {
			does = "not scanned since its last start or new root volume"
		}
	case patch.WouldPatch:
		if name := sets.of[instance.ID]; name != "" && len(sets.all) > 1 {
			does += " (" + name + ")"
		}
		if len(instance.Failed) > 0 {
			does += fmt.Sprintf(", %d failed before: %s", len(instance.Failed), strings.Join(instance.Failed, " "))
		}
		if len(instance.PendingReboot) > 0 {
			does += fmt.Sprintf(", %d wait for a reboot", len(instance.PendingReboot))
		}
		switch {
		case instance.Reboot:
			does += ", reboot"
		case instance.RebootIfRequired:
			does += ", reboot if required"
		default:
			does += ", no reboot"
		}
	}
	begins := ""
	if instance.Does != patch.WouldNothing {
		begins = "+" + instance.Begins.Rough()
	}
	line := fmt.Sprintf(
		"    %s %s  %-19s  %s", palette.Quiet.Render(fmt.Sprintf("%8s", begins)), style.Render(mark), instance.ID,
		style.Render(does),
	)
	if instance.Canary {
		line += "  " + palette.Asks.Render("canary")
	}
	if instance.Step > 0 {
		line += palette.Quiet.Render(fmt.Sprintf("  step %d", instance.Step))
	}
	if !instance.KnownAt.IsZero() && !instance.Outdated {
		line += palette.Quiet.Render("  as of " + instance.Age.Rough() + " ago")
	}
	if !instance.InTime {
		line += "  " + palette.Bad.Render("not in this window")
	}
	const behindMark = 16
	text.line(behindMark, "%s", line)
}

// planSet lists what some instances miss, the worst first.
func planSet(text *planWriter, set missingSet, named bool) {
	title := "missing"
	if named {
		title = "missing " + set.name
	}
	severity, ids, between := "", []string{}, " "
	if slices.ContainsFunc(set.patches, func(p patch.MissingPatch) bool { return p.Version != "" || set.held != nil }) {
		between = ", "
	}
	flush := func() {
		if len(ids) > 0 {
			const behindSeverity = 26
			text.line(
				behindSeverity, "      %s %s %s", palette.Quiet.Render(fmt.Sprintf("%-9s", title)),
				severityStyle(severity).Render(fmt.Sprintf("%-9s", orNone(severity))), strings.Join(ids, between),
			)
			title = ""
		}
	}
	for _, missing := range set.patches {
		if missing.Severity != severity {
			flush()
			severity, ids = missing.Severity, nil
		}
		ids = append(ids, set.told(missing))
	}
	flush()
}

func orNone(severity string) string { return cmp.Or(severity, "unrated") }

func severityStyle(severity string) lipgloss.Style {
	switch strings.ToLower(severity) {
	case "critical":
		return palette.Bad
	case "important", "high":
		return palette.Back
	}
	return palette.Plain
}

// moment is a time as a plan tells it, with its day of the week.
func moment(t time.Time) string { return here(t).Format("Mon ") + Minute(t) }

// until is a later moment, without its date where that is the same.
func until(from, t time.Time) string {
	if here(from).Format(time.DateOnly) == here(t).Format(time.DateOnly) {
		return here(t).Format("15:04")
	}
	return moment(t)
}
