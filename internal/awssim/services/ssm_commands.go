package services

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// How much of its output GetCommandInvocation returns.
const (
	stdoutLimit = 24000
	stderrLimit = 8000
	pluginLimit = 2500
)

func registerSSMCommands(r *api.Registry, w *world.World) {
	api.Handle(
		r,
		"ssm",
		"SendCommand",
		[]string{
			"DocumentName", "DocumentVersion", "InstanceIds", "Parameters", "Comment", "TimeoutSeconds", "Targets",
			"MaxConcurrency", "MaxErrors", "OutputS3BucketName", "OutputS3KeyPrefix",
			"OutputS3Region", // "The system ignores it", says the API reference
		},
		func(c api.Call, in *ssm.SendCommandInput) (*ssm.SendCommandOutput, error) {
			if len(in.Targets) > 0 && len(in.InstanceIds) > 0 {
				return nil, api.Errorf("ValidationException", "Specify InstanceIds or Targets, and not both.")
			}
			targeted, err := commandTargets(regionOf(w, c), in.Targets)
			if err != nil {
				return nil, err
			}
			if len(in.Targets) == 0 {
				targeted = nil
			}
			command, err := regionOf(w, c).Send(world.SendSpec{
				Document: aws.ToString(in.DocumentName), Version: cmp.Or(aws.ToString(in.DocumentVersion), "$DEFAULT"),
				Comment:   aws.ToString(in.Comment),
				Instances: slices.Concat(in.InstanceIds, targeted), Targeted: len(in.Targets) > 0, Parameters: in.Parameters,
				Delivery: time.Duration(aws.ToInt32(in.TimeoutSeconds)) * time.Second,
				Output: world.CommandOutput{
					Bucket: aws.ToString(in.OutputS3BucketName), Prefix: aws.ToString(in.OutputS3KeyPrefix),
				},
				Rate: world.RateControl{MaxConcurrency: aws.ToString(in.MaxConcurrency), MaxErrors: aws.ToString(in.MaxErrors)},
			})
			if err != nil {
				return nil, err
			}
			out := ssmCommand(command)
			out.Targets = in.Targets
			return &ssm.SendCommandOutput{Command: &out}, nil
		},
	)
	api.Handle(r, "ssm", "ListCommands", []string{"CommandId", "InstanceId", "Filters", "MaxResults", "NextToken"},
		func(c api.Call, in *ssm.ListCommandsInput) (*ssm.ListCommandsOutput, error) {
			chosen, err := chooseCommands(regionOf(w, c), aws.ToString(in.CommandId), aws.ToString(in.InstanceId), in.Filters)
			if err != nil {
				return nil, err
			}
			page, next, err := cutPage(chosen, in.NextToken, in.MaxResults, pageRange{1, 50, 50}, badSSMToken)
			out := &ssm.ListCommandsOutput{NextToken: next}
			for _, command := range page {
				out.Commands = append(out.Commands, ssmCommand(command))
			}
			return out, err
		})
	api.Handle(
		r,
		"ssm",
		"ListCommandInvocations",
		[]string{"CommandId", "InstanceId", "Filters", "Details", "MaxResults", "NextToken"},
		func(c api.Call, in *ssm.ListCommandInvocationsInput) (*ssm.ListCommandInvocationsOutput, error) {
			chosen, err := chooseCommands(regionOf(w, c), aws.ToString(in.CommandId), aws.ToString(in.InstanceId), in.Filters)
			if err != nil {
				return nil, err
			}
			var all []types.CommandInvocation
			for _, command := range chosen {
				for _, invocation := range command.Invocations {
					if in.InstanceId == nil || *in.InstanceId == invocation.Instance.ID {
						all = append(all, ssmInvocation(invocation, in.Details))
					}
				}
			}
			page, next, err := cutPage(all, in.NextToken, in.MaxResults, pageRange{1, 50, 50}, badSSMToken)
			return &ssm.ListCommandInvocationsOutput{CommandInvocations: page, NextToken: next}, err
		},
	)
	api.Handle(r, "ssm", "GetCommandInvocation", []string{"CommandId", "InstanceId", "PluginName"},
		func(c api.Call, in *ssm.GetCommandInvocationInput) (*ssm.GetCommandInvocationOutput, error) {
			command := regionOf(w, c).Command(aws.ToString(in.CommandId))
			if command == nil || !command.Visible() || command.On(aws.ToString(in.InstanceId)) == nil {
				return nil, api.Errorf(
					"InvocationDoesNotExist", "The command ID and managed node ID you specified didn't match any invocations.",
				)
			}
			v := command.On(aws.ToString(in.InstanceId))
			step, found := v.Step(aws.ToString(in.PluginName))
			if !found {
				return nil, api.Errorf("InvalidPluginName", "The plugin name isn't valid.")
			}
			return &ssm.GetCommandInvocationOutput{
				CommandId: aws.String(command.ID), InstanceId: aws.String(v.Instance.ID), Comment: aws.String(command.Comment),
				DocumentName: aws.String(command.Document), DocumentVersion: aws.String(cmp.Or(command.Version, "$DEFAULT")),
				PluginName: aws.String(step.Name),
				Status:     types.CommandInvocationStatus(step.Status), StatusDetails: aws.String(step.Details),
				ResponseCode:           int32(step.Code),
				StandardOutputContent:  aws.String(cut(step.Stdout, stdoutLimit)),
				StandardErrorContent:   aws.String(cut(step.Stderr, stderrLimit)),
				ExecutionStartDateTime: aws.String(isoTime(step.Started)), ExecutionEndDateTime: aws.String(isoTime(step.Ended)),
				StandardOutputUrl: aws.String(v.OutputURL(step.Name, "stdout")),
				StandardErrorUrl:  aws.String(v.OutputURL(step.Name, "stderr")),
			}, nil
		})
	api.Handle(
		r, "ssm", "CancelCommand", []string{"CommandId", "InstanceIds"},
		func(c api.Call, in *ssm.CancelCommandInput) (*ssm.CancelCommandOutput, error) {
			command := regionOf(w, c).Command(aws.ToString(in.CommandId))
			if command == nil {
				return nil, api.Errorf("InvalidCommandId", "Command %s does not exist.", aws.ToString(in.CommandId))
			}
			for _, id := range in.InstanceIds {
				if instance := regionOf(w, c).Machine(id); instance == nil || instance.State == world.Terminated {
					return nil, api.Errorf("InvalidInstanceId", "Instances [[%s]] not in a valid state for account %s", id, c.Account)
				}
			}
			command.Cancel(in.InstanceIds)
			return &ssm.CancelCommandOutput{}, nil
		})
}

