package services

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// stepsShown is how many steps GetAutomationExecution tells; DescribeAutomationStepExecutions pages through all. AWS
// does not say where it cuts: unverified.
const stepsShown = 50

func registerSSMAutomation(r *api.Registry, w *world.World) {
	api.Handle(
		r,
		"ssm",
		"StartAutomationExecution",
		[]string{
			"DocumentName", "DocumentVersion", "Parameters", "ClientToken", "Tags", "Mode", "Targets", "TargetParameterName",
			"MaxConcurrency", "MaxErrors",
		},
		func(c api.Call, in *ssm.StartAutomationExecutionInput) (*ssm.StartAutomationExecutionOutput, error) {
			if in.Mode == types.ExecutionModeInteractive {
				return nil, api.NotModelled("ssm:StartAutomationExecution in mode %s", in.Mode)
			}
			targets, err := automationTargets(regionOf(w, c), in)
			if err != nil {
				return nil, err
			}
			execution, err := regionOf(w, c).StartAutomation(world.StartSpec{
				Document: aws.ToString(in.DocumentName), Version: aws.ToString(in.DocumentVersion), Parameters: in.Parameters,
				ClientToken: aws.ToString(in.ClientToken), Tags: tagsOfSSM(in.Tags), Caller: c.Caller, Targets: targets,
			})
			if err != nil {
				return nil, err
			}
			return &ssm.StartAutomationExecutionOutput{AutomationExecutionId: aws.String(execution.ID)}, nil
		},
	)
	api.Handle(r, "ssm", "GetAutomationExecution", []string{"AutomationExecutionId"},
		func(c api.Call, in *ssm.GetAutomationExecutionInput) (*ssm.GetAutomationExecutionOutput, error) {
			execution, err := regionOf(w, c).Execution(aws.ToString(in.AutomationExecutionId))
			if err != nil {
				return nil, err
			}
			return &ssm.GetAutomationExecutionOutput{AutomationExecution: ssmExecution(execution)}, nil
		})
	api.Handle(r, "ssm", "DescribeAutomationExecutions", []string{"Filters", "MaxResults", "NextToken"},
		func(c api.Call, in *ssm.DescribeAutomationExecutionsInput) (*ssm.DescribeAutomationExecutionsOutput, error) {
			seen := w.Now().Add(-w.Scenario.Durations.ReadLag.D())
			var all []types.AutomationExecutionMetadata
			if err := checkExecutionFilters(in.Filters); err != nil {
				return nil, err
			}
			for _, execution := range regionOf(w, c).Executions() {
				status, visible := execution.StatusAt(seen)
				if visible && executionPasses(execution, status, in.Filters) {
					all = append(all, ssmMetadata(execution, status))
				}
			}
			page, next, err := cutPage(all, in.NextToken, in.MaxResults, pageRange{1, 50, 50}, badSSMToken)
			return &ssm.DescribeAutomationExecutionsOutput{AutomationExecutionMetadataList: page, NextToken: next}, err
		})
	api.Handle(
		r,
		"ssm",
		"DescribeAutomationStepExecutions",
		[]string{"AutomationExecutionId", "Filters", "MaxResults", "NextToken", "ReverseOrder"},
		func(c api.Call, in *ssm.DescribeAutomationStepExecutionsInput) (*ssm.DescribeAutomationStepExecutionsOutput, error) {
			execution, err := regionOf(w, c).Execution(aws.ToString(in.AutomationExecutionId))
			if err != nil {
				return nil, err
			}
			steps := ssmSteps(execution)
			for _, filter := range in.Filters {
				of := map[types.StepExecutionFilterKey]func(types.StepExecution) string{
					types.StepExecutionFilterKeyStepName: func(s types.StepExecution) string {
						return aws.ToString(s.StepName)
					},
					types.StepExecutionFilterKeyStepExecutionId: func(s types.StepExecution) string {
						return aws.ToString(s.StepExecutionId)
					},
					types.StepExecutionFilterKeyStepExecutionStatus: func(s types.StepExecution) string {
						return string(s.StepStatus)
					},
					types.StepExecutionFilterKeyAction: func(s types.StepExecution) string {
						return aws.ToString(s.Action)
					},
				}[filter.Key]
				if of == nil {
					return nil, api.NotModelled("filter %s of ssm:DescribeAutomationStepExecutions", filter.Key)
				}
				steps = slices.DeleteFunc(steps, func(s types.StepExecution) bool { return !slices.Contains(filter.Values, of(s)) })
			}
			if aws.ToBool(in.ReverseOrder) {
				slices.Reverse(steps)
			}
			page, next, err := cutPage(steps, in.NextToken, in.MaxResults, pageRange{1, 50, 50}, badSSMToken)
			return &ssm.DescribeAutomationStepExecutionsOutput{StepExecutions: page, NextToken: next}, err
		},
	)
	api.Handle(r, "ssm", "StopAutomationExecution", []string{"AutomationExecutionId", "Type"},
		func(c api.Call, in *ssm.StopAutomationExecutionInput) (*ssm.StopAutomationExecutionOutput, error) {
			execution, err := regionOf(w, c).Execution(aws.ToString(in.AutomationExecutionId))
			if err != nil {
				return nil, err
			}
			return &ssm.StopAutomationExecutionOutput{}, execution.Stop(string(in.Type))
		})
}

