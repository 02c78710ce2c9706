package services

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// othersService tells of calendars and of others who patch: maintenance windows and associations. They are found, not
// run.
type othersService struct{ w *world.World }

func registerOthers(r *api.Registry, w *world.World) {
	s := othersService{w}
	api.Handle(r, "ssm", "GetCalendarState", []string{"CalendarNames", "AtTime"}, s.calendar)
	api.Handle(r, "ssm", "DescribeMaintenanceWindows", []string{"Filters", "MaxResults", "NextToken"}, s.windows)
	api.Handle(r, "ssm", "DescribeMaintenanceWindowTasks", []string{"WindowId", "MaxResults", "NextToken"}, s.tasks)
	api.Handle(r, "ssm", "GetMaintenanceWindowTask", []string{"WindowId", "WindowTaskId"}, s.task)
	api.Handle(r, "ssm", "DescribeMaintenanceWindowTargets", []string{"WindowId", "MaxResults", "NextToken"}, s.targets)
	api.Handle(
		r, "ssm", "DescribeMaintenanceWindowExecutions", []string{"WindowId", "MaxResults", "NextToken"}, s.executions,
	)
	api.Handle(r, "ssm", "ListAssociations", []string{"AssociationFilterList", "MaxResults", "NextToken"}, s.associations)
	api.Handle(r, "ssm", "DescribeAssociation", []string{"AssociationId"}, s.association)
}

// calendarTime is how GetCalendarState writes times.
const calendarTime = "2006-01-02T15:04:05Z"

// calendar is OPEN only if all calendars are.
func (s othersService) calendar(c api.Call, in *ssm.GetCalendarStateInput) (*ssm.GetCalendarStateOutput, error) {
	at := c.Time.UTC()
	if in.AtTime != nil {
		var err error
		for _, form := range []string{time.RFC3339, "2006-01-02T15:04:05-0700"} { // the guide's own example is the second
			if at, err = time.Parse(form, *in.AtTime); err == nil {
				break
			}
		}
		if err != nil {
			return nil, api.Errorf("ValidationException", "AtTime %q is no ISO 8601 time", *in.AtTime)
		}
	}
	out := &ssm.GetCalendarStateOutput{State: types.CalendarStateOpen, AtTime: aws.String(at.Format(calendarTime))}
	var next time.Time
	for _, name := range in.CalendarNames {
		calendar := regionOf(s.w, c).Calendar(name)
		if calendar == nil {
			if _, err := regionOf(s.w, c).Document(name); err == nil {
				return nil, api.Errorf("InvalidDocumentType", "The document %s is no change calendar.", name)
			}
			return nil, api.Errorf("InvalidDocument", "Calendar %s does not exist.", name)
		}
		if !calendar.Open(at) {
			out.State = types.CalendarStateClosed
		}
		if calendar.Changes.After(at) && (next.IsZero() || calendar.Changes.Before(next)) {
			next = calendar.Changes
		}
	}
	if !next.IsZero() {
		out.NextTransitionTime = aws.String(next.UTC().Format(calendarTime))
	}
	return out, nil
}

// windowTime is how maintenance windows write times: to the minute.
const windowTime = "2006-01-02T15:04Z"

func (s othersService) windows(
	c api.Call, in *ssm.DescribeMaintenanceWindowsInput,
) (*ssm.DescribeMaintenanceWindowsOutput, error) {
	var all []types.MaintenanceWindowIdentity
	for _, window := range regionOf(s.w, c).MaintenanceWindows() {
		identity := types.MaintenanceWindowIdentity{
			WindowId: &window.ID, Name: aws.String(window.Name), Enabled: window.Enabled,
			Schedule: aws.String(window.Schedule), Duration: aws.Int32(int32(window.Duration)), Cutoff: int32(window.Cutoff),
		}
		if window.Offset > 0 {
			identity.ScheduleOffset = aws.Int32(int32(window.Offset))
		}
		if window.TimeZone != "" {
			identity.ScheduleTimezone = aws.String(window.TimeZone)
		}
		// One that runs tells its following execution, which these windows do not have.
		if window.Enabled && window.Next.After(c.Time) {
			identity.NextExecutionTime = aws.String(window.Next.UTC().Format(windowTime))
		}
		keep := true
		for _, filter := range in.Filters {
			switch aws.ToString(filter.Key) {
			case "Name":
				keep = keep && slices.Contains(filter.Values, window.Name)
			case "Enabled":
				keep = keep && slices.Contains(filter.Values, strconv.FormatBool(window.Enabled))
			default:
				return nil, api.NotModelled("filter %s of ssm:DescribeMaintenanceWindows", aws.ToString(filter.Key))
			}
		}
		if keep {
			all = append(all, identity)
		}
	}
	page, next, err := cutPage(all, in.NextToken, in.MaxResults, windowPages, badSSMToken)
	return &ssm.DescribeMaintenanceWindowsOutput{WindowIdentities: page, NextToken: next}, err
}

