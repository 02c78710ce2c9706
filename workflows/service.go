package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// ServiceInput starts HoldService. Its workflow id is the service's lock.
type ServiceInput struct {
	WaveID  string
	Service patch.Service // with those of its groups that the wave may take instances of
}

// ServiceRelease is the wave's word that it is done with a service.
type ServiceRelease struct {
	AtRest bool // every group has given its result: nothing of the wave's can be out of service any more
}

// ServiceStatus is what HoldService answers to the query `status`.
type ServiceStatus struct {
	Service   string   `json:"service"`
	WaveID    string   `json:"wave_id"`
	Groups    []string `json:"groups"`
	Releasing bool     `json:"releasing"` // the wave is done or gone, and what it left under way is waited for
}

// hearing is how long a cancel may take to reach a child: Temporal hands it on within a second, a restarting server a few.
const hearing = 10 * time.Second

// HoldService holds the lock of a service whose groups are taken one instance at a time in all, until its wave releases it.
// A wave that is terminated releases nothing: then the lock stays until the groups' and instances' workflows, which are asked
// to cancel, have put back what they hold. It ends without an error in either case.
func HoldService(ctx workflow.Context, in ServiceInput) error {
	status := ServiceStatus{Service: in.Service.Name, WaveID: in.WaveID, Groups: []string{}}
	for _, group := range in.Service.Groups {
		status.Groups = append(status.Groups, group.String())
	}
	if err := workflow.SetQueryHandlerWithOptions(ctx, names.QueryStatus, func() (ServiceStatus, error) { return status, nil },
		workflow.QueryHandlerOptions{Description: "Whose lock this is, and whether what a wave left under way is waited for"}); err != nil {
		return err
	}
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("**%s** is taken one instance at a time in all, and %s has its turn.", in.Service.Name, in.WaveID))
	var release ServiceRelease
	workflow.NewSelector(ctx).
		AddReceive(workflow.GetSignalChannel(ctx, names.SignalRelease), func(c workflow.ReceiveChannel, _ bool) { c.Receive(ctx, &release) }).
		AddReceive(ctx.Done(), func(workflow.ReceiveChannel, bool) {}).
		Select(ctx)
	if release.AtRest {
		return nil
	}
	status.Releasing = true
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("%s is done or gone; what it left under way in **%s** is waited for.", in.WaveID, in.Service.Name))
	clean, _ := workflow.NewDisconnectedContext(ctx)
	// Twice: an instance whose group was terminated may not have heard the cancel at the first look, and have begun to act.
	if err := awaitAtRest(clean, in.WaveID, in.Service.Groups); err != nil {
		return err
	}
	if err := workflow.NewTimerWithOptions(clean, hearing, workflow.TimerOptions{Summary: "until every child has heard the cancel"}).Get(clean, nil); err != nil {
		return err
	}
	return awaitAtRest(clean, in.WaveID, in.Service.Groups)
}

// awaitAtRest waits until no workflow works on the groups for the wave any more.
func awaitAtRest(ctx workflow.Context, waveID string, groups []patch.Group) error {
	asking := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:           names.TaskQueue,
		Summary:             "until nothing of the wave is under way any more",
		StartToCloseTimeout: 30 * time.Second, // a folder of the evidence store, and a question or two a group
		WaitForCancellation: true,
		// No budget: putting back has none either.
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 30 * time.Second, MaximumAttempts: unlimited,
		},
	})
	return workflow.ExecuteActivity(asking, control.AwaitWorkflowsClosed, activities.AwaitWorkflowsClosedInput{WaveID: waveID, Groups: groups}).Get(ctx, nil)
}
