package activities

import (
	"context"
	"time"

	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// ReadInterferenceInput asks what others do around a group.
type ReadInterferenceInput struct {
	Group     patch.Group
	Instances []string            // those that are about to be changed; none: only what concerns the group as a whole
	Calendars []string            // Change Calendars, by name or ARN
	Alarms    []string            // those that are to judge the stage
	Metrics   []patch.MetricCheck // likewise; they are only tried
	Documents []string            // those that hooks run
	Functions []string            // of Lambda, that hooks invoke
	Blocked   bool                // which patches are blocked is to be told, not only whether the same as before
	Baseline  string              // the plan's, that is to judge the instances; "": nothing is to be installed
	Restore   patch.Restore
	Image     string         // the id of what is to replace their root volumes; "": nothing is
	Within    patch.Duration // how long an instance is likely to take, in the plan's time
}

// noInstance is an id that EC2 gives to nothing: a filter by it finds nothing.
const noInstance = "i-00000000000000000"

// ReadInterference reads what others do, or are about to do, to a group and the named instances: change calendars,
// stack updates, deployments, alarms that stop machines, maintenance windows and associations that patch; and whether
// the keys of encrypted root volumes may be used, which baseline judges the instances, and whether CloudWatch takes
// what metric checks ask. It judges nothing and changes nothing. A calendar that gives no answer is told as such; any
// other question that AWS does not answer is an error.
func (a *AWS) ReadInterference(ctx context.Context, in ReadInterferenceInput) (_ *patch.Interference, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return nil, err
	}
	around := &patch.Interference{}
	if around.Calendars, err = aws.ReadCalendars(ctx, a.Connector, in.Group, in.Calendars); err != nil {
		return nil, err
	}
	instances, at, err := readOrLook(ctx, s, in)
	if err != nil {
		return nil, err
	}
	around.At, around.Until = at, at.Add(a.speed().OnAWS(in.Within))
	if around.Stacks, err = aws.ReadStacks(ctx, s, in.Group, instances); err != nil {
		return nil, err
	}
	if around.Hooks, err = hookDocuments(ctx, s, in); err != nil {
		return nil, err
	}
	missing, err := a.hookFunctions(ctx, in)
	if err != nil {
		return nil, err
	}
	around.Hooks = append(around.Hooks, missing...)
	if in.Baseline != "" {
		if around.Judges, err = a.readJudges(ctx, s, in, instances); err != nil {
			return nil, err
		}
		if around.Blocks, err = a.knownBlocks(ctx, in, at); err != nil {
			return nil, err
		}
	}
	if around.GateAlarms, err = aws.ReadAlarms(ctx, s, in.Group, in.Alarms, a.speed()); err != nil {
		return nil, err
	}
	example := noInstance
	if len(in.Instances) > 0 {
		example = in.Instances[0]
	}
	if err = aws.TryMetrics(ctx, s, in.Group, in.Metrics, example, at); err != nil || len(instances) == 0 {
		return around, err
	}
	if around.Deployments, around.Unasked, err = aws.ReadDeployments(ctx, s, in.Group, instances); err != nil {
		return nil, err
	}
	if around.StopAlarms, err = aws.ReadStopAlarms(ctx, s, in.Group, instances); err != nil {
		return nil, err
	}
	patchers, err := aws.ReadPatchers(ctx, s, in.Group, instances, at, around.Until)
	if err != nil {
		return nil, err
	}
	around.Patchers, around.Unjudged = patchers.Found, patchers.Unjudged
	if in.Restore == patch.RestoreRootVolume {
		keys, err := aws.ReadRootKeys(ctx, s, in.Group, instances)
		if err != nil {
			return nil, err
		}
		around.LockedRoots, around.UnprovenRoots = keys.Locked, keys.Unproven
	}
	if in.Image != "" {
		around.Image, err = aws.ReadImageLook(ctx, s, in.Group, in.Image, instances)
	}
	return around, err
}

// hookDocuments says which of the documents that hooks run are not there, or none that a hook may run.
func hookDocuments(ctx context.Context, s *aws.Services, in ReadInterferenceInput) (missing []string, err error) {
	for _, name := range in.Documents {
		described, err := aws.FindDescription(ctx, s, in.Group.String(), name, "$DEFAULT")
		switch {
		case err != nil:
			return nil, err
		case described == nil:
			missing = append(missing, "there is no document "+name+" for its hooks")
		case described.DocumentType != ssmtypes.DocumentTypeCommand &&
			described.DocumentType != ssmtypes.DocumentTypeAutomation:
			missing = append(missing, "the document "+name+" of its hooks is of type "+string(described.DocumentType)+
				", and neither a Command document nor an Automation runbook")
		}
	}
	return missing, nil
}

// hookFunctions says which of the functions that hooks invoke cannot be.
func (a *AWS) hookFunctions(ctx context.Context, in ReadInterferenceInput) (missing []string, err error) {
	for _, name := range in.Functions {
		s, err := a.connect(ctx, functionPlace(in.Group, patch.HookFunction{Function: name}))
		if err != nil {
			return nil, err
		}
		why, err := aws.MissingFunction(ctx, s, in.Group.String(), name)
		if err != nil {
			return nil, err
		}
		if why != "" {
			missing = append(missing, why+", for its hooks")
		}
	}
	return missing, nil
}

// readJudges reads which baseline Systems Manager would judge the instances by.
func (a *AWS) readJudges(
	ctx context.Context, s *aws.Services, in ReadInterferenceInput, instances map[string]ec2types.Instance,
) (*patch.Judges, error) {
	wanted, err := a.baselineOf(in.Baseline)
	if err != nil {
		return nil, err
	}
	if wanted.Adopts {
		return &patch.Judges{Baseline: wanted.Name, Asked: len(instances)}, nil
	}
	return aws.ReadJudges(ctx, s, in.Group.String(), aws.WantedBaseline{
		Name: wanted.SSMName(), PatchGroup: wanted.PatchGroup, System: wanted.OperatingSystem,
	}, instances)
}

// readOrLook reads the instances, if any are named, and AWS's clock all the same.
func readOrLook(
	ctx context.Context, s *aws.Services, in ReadInterferenceInput,
) (map[string]ec2types.Instance, time.Time, error) {
	if len(in.Instances) > 0 {
		return aws.ReadInstances(ctx, s, in.Group.String(), in.Instances)
	}
	_, at, err := aws.DescribeInstances(ctx, s, in.Group.String(), aws.Filter("instance-id", noInstance))
	return nil, at, err
}
