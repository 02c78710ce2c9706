package wavelog

import (
	"slices"
	"strings"

	historypb "go.temporal.io/api/history/v1"

	"github.com/patchtide/patchtide/internal/patch"
)

// instanceTeller understands the history of a PatchInstance: the step is what its activities say they are for.
type instanceTeller struct {
	group, instance string
	step            string
	installed       bool
	putsBack        bool // it is what the workflow is for
}

func (i *instanceTeller) tell(event *historypb.HistoryEvent) ([]Event, []child) {
	if started := event.GetWorkflowExecutionStartedEventAttributes(); started != nil {
		input := decoded[struct {
			Group    patch.Group
			Instance string
			PutBack  *struct{}
		}](started.GetInput())
		i.group, i.instance, i.putsBack = input.Group.String(), input.Instance, input.PutBack != nil
	}
	scheduled := event.GetActivityTaskScheduledEventAttributes()
	if scheduled == nil {
		return nil, nil
	}
	step := i.stepOf(scheduled.GetActivityType().GetName(), summary(event))
	if step == "" || step == i.step {
		return nil, nil
	}
	i.step = step
	switch {
	case step == string(patch.StepInstall):
		i.installed = true
	case strings.HasPrefix(step, patch.Step("").Told(true)): // what is scanned then is what was put back
		i.installed = false
	}
	return []Event{{Kind: OfInstance, Group: i.group, Instance: i.instance, What: step}}, nil
}

// paperwork is of whatever step comes next, or of none.
var paperwork = []string{"AppendJournal", "ReadRecord", "EndJournal", "SaveInstance"}

// stepOf is the step that an activity belongs to; "" where it does not tell. Those that read for any step name their
// group.
func (i *instanceTeller) stepOf(activity, summary string) string {
	scan := patch.StepScan
	if i.installed {
		scan = patch.StepVerify
	}
	switch {
	case activity == "StartScan":
		return scan.Told(i.putsBack)
	case slices.Contains(paperwork, activity):
		return ""
	case strings.Contains(summary, i.group):
		return ""
	}
	return summary
}