var windowPages = pageRange{10, 100, 50}

func (s othersService) window(c api.Call, id *string) (*world.MaintenanceWindow, error) {
	window := regionOf(s.w, c).MaintenanceWindow(aws.ToString(id))
	if window == nil {
		return nil, api.Errorf("DoesNotExistException", "Maintenance window %s does not exist", aws.ToString(id))
	}
	return window, nil
}

// theTargets is the id of a window's only target.
func theTargets(window *world.MaintenanceWindow) string {
	return "00000000-0000-4000-8001-0" + window.ID[len(window.ID)-11:]
}

func theTask(window *world.MaintenanceWindow) string {
	return "00000000-0000-4000-8002-0" + window.ID[len(window.ID)-11:]
}

func taskTargets(window *world.MaintenanceWindow) []types.Target {
	return []types.Target{{Key: aws.String("WindowTargetIds"), Values: []string{theTargets(window)}}}
}

// tasks tells no parameters: only GetMaintenanceWindowTask does.
func (s othersService) tasks(
	c api.Call, in *ssm.DescribeMaintenanceWindowTasksInput,
) (*ssm.DescribeMaintenanceWindowTasksOutput, error) {
	window, err := s.window(c, in.WindowId)
	if err != nil {
		return nil, err
	}
	var all []types.MaintenanceWindowTask
	if window.Task != "" {
		all = append(all, types.MaintenanceWindowTask{
			WindowId: &window.ID, WindowTaskId: aws.String(theTask(window)), TaskArn: &window.Task,
			Type: types.MaintenanceWindowTaskTypeRunCommand, Targets: taskTargets(window),
		})
	}
	page, next, err := cutPage(all, in.NextToken, in.MaxResults, windowPages, badSSMToken)
	return &ssm.DescribeMaintenanceWindowTasksOutput{Tasks: page, NextToken: next}, err
}

func (s othersService) task(
	c api.Call, in *ssm.GetMaintenanceWindowTaskInput,
) (*ssm.GetMaintenanceWindowTaskOutput, error) {
	window, err := s.window(c, in.WindowId)
	if err != nil {
		return nil, err
	}
	if window.Task == "" || aws.ToString(in.WindowTaskId) != theTask(window) {
		return nil, api.Errorf(
			"DoesNotExistException", "Maintenance window task %s does not exist", aws.ToString(in.WindowTaskId),
		)
	}
	out := &ssm.GetMaintenanceWindowTaskOutput{
		WindowId: &window.ID, WindowTaskId: in.WindowTaskId, TaskArn: &window.Task,
		TaskType: types.MaintenanceWindowTaskTypeRunCommand,
		Targets:  taskTargets(window),
		TaskInvocationParameters: &types.MaintenanceWindowTaskInvocationParameters{
			RunCommand: &types.MaintenanceWindowRunCommandParameters{},
		},
	}
	if window.Operation != "" {
		out.TaskInvocationParameters.RunCommand.Parameters = map[string][]string{"Operation": {window.Operation}}
	}
	return out, nil
}

func (s othersService) targets(
	c api.Call, in *ssm.DescribeMaintenanceWindowTargetsInput,
) (*ssm.DescribeMaintenanceWindowTargetsOutput, error) {
	window, err := s.window(c, in.WindowId)
	if err != nil {
		return nil, err
	}
	all := []types.MaintenanceWindowTarget{{
		WindowId: &window.ID, WindowTargetId: aws.String(theTargets(window)),
		ResourceType: types.MaintenanceWindowResourceTypeInstance,
		Targets:      targetsByTags(window.Tags),
	}}
	page, next, err := cutPage(all, in.NextToken, in.MaxResults, windowPages, badSSMToken)
	return &ssm.DescribeMaintenanceWindowTargetsOutput{Targets: page, NextToken: next}, err
}