func registerSSMSignal(r *api.Registry, w *world.World) {
	api.Handle(r, "ssm", "SendAutomationSignal", []string{"AutomationExecutionId", "SignalType", "Payload"},
		func(c api.Call, in *ssm.SendAutomationSignalInput) (*ssm.SendAutomationSignalOutput, error) {
			execution, err := regionOf(w, c).Execution(aws.ToString(in.AutomationExecutionId))
			if err != nil {
				return nil, err
			}
			return &ssm.SendAutomationSignalOutput{}, execution.Signal(string(in.SignalType), c.Caller, in.Payload)
		})
}

// checkExecutionFilters refuses what SSM refuses, and by name what is not modelled.
func checkExecutionFilters(filters []types.AutomationExecutionFilter) error {
	modelled := []types.AutomationExecutionFilterKey{
		types.AutomationExecutionFilterKeyExecutionId, types.AutomationExecutionFilterKeyExecutionStatus,
		types.AutomationExecutionFilterKeyDocumentNamePrefix, types.AutomationExecutionFilterKeyStartTimeAfter,
		types.AutomationExecutionFilterKeyStartTimeBefore, types.AutomationExecutionFilterKeyTagKey,
		types.AutomationExecutionFilterKeyParentExecutionId,
	}
	for _, filter := range filters {
		if !slices.Contains(modelled, filter.Key) {
			return api.NotModelled("filter %s of ssm:DescribeAutomationExecutions", filter.Key)
		}
		if len(filter.Values) < 1 || len(filter.Values) > 10 {
			return api.Errorf("InvalidFilterValue", "Filter %s takes 1 to 10 values, not %d.", filter.Key, len(filter.Values))
		}
		if filter.Key != types.AutomationExecutionFilterKeyStartTimeAfter &&
			filter.Key != types.AutomationExecutionFilterKeyStartTimeBefore {
			continue
		}
		if _, err := time.Parse(time.RFC3339, filter.Values[0]); err != nil {
			return api.Errorf(
				"InvalidFilterValue", "Filter %s is %q; write it like 2026-11-22T02:00:00Z.", filter.Key, filter.Values[0],
			)
		}
	}
	return nil
}

func executionPasses(e *world.Execution, status string, filters []types.AutomationExecutionFilter) bool {
	for _, filter := range filters {
		if !slices.ContainsFunc(filter.Values, func(value string) bool {
			switch filter.Key {
			case types.AutomationExecutionFilterKeyExecutionId:
				return strings.EqualFold(e.ID, value)
			case types.AutomationExecutionFilterKeyExecutionStatus:
				return status == value
			case types.AutomationExecutionFilterKeyDocumentNamePrefix:
				return strings.HasPrefix(e.Document, value)
			case types.AutomationExecutionFilterKeyParentExecutionId:
				return strings.EqualFold(e.Parent, value)
			case types.AutomationExecutionFilterKeyTagKey:
				_, tagged := e.Tags[value]
				return tagged
			}
			limit, err := time.Parse(time.RFC3339, value)
			if err != nil {
				return false // refused before by checkExecutionFilters
			}
			if filter.Key == types.AutomationExecutionFilterKeyStartTimeAfter {
				return !e.Started.Before(limit)
			}
			return e.Started.Before(limit)
		}) {
			return false
		}
	}
	return true
}

