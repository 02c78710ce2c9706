package wavelog

import (
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/converter"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

func payloads(t *testing.T, value any) *commonpb.Payloads {
	t.Helper()
	made, err := converter.GetDefaultDataConverter().ToPayloads(value)
	require.NoError(t, err)
	return made
}

// An image that is made, copied or read is in the log, and so is a launch template that is put back.
func TestTheLogNamesImages(t *testing.T) {
	web := patch.Group{Account: patch.Account{Name: "production"}, Region: "r", AutoScalingGroup: "web"}
	for _, c := range []struct {
		activity string
		in       any
		result   string
		says     string
	}{
		{
			"MakeImage",
			activities.MakeImageInput{Instance: activities.Instance{Group: web, ID: "i-1"}},
			"ami-1",
			"image ami-1 is being made of i-1",
		},
		{
			"CopyImage",
			activities.CopyImageInput{Group: web, Source: patch.ImageSource{ID: "ami-1"}},
			"ami-2",
			"image ami-2 is being copied from ami-1",
		},
		{
			"ReadNamedImage",
			activities.ReadNamedImageInput{Group: web, Parameter: "/golden"},
			"ami-3",
			"image ami-3 is what the parameter /golden names",
		},
		{
			"PutTemplateBack",
			activities.PutTemplateBackInput{Group: web},
			"version 1 is the default again",
			"its launch template is put back: version 1 is the default again",
		},
	} {
		t.Run(c.activity, func(t *testing.T) {
			asked := &historypb.HistoryEvent{
				EventId: 7,
				Attributes: &historypb.HistoryEvent_ActivityTaskScheduledEventAttributes{
					ActivityTaskScheduledEventAttributes: &historypb.ActivityTaskScheduledEventAttributes{
						ActivityType: &commonpb.ActivityType{Name: c.activity}, Input: payloads(t, c.in),
					},
				},
			}
			done := &historypb.HistoryEvent{
				Attributes: &historypb.HistoryEvent_ActivityTaskCompletedEventAttributes{
					ActivityTaskCompletedEventAttributes: &historypb.ActivityTaskCompletedEventAttributes{
						ScheduledEventId: 7, Result: payloads(t, c.result),
					},
				},
			}
			for _, one := range []teller{newWaveTeller(), newGroupTeller()} {
				told, _ := one.tell(done)
				require.Empty(t, told, "nobody asked for it")
				told, _ = one.tell(asked)
				require.Empty(t, told)
				told, _ = one.tell(done)
				require.Equal(t, []Event{{Kind: OfGroup, Group: "production/r/web", What: c.says}}, told)
			}
		})
	}
}

// How the renewal of a group's image ended is in the log, however it did, and as its own and no instance's.
func TestTheLogTellsOfARenewal(t *testing.T) {
	kind := &commonpb.WorkflowType{Name: names.RenewImage}
	for _, c := range []struct {
		name  string
		event *historypb.HistoryEvent
		says  string
	}{
		{"it begins", &historypb.HistoryEvent{
			Attributes: &historypb.HistoryEvent_ChildWorkflowExecutionStartedEventAttributes{
				ChildWorkflowExecutionStartedEventAttributes: &historypb.ChildWorkflowExecutionStartedEventAttributes{
					WorkflowType: kind,
				},
			},
		}, "its image is being renewed"},
		{"it ends well", &historypb.HistoryEvent{
			Attributes: &historypb.HistoryEvent_ChildWorkflowExecutionCompletedEventAttributes{
				ChildWorkflowExecutionCompletedEventAttributes: &historypb.ChildWorkflowExecutionCompletedEventAttributes{
					WorkflowType: kind, Result: payloads(t, patch.ImageRenewal{
						Image: "ami-1", From: "i-1", Proven: true, Reaches: true, Version: 4,
						Was: patch.Launch{TemplateName: "web"},
					}),
				},
			},
		}, "image renewed: it launches next from ami-1, made from i-1 (version 4 of the launch template web)"},
		{"it fails", &historypb.HistoryEvent{
			Attributes: &historypb.HistoryEvent_ChildWorkflowExecutionFailedEventAttributes{
				ChildWorkflowExecutionFailedEventAttributes: &historypb.ChildWorkflowExecutionFailedEventAttributes{
					WorkflowType: kind, Failure: &failurepb.Failure{Message: "unknown version"},
				},
			},
		}, "image not renewed: unknown version"},
		{"it is terminated", &historypb.HistoryEvent{
			Attributes: &historypb.HistoryEvent_ChildWorkflowExecutionTerminatedEventAttributes{
				ChildWorkflowExecutionTerminatedEventAttributes: &historypb.ChildWorkflowExecutionTerminatedEventAttributes{
					WorkflowType: kind,
				},
			},
		}, "image not renewed: its workflow ended without a result"},
	} {
		t.Run(c.name, func(t *testing.T) {
			teller := newGroupTeller()
			teller.group = "production/r/web"
			told, children := teller.tell(c.event)
			require.Empty(t, children)
			require.Len(t, told, 1)
			require.Equal(t, "production/r/web", told[0].Subject())
			require.Equal(t, c.says, told[0].Said())
		})
	}
}