func cut(text string, limit int) string {
	const notice = "\n--output truncated--"
	if len(text) <= limit {
		return text
	}
	return text[:limit-len(notice)] + notice
}

func isoTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// chooseCommands picks commands, newest first, by id, instance and filters.
func chooseCommands(
	region *world.Region, id, instance string, filters []types.CommandFilter,
) ([]*world.Command, error) {
	commands := slices.Clone(region.Commands())
	slices.Reverse(commands)
	if id != "" {
		command := region.Command(id)
		if command == nil {
			return nil, api.Errorf("InvalidCommandId", "Command %s does not exist.", id)
		}
		commands = []*world.Command{command}
	}
	for _, filter := range filters {
		value := aws.ToString(filter.Value)
		switch filter.Key {
		case types.CommandFilterKeyInvokedAfter, types.CommandFilterKeyInvokedBefore:
			if _, err := time.Parse(time.RFC3339, value); err != nil {
				return nil, api.Errorf(
					"InvalidFilterKey", "Filter %s is %q; write it like 2026-11-22T02:00:00Z.", filter.Key, value,
				)
			}
		case types.CommandFilterKeyStatus, types.CommandFilterKeyDocumentName:
		default:
			return nil, api.NotModelled("filter %s of ssm:ListCommands", filter.Key)
		}
	}
	lag := region.World.Scenario.Durations.CommandLag.D()
	return slices.DeleteFunc(commands, func(command *world.Command) bool {
		if lag > 0 && (region.World.Now().Before(command.Requested.Add(lag)) ||
			instance != "" && command.On(instance) != nil && command.On(instance).Started.IsZero()) {
			return true
		}
		return instance != "" && command.On(instance) == nil || !commandPasses(command, filters)
	}), nil
}

