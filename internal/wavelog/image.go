package wavelog

import (
	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// imageTeller understands what is done about images, in the history of a wave or of a group.
type imageTeller struct {
	asked map[int64]imageAsked // activities that end in an image, by the event that asked for them
}

// imageAsked is how an activity is told once it has ended well.
type imageAsked struct {
	group  string // account/region/name
	before string // the image
	after  string
}

// tell tells an image once it is made, copied or read, and a launch template once it is put back.
func (i *imageTeller) tell(event *historypb.HistoryEvent) []Event {
	if scheduled := event.GetActivityTaskScheduledEventAttributes(); scheduled != nil {
		input := decoded[struct {
			Group    patch.Group
			Instance struct {
				Group patch.Group
				ID    string
			}
			Source    patch.ImageSource
			Parameter string
		}](scheduled.GetInput())
		asked := imageAsked{group: input.Group.String()}
		switch scheduled.GetActivityType().GetName() {
		case "MakeImage":
			asked.group = input.Instance.Group.String()
			asked.before, asked.after = "image ", " is being made of "+input.Instance.ID
		case "CopyImage":
			asked.before, asked.after = "image ", " is being copied from "+input.Source.ID
		case "ReadNamedImage":
			asked.before, asked.after = "image ", " is what the parameter "+input.Parameter+" names"
		case "PutTemplateBack":
			asked.before = "its launch template is put back: "
		default:
			return nil
		}
		if i.asked == nil {
			i.asked = map[int64]imageAsked{}
		}
		i.asked[event.GetEventId()] = asked
		return nil
	}
	completed := event.GetActivityTaskCompletedEventAttributes()
	asked, isImage := i.asked[completed.GetScheduledEventId()]
	if !isImage {
		return nil
	}
	what := asked.before + decoded[string](completed.GetResult()) + asked.after
	return []Event{{Kind: OfGroup, Group: asked.group, What: what}}
}

// renewal tells that a group's image is being renewed, and what became of that.
func (g *groupTeller) renewal(event *historypb.HistoryEvent) []Event {
	of := func(what, reason string) []Event {
		return []Event{{Kind: OfGroup, Group: g.group, What: what, Reason: reason}}
	}
	renews := func(kind *commonpb.WorkflowType) bool { return kind.GetName() == names.RenewImage }
	if renews(event.GetChildWorkflowExecutionStartedEventAttributes().GetWorkflowType()) {
		return of("its image is being renewed", "")
	}
	if done := event.GetChildWorkflowExecutionCompletedEventAttributes(); renews(done.GetWorkflowType()) {
		return of(decoded[patch.ImageRenewal](done.GetResult()).Told(), "")
	}
	if failed := event.GetChildWorkflowExecutionFailedEventAttributes(); renews(failed.GetWorkflowType()) {
		return of("image not renewed", cause(failed.GetFailure()))
	}
	if renews(event.GetChildWorkflowExecutionTerminatedEventAttributes().GetWorkflowType()) ||
		renews(event.GetChildWorkflowExecutionTimedOutEventAttributes().GetWorkflowType()) ||
		renews(event.GetChildWorkflowExecutionCanceledEventAttributes().GetWorkflowType()) {
		return of("image not renewed", "its workflow ended without a result")
	}
	return nil
}
