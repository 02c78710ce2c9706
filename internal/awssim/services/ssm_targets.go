package services

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// commandTargets resolves the Targets of Run Command: instances by id or by tag, whose agent is online; every target
// must match.
func commandTargets(region *world.Region, targets []types.Target) ([]string, error) {
	var found []string
	for _, instance := range region.Machines() {
		if instance.State != world.Running || instance.LastPing().IsZero() {
			continue
		}
		matches := true
		for _, target := range targets {
			key := aws.ToString(target.Key)
			switch tag, byTag := strings.CutPrefix(key, "tag:"); {
			case byTag:
				value, tagged := instance.Tags[tag]
				matches = matches && tagged && slices.Contains(target.Values, value)
			case strings.EqualFold(key, "InstanceIds"):
				all := slices.Equal(target.Values, []string{"*"})
				matches = matches && (all || slices.Contains(target.Values, instance.ID))
			case key == "tag-key":
				matches = matches && slices.ContainsFunc(target.Values, func(tag string) bool {
					_, tagged := instance.Tags[tag]
					return tagged
				})
			default:
				return nil, api.NotModelled("target %s of ssm:SendCommand", key)
			}
		}
		if matches {
			found = append(found, instance.ID)
		}
	}
	return found, nil
}

// resolvedShown is how many resolved targets a reply lists; AWS does not say where it cuts them: unverified.
const resolvedShown = 100

// automationTargets reads what an automation is to run on; nil: once, on what its parameters say. Source: user guide,
// "Run automations that use targets and rate controls".
func automationTargets(region *world.Region, in *ssm.StartAutomationExecutionInput) (*world.TargetSpec, error) {
	switch {
	case len(in.Targets) == 0 && in.TargetParameterName != nil:
		return nil, api.Errorf("ValidationException", "TargetParameterName needs Targets.")
	case len(in.Targets) == 0 && (in.MaxConcurrency != nil || in.MaxErrors != nil):
		return nil, api.NotModelled("MaxConcurrency or MaxErrors of ssm:StartAutomationExecution without Targets")
	case len(in.Targets) == 0:
		return nil, nil
	case in.TargetParameterName == nil:
		return nil, api.Errorf("ValidationException", "TargetParameterName is required with Targets.")
	}
	spec := &world.TargetSpec{
		Parameter: *in.TargetParameterName,
		Rate:      world.RateControl{MaxConcurrency: aws.ToString(in.MaxConcurrency), MaxErrors: aws.ToString(in.MaxErrors)},
	}
	var choices []func(*world.Instance) bool
	for _, target := range in.Targets {
		key := aws.ToString(target.Key)
		spec.Asked = append(spec.Asked, world.Choice{Key: key, Values: target.Values})
		switch tag, byTag := strings.CutPrefix(key, "tag:"); {
		case key == "ParameterValues":
			if len(in.Targets) > 1 {
				return nil, api.NotModelled("ParameterValues beside other Targets of ssm:StartAutomationExecution")
			}
			spec.Values = slices.Clone(target.Values)
			return spec, nil
		case byTag:
			choices = append(choices, func(i *world.Instance) bool {
				value, tagged := i.Tags[tag]
				return tagged && (len(target.Values) == 0 || slices.Contains(target.Values, value))
			})
		case key == "tag-key":
			choices = append(choices, func(i *world.Instance) bool {
				return slices.ContainsFunc(target.Values, func(tag string) bool { _, tagged := i.Tags[tag]; return tagged })
			})
		case key == "AWS::EC2::Instance" && slices.Equal(target.Values, []string{"*"}):
			choices = append(choices, func(*world.Instance) bool { return true })
		default:
			return nil, api.NotModelled("target %s of ssm:StartAutomationExecution", key)
		}
	}
	for _, instance := range region.Instances() {
		if instance.State != world.Terminated && !slices.ContainsFunc(
			choices, func(matches func(*world.Instance) bool) bool { return !matches(instance) },
		) {
			spec.Values = append(spec.Values, instance.ID)
		}
	}
	return spec, nil
}

func askedTargets(on *world.TargetSpec) []types.Target {
	targets := make([]types.Target, 0, len(on.Asked))
	for _, asked := range on.Asked {
		targets = append(targets, types.Target{Key: aws.String(asked.Key), Values: asked.Values})
	}
	return targets
}

func resolvedTargets(on *world.TargetSpec) *types.ResolvedTargets {
	shown := on.Values[:min(len(on.Values), resolvedShown)]
	return &types.ResolvedTargets{ParameterValues: append([]string{}, shown...), Truncated: len(shown) < len(on.Values)}
}