// targetsByTags are instances that carry all of the tags; without any, every managed node.
func targetsByTags(tags map[string]string) []types.Target {
	if len(tags) == 0 {
		return []types.Target{{Key: aws.String("InstanceIds"), Values: []string{"*"}}}
	}
	var targets []types.Target
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		targets = append(targets, types.Target{Key: aws.String("tag:" + key), Values: []string{tags[key]}})
	}
	return targets
}

func (s othersService) executions(
	c api.Call, in *ssm.DescribeMaintenanceWindowExecutionsInput,
) (*ssm.DescribeMaintenanceWindowExecutionsOutput, error) {
	window, err := s.window(c, in.WindowId)
	if err != nil {
		return nil, err
	}
	var all []types.MaintenanceWindowExecution
	if !window.Next.IsZero() && !c.Time.Before(window.Next) {
		execution := types.MaintenanceWindowExecution{
			WindowId: &window.ID, WindowExecutionId: aws.String("00000000-0000-4000-8003-0" + window.ID[len(window.ID)-11:]),
			Status: types.MaintenanceWindowExecutionStatusSuccess, StartTime: &window.Next,
		}
		if window.Running(c.Time) {
			execution.Status = types.MaintenanceWindowExecutionStatusInProgress
		} else {
			execution.EndTime = aws.Time(window.Next.Add(time.Duration(window.Duration) * time.Hour))
		}
		all = append(all, execution)
	}
	page, next, err := cutPage(all, in.NextToken, in.MaxResults, windowPages, badSSMToken)
	return &ssm.DescribeMaintenanceWindowExecutionsOutput{WindowExecutions: page, NextToken: next}, err
}

func (s othersService) associations(c api.Call, in *ssm.ListAssociationsInput) (*ssm.ListAssociationsOutput, error) {
	var all []types.Association
	for _, association := range regionOf(s.w, c).Associations() {
		matches, err := associationMatches(association, in.AssociationFilterList)
		if err != nil {
			return nil, err
		}
		if !matches {
			continue
		}
		all = append(all, types.Association{
			AssociationId: &association.ID, AssociationName: notEmpty(association.Name), Name: aws.String(association.Document),
			ScheduleExpression: notEmpty(association.Schedule), Targets: targetsByTags(association.Tags),
		})
	}
	page, next, err := cutPage(all, in.NextToken, in.MaxResults, pageRange{1, 50, 50}, badSSMToken)
	return &ssm.ListAssociationsOutput{Associations: page, NextToken: next}, err
}

// associationMatches obeys the filters that scripts use; all of them must match.
func associationMatches(association *world.Association, filters []types.AssociationFilter) (bool, error) {
	for _, filter := range filters {
		value, known := map[types.AssociationFilterKey]string{
			types.AssociationFilterKeyName: association.Document, types.AssociationFilterKeyAssociationId: association.ID,
			types.AssociationFilterKeyAssociationName: association.Name,
		}[filter.Key]
		if !known {
			return false, api.NotModelled("filter %s of ssm:ListAssociations", filter.Key)
		}
		if value != aws.ToString(filter.Value) {
			return false, nil
		}
	}
	return true, nil
}

func (s othersService) association(
	c api.Call, in *ssm.DescribeAssociationInput,
) (*ssm.DescribeAssociationOutput, error) {
	association := regionOf(s.w, c).Association(aws.ToString(in.AssociationId))
	if association == nil {
		return nil, api.Errorf("AssociationDoesNotExist", "Association %s does not exist", aws.ToString(in.AssociationId))
	}
	description := &types.AssociationDescription{
		AssociationId: &association.ID, AssociationName: notEmpty(association.Name), Name: aws.String(association.Document),
		ScheduleExpression: notEmpty(association.Schedule), Targets: targetsByTags(association.Tags),
	}
	description.Parameters = maps.Clone(association.Parameters)
	if association.Operation != "" {
		description.Parameters = map[string][]string{"Operation": {association.Operation}}
	}
	return &ssm.DescribeAssociationOutput{AssociationDescription: description}, nil
}
