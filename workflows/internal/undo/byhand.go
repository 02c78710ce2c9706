package undo

import (
	"fmt"
	"strings"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// ByHand are the commands that do what an act of an undo would; none where it takes more than commands, as where it
// only reads.
func ByHand(activity string, input any) []string {
	switch in := input.(type) {
	case activities.ExitStandbyInput:
		return []string{scaling(in.Instance.Group, "exit-standby", "--instance-ids "+in.Instance.ID)}
	case activities.ProcessesInput:
		if activity == "ResumeProcesses" {
			return []string{scaling(in.Group, "resume-processes", "--scaling-processes "+strings.Join(in.Processes, " "))}
		}
	case activities.TargetsInput:
		if activity == "RegisterTargets" {
			return targets("register-targets", in)
		}
		return targets("deregister-targets", in)
	case activities.TerminateSurgeInstanceInput:
		if in.ID != "" {
			return []string{"aws autoscaling terminate-instance-in-auto-scaling-group --instance-id " + in.ID +
				" --should-decrement-desired-capacity --region " + in.Group.Region}
		}
	case activities.MaxInput:
		if activity == "LowerMax" {
			return []string{scaling(in.Group, "update-auto-scaling-group", fmt.Sprintf("--max-size %d", in.MaxBefore))}
		}
	case activities.EndTrialInput:
		if in.ID != "" {
			return []string{"aws ec2 terminate-instances --instance-ids " + in.ID + " --region " + in.Group.Region}
		}
	case activities.PutTemplateBackInput:
		if was := in.Renewal.Was; in.Renewal.Defaults {
			return []string{fmt.Sprintf("aws ec2 modify-launch-template --launch-template-id %s --default-version %d "+
				"--region %s", was.Template, was.Default, in.Group.Region)}
		}
	case activities.MarkInstanceInput:
		return []string{fmt.Sprintf("aws ec2 delete-tags --resources %s --tags Key=%s --region %s", in.Instance.ID,
			names.TagJournal, in.Instance.Group.Region)}
	case activities.MarkGroupInput:
		tag := fmt.Sprintf("ResourceId=%s,ResourceType=auto-scaling-group,Key=%s", in.Group.AutoScalingGroup,
			names.TagJournal)
		return []string{"aws autoscaling delete-tags --tags " + names.ShellWord(tag) + " --region " + in.Group.Region}
	}
	return nil
}

func scaling(group patch.Group, verb, arguments string) string {
	return fmt.Sprintf("aws autoscaling %s --auto-scaling-group-name %s %s --region %s", verb,
		names.ShellWord(group.AutoScalingGroup), arguments, group.Region)
}

func targets(verb string, in activities.TargetsInput) []string {
	var commands []string
	for _, target := range in.Targets {
		id := "Id=" + target.ID
		if target.Port != 0 { // else the target group's own
			id += fmt.Sprintf(",Port=%d", target.Port)
		}
		commands = append(commands, fmt.Sprintf("aws elbv2 %s --target-group-arn %s --targets %s --region %s",
			verb, target.TargetGroupARN, id, in.Instance.Group.Region))
	}
	return commands
}
