package wavelog

import (
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
	i.installed = i.installed || step == string(patch.StepInstall)
	return []Event{{Kind: OfInstance, Group: i.group, Instance: i.instance, What: step}}, nil
}

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
	case activity == "AppendJournal", activity == "ReadRecord": // of whatever step comes next
		return ""
	case strings.Contains(summary, i.group):
		return ""
	}
	return summary
}
