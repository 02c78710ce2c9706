package activities

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// MarkHealthyInput names members that our checks have proven healthy.
type MarkHealthyInput struct {
	Group     patch.Group
	Instances []string
}

// MarkHealthy sets Healthy (ShouldRespectGracePeriod=false) on each named member that Auto Scaling holds for Unhealthy:
// the mark is sticky, and would have it replaced the moment ReplaceUnhealthy resumes. Nothing for a tag group or one
// that is gone.
func (a *AWS) MarkHealthy(ctx context.Context, in MarkHealthyInput) (err error) {
	defer once.Typed(&err)
	if !in.Group.IsAutoScaling() {
		return nil
	}
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return err
	}
	group, err := aws.FindGroup(ctx, s, in.Group)
	if err != nil || group == nil {
		return err
	}
	for _, member := range group.Instances {
		id := aws.Deref(member.InstanceId)
		if !slices.Contains(in.Instances, id) || aws.Deref(member.HealthStatus) == "Healthy" || aws.Leaving(
			string(member.LifecycleState),
		) {
			continue
		}
		_, err := s.AutoScaling.SetInstanceHealth(ctx, &autoscaling.SetInstanceHealthInput{
			InstanceId: &id, HealthStatus: aws.Ptr("Healthy"), ShouldRespectGracePeriod: aws.Ptr(false),
		})
		if aws.HasCode(err, aws.CodeValidation) { // what one that has left since the look is answered with
			err = aws.InPassing("mark the instance healthy", in.Group.String()+"/"+id, err)
		}
		if err != nil {
			return aws.Wrap("mark the instance healthy", in.Group.String()+"/"+id, err)
		}
	}
	return nil
}