func commandPasses(command *world.Command, filters []types.CommandFilter) bool {
	for _, filter := range filters {
		value, pass := aws.ToString(filter.Value), false
		limit, err := time.Parse(time.RFC3339, value)
		switch filter.Key {
		case types.CommandFilterKeyInvokedAfter:
			pass = err == nil && !command.Requested.Before(limit)
		case types.CommandFilterKeyInvokedBefore:
			pass = err == nil && command.Requested.Before(limit)
		case types.CommandFilterKeyStatus:
			pass = strings.EqualFold(command.Status(), value)
		case types.CommandFilterKeyDocumentName:
			pass = command.Document == value
		}
		if !pass {
			return false
		}
	}
	return true
}

func ssmCommand(command *world.Command) types.Command {
	out := types.Command{
		CommandId: aws.String(command.ID), DocumentName: aws.String(command.Document),
		DocumentVersion: aws.String(cmp.Or(command.Version, "$DEFAULT")),
		Comment:         aws.String(command.Comment), Parameters: command.Parameters,
		RequestedDateTime: aws.Time(command.Requested),
		ExpiresAfter:      aws.Time(command.Expires), Status: types.CommandStatus(command.Status()),
		StatusDetails: aws.String(command.Status()),
		TargetCount:   int32(len(command.Invocations)), TimeoutSeconds: aws.Int32(int32(command.Delivery / time.Second)),
		MaxConcurrency: &command.Rate.MaxConcurrency, MaxErrors: &command.Rate.MaxErrors,
		OutputS3BucketName: notEmpty(command.Output.Bucket), OutputS3KeyPrefix: notEmpty(command.Output.Prefix),
	}
	for _, invocation := range command.Invocations {
		out.InstanceIds = append(out.InstanceIds, invocation.Instance.ID)
		if !invocation.Done() {
			continue
		}
		out.CompletedCount++
		switch {
		case invocation.Details == "DeliveryTimedOut":
			out.DeliveryTimedOutCount++
		case invocation.Status == "Failed", invocation.Status == "TimedOut":
			out.ErrorCount++
		}
	}
	return out
}

func ssmInvocation(v *world.Invocation, details bool) types.CommandInvocation {
	out := types.CommandInvocation{
		CommandId: aws.String(v.Command.ID), InstanceId: aws.String(v.Instance.ID),
		InstanceName: aws.String(v.Instance.Tags["Name"]),
		DocumentName: aws.String(v.Command.Document), DocumentVersion: aws.String(cmp.Or(v.Command.Version, "$DEFAULT")),
		Comment:           aws.String(v.Command.Comment),
		RequestedDateTime: aws.Time(v.Command.Requested), Status: types.CommandInvocationStatus(v.Status),
		StatusDetails: aws.String(v.Details),
	}
	if !details {
		return out
	}
	for _, step := range v.Steps() {
		plugin := types.CommandPlugin{
			Name: aws.String(step.Name), Output: aws.String(cut(step.Stdout+step.Stderr, pluginLimit)),
			ResponseCode: int32(step.Code),
			Status:       types.CommandPluginStatus(step.Status), StatusDetails: aws.String(step.Details),
			OutputS3BucketName: notEmpty(v.Command.Output.Bucket), OutputS3KeyPrefix: notEmpty(v.Command.Output.Prefix),
		}
		if !step.Started.IsZero() {
			plugin.ResponseStartDateTime = aws.Time(step.Started)
		}
		if !step.Ended.IsZero() {
			plugin.ResponseFinishDateTime = aws.Time(step.Ended)
		}
		out.CommandPlugins = append(out.CommandPlugins, plugin)
	}
	return out
}
