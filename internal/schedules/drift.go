package schedules

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/client"
)

// Difference is one thing in which a schedule is not what the file says.
type Difference struct {
	What   string `json:"what"`
	Found  string `json:"found"`
	Wanted string `json:"wanted"`
}

// differences compares two schedules by what a person would read of them, so that nothing differs unseen. Whether one
// is paused, and its note, is the operators' own and is no difference.
func differences(found, wanted client.Schedule) []Difference {
	var all []Difference
	is, should := facts(found), facts(wanted)
	for i := range should {
		if is[i].text != should[i].text {
			all = append(all, Difference{What: should[i].what, Found: is[i].text, Wanted: should[i].text})
		}
	}
	return all
}

type fact struct{ what, text string }

// facts is a schedule in words, always the same ones in the same order.
func facts(s client.Schedule) []fact {
	spec, policy := s.Spec, s.Policy
	if spec == nil {
		spec = &client.ScheduleSpec{}
	}
	if policy == nil {
		policy = &client.SchedulePolicies{}
	}
	limit := "none"
	if s.State != nil && s.State.LimitedActions {
		limit = fmt.Sprintf("%d more", s.State.RemainingActions)
	}
	return []fact{
		{"opens", openings(spec)},
		{"time zone", spec.TimeZoneName},
		{"from", instant(spec.StartAt)},
		{"until", instant(spec.EndAt)},
		{"jitter", spec.Jitter.String()},
		{"overlap", policy.Overlap.String()},
		{"catch-up", policy.CatchupWindow.String()},
		{"pauses on failure", fmt.Sprint(policy.PauseOnFailure)},
		{"limit of starts", limit},
		{"starts", starts(s.Action)},
	}
}

func openings(spec *client.ScheduleSpec) string {
	var parts []string
	for _, c := range spec.Calendars {
		parts = append(parts, calendar(c))
	}
	for _, i := range spec.Intervals {
		parts = append(parts, fmt.Sprintf("every %s, %s into it", i.Every, i.Offset))
	}
	for _, c := range spec.CronExpressions {
		parts = append(parts, "cron "+c)
	}
	for _, c := range spec.Skip {
		parts = append(parts, "but not "+calendar(c))
	}
	return strings.Join(parts, "; ")
}

func calendar(c client.ScheduleCalendarSpec) string {
	var parts []string
	for _, field := range []struct {
		name   string
		ranges []client.ScheduleRange
		all    client.ScheduleRange // not worth a word
	}{
		{"second", c.Second, client.ScheduleRange{Start: 0, End: 0, Step: 1}},
		{"minute", c.Minute, client.ScheduleRange{Start: 0, End: 59, Step: 1}},
		{"hour", c.Hour, client.ScheduleRange{Start: 0, End: 23, Step: 1}},
		{"day", c.DayOfMonth, client.ScheduleRange{Start: 1, End: 31, Step: 1}},
		{"weekday", c.DayOfWeek, client.ScheduleRange{Start: 0, End: 6, Step: 1}},
		{"month", c.Month, client.ScheduleRange{Start: 1, End: 12, Step: 1}},
		{"year", c.Year, client.ScheduleRange{Start: -1}},
	} {
		var texts []string
		for _, r := range field.ranges {
			texts = append(texts, span(r))
		}
		if text := strings.Join(texts, ","); text != "" && text != span(field.all) {
			parts = append(parts, field.name+" "+text)
		}
	}
	if len(parts) == 0 {
		return "every minute"
	}
	return strings.Join(parts, " ")
}

// span is a range, with the ends and steps that Temporal fills in.
func span(r client.ScheduleRange) string {
	text := fmt.Sprint(r.Start)
	if r.End > r.Start {
		text += fmt.Sprintf("-%d", r.End)
		if r.Step > 1 {
			text += fmt.Sprintf("/%d", r.Step)
		}
	}
	return text
}

func instant(at time.Time) string {
	if at.IsZero() {
		return "any time"
	}
	return at.UTC().Format(time.RFC3339)
}

// starts is the action: a workflow, its queue and its input.
func starts(action client.ScheduleAction) string {
	a, isWorkflow := action.(*client.ScheduleWorkflowAction)
	if !isWorkflow {
		return "something else than a workflow"
	}
	inputs := make([]string, len(a.Args))
	for i, input := range a.Args {
		if payload, encoded := input.(*commonpb.Payload); encoded {
			inputs[i] = string(payload.GetData())
			continue
		}
		text, err := json.Marshal(input)
		if err != nil {
			text = []byte(err.Error())
		}
		inputs[i] = string(text)
	}
	text := fmt.Sprintf("%v %s as %s on queue %s", a.Workflow, strings.Join(inputs, " "), a.ID, a.TaskQueue)
	if a.WorkflowExecutionTimeout > 0 || a.WorkflowRunTimeout > 0 {
		text += fmt.Sprintf(", within %s, a run %s", a.WorkflowExecutionTimeout, a.WorkflowRunTimeout)
	}
	return text
}