func ssmMetadata(e *world.Execution, status string) types.AutomationExecutionMetadata {
	out := types.AutomationExecutionMetadata{
		AutomationExecutionId: aws.String(e.ID), AutomationExecutionStatus: types.AutomationExecutionStatus(status),
		AutomationType: types.AutomationTypeLocal, DocumentName: aws.String(e.Document),
		DocumentVersion: aws.String(strconv.Itoa(e.Version)),
		ExecutedBy:      notEmpty(e.Caller), ExecutionStartTime: aws.Time(e.Started), Mode: types.ExecutionModeAuto,
		Outputs:                     e.Outputs,
		ParentAutomationExecutionId: notEmpty(e.Parent), Target: notEmpty(e.Target),
		Targets: []types.Target{}, ResolvedTargets: &types.ResolvedTargets{ParameterValues: []string{}},
	}
	if on := e.Targeted(); on != nil {
		out.TargetParameterName, out.Targets, out.ResolvedTargets = &on.Parameter, askedTargets(on), resolvedTargets(on)
		out.MaxConcurrency, out.MaxErrors = &on.Rate.MaxConcurrency, &on.Rate.MaxErrors
	}
	if e.Done() && status == e.Status {
		out.ExecutionEndTime, out.FailureMessage = aws.Time(e.Ended), notEmpty(e.Failure)
	} else if step := e.Current(); step != nil {
		out.CurrentStepName, out.CurrentAction = aws.String(step.Step), aws.String(step.Action)
	}
	return out
}

func ssmExecution(e *world.Execution) *types.AutomationExecution {
	out := &types.AutomationExecution{
		AutomationExecutionId: aws.String(e.ID), AutomationExecutionStatus: types.AutomationExecutionStatus(e.Status),
		DocumentName: aws.String(e.Document), DocumentVersion: aws.String(strconv.Itoa(e.Version)),
		ExecutedBy:         notEmpty(e.Caller),
		ExecutionStartTime: aws.Time(e.Started), Mode: types.ExecutionModeAuto, Parameters: e.Parameters, Outputs: e.Outputs,
		StepExecutions: ssmSteps(e), FailureMessage: notEmpty(e.Failure), ParentAutomationExecutionId: notEmpty(e.Parent),
		Target: notEmpty(e.Target), Targets: []types.Target{},
		ResolvedTargets: &types.ResolvedTargets{ParameterValues: []string{}},
	}
	if on := e.Targeted(); on != nil {
		out.TargetParameterName, out.Targets, out.ResolvedTargets = &on.Parameter, askedTargets(on), resolvedTargets(on)
		out.MaxConcurrency, out.MaxErrors = &on.Rate.MaxConcurrency, &on.Rate.MaxErrors
	}
	if len(out.StepExecutions) > stepsShown {
		out.StepExecutions, out.StepExecutionsTruncated = out.StepExecutions[:stepsShown], true
	}
	if e.Done() {
		out.ExecutionEndTime = aws.Time(e.Ended)
	} else if step := e.Current(); step != nil {
		out.CurrentStepName, out.CurrentAction = aws.String(step.Step), aws.String(step.Action)
	}
	return out
}

func ssmSteps(e *world.Execution) []types.StepExecution {
	steps := make([]types.StepExecution, 0, len(e.Steps))
	for _, step := range e.Steps {
		out := types.StepExecution{
			StepExecutionId: aws.String(step.ID), StepName: aws.String(step.Step), Action: aws.String(step.Action),
			StepStatus: types.AutomationExecutionStatus(step.Status), Inputs: step.Inputs, Outputs: stepOutputs(e, step),
			FailureMessage: notEmpty(step.Failure), ResponseCode: notEmpty(step.Code), OnFailure: aws.String(step.OnFail),
			MaxAttempts: aws.Int32(int32(step.Attempts)), IsEnd: aws.Bool(step.IsEnd), IsCritical: aws.Bool(step.Critical),
			NextStep: notEmpty(step.NextStep),
		}
		if step.Timeout > 0 {
			out.TimeoutSeconds = aws.Int64(int64(step.Timeout))
		}
		if !step.Started.IsZero() {
			out.ExecutionStartTime = aws.Time(step.Started)
		}
		if !step.Ended.IsZero() {
			out.ExecutionEndTime = aws.Time(step.Ended)
		}
		steps = append(steps, out)
	}
	return steps
}

// stepOutputs are those of a step that has ended: one under way tells none, its command's id neither. AWS does not say
// when a step's outputs may be read, so that the worst is modelled: unverified.
func stepOutputs(e *world.Execution, step *world.StepExecution) map[string][]string {
	w := e.Region.World
	if step.Ended.IsZero() || w.Now().Before(step.Ended.Add(w.Scenario.Durations.StepLag.D())) {
		return nil
	}
	return step.Outputs
}
