package aws

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/internal/patch"
)

// Patchers are who else patches instances.
type Patchers struct {
	Found []patch.Patcher
	// Unjudged says of what acts on the instances that nobody could tell whether it installs patches.
	Unjudged []string
}

// ReadPatchers reads the maintenance windows and associations that install patches on one of the instances from now, by
// AWS's clock, until a moment.
func ReadPatchers(
	ctx context.Context, s *Services, group patch.Group, instances map[string]ec2types.Instance, now, until time.Time,
) (Patchers, error) {
	var all Patchers
	documents := newDocumentReader(s, group.String())
	if err := patchingWindows(ctx, s, group, instances, now, until, documents, &all); err != nil {
		return Patchers{}, err
	}
	return all, patchingAssociations(ctx, s, group, instances, documents, &all)
}

// unjudged says that nobody could tell what a document does.
func unjudged(who, document, why string) string {
	return who + " runs the document " + document + " on it, and whether that installs patches is not known: " + why
}

func patchingWindows(
	ctx context.Context, s *Services, group patch.Group, instances map[string]ec2types.Instance, now, until time.Time,
	documents documentReader, all *Patchers,
) error {
	pages := ssm.NewDescribeMaintenanceWindowsPaginator(s.SSM, &ssm.DescribeMaintenanceWindowsInput{
		Filters: []ssmtypes.MaintenanceWindowFilter{{Key: Ptr("Enabled"), Values: []string{"true"}}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return Wrap("describe maintenance windows", group.String(), err)
		}
		for _, window := range page.WindowIdentities {
			acts, soon, err := windowActs(ctx, s, group, window, now, until)
			if err != nil {
				return err
			}
			if !soon {
				continue
			}
			name := windowName(window)
			patched, unsure, err := patchedBy(ctx, s, group, Deref(window.WindowId), instances, documents)
			if err != nil {
				return err
			}
			for _, instance := range patched {
				all.Found = append(all.Found, patch.Patcher{Name: name, Instance: instance, Acts: acts})
			}
			for _, document := range slices.Sorted(maps.Keys(unsure)) {
				all.Unjudged = append(all.Unjudged, unjudged(name, document, unsure[document]))
			}
		}
	}
	return nil
}

// windowActs reports whether a window is executing (a zero time) or will before until.
func windowActs(
	ctx context.Context, s *Services, group patch.Group, window ssmtypes.MaintenanceWindowIdentity, now, until time.Time,
) (time.Time, bool, error) {
	var next time.Time
	if text := Deref(window.NextExecutionTime); text != "" {
		var err error
		if next, err = calendarTime(text); err != nil {
			return next, true, nil //nolint:nilerr // when it acts cannot be read, so it may act at any moment
		}
		if offset := offsetRun(window, now); !offset.IsZero() && offset.Before(next) {
			next = offset
		}
		if next.Before(until) {
			return next, true, nil
		}
	}
	// While a window executes, its next execution is the following one. The newest executions come first.
	out, err := s.SSM.DescribeMaintenanceWindowExecutions(
		ctx, &ssm.DescribeMaintenanceWindowExecutionsInput{WindowId: window.WindowId},
	)
	if IsNotFound(err) {
		return next, false, nil
	}
	if err != nil {
		return next, false, Wrap("describe executions of maintenance window "+Deref(window.WindowId), group.String(), err)
	}
	running := slices.ContainsFunc(out.WindowExecutions, func(execution ssmtypes.MaintenanceWindowExecution) bool {
		switch execution.Status {
		case ssmtypes.MaintenanceWindowExecutionStatusPending,
			ssmtypes.MaintenanceWindowExecutionStatusInProgress,
			ssmtypes.MaintenanceWindowExecutionStatusCancelling:
			return true
		}
		return false
	})
	return time.Time{}, running, nil
}

// patchedBy are the instances on which a window's tasks install patches; unsure is, by its document or function, why
// nobody can tell of a task that acts on one.
func patchedBy(
	ctx context.Context, s *Services, group patch.Group, window string, instances map[string]ec2types.Instance,
	documents documentReader,
) (patched []string, unsure map[string]string, err error) {
	where := group.String()
	unsure = map[string]string{}
	pages := ssm.NewDescribeMaintenanceWindowTasksPaginator(
		s.SSM, &ssm.DescribeMaintenanceWindowTasksInput{WindowId: &window},
	)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if IsNotFound(err) {
			return nil, nil, nil
		}
		if err != nil {
			return nil, nil, Wrap("describe the tasks of maintenance window "+window, where, err)
		}
		for _, task := range page.Tasks {
			targets, err := windowTargets(ctx, s, where, window, task.Targets)
			if err != nil {
				return nil, nil, err
			}
			ours := chosen(targets, instances)
			if len(ours) == 0 {
				continue
			}
			does, err := taskDoes(ctx, s, where, window, task, documents)
			switch {
			case err != nil:
				return nil, nil, err
			case does.installs:
				patched = append(patched, ours...)
			case does.unsure != "":
				unsure[Deref(task.TaskArn)] = does.unsure
			}
		}
	}
	slices.Sort(patched)
	return slices.Compact(patched), unsure, nil
}

// taskDoes reads what a window's task does.
func taskDoes(
	ctx context.Context, s *Services, where, window string, task ssmtypes.MaintenanceWindowTask, documents documentReader,
) (reads, error) {
	switch task.Type {
	case ssmtypes.MaintenanceWindowTaskTypeLambda, ssmtypes.MaintenanceWindowTaskTypeStepFunctions:
		return reads{unsure: "it is no document"}, nil
	}
	// Only this call tells the parameters.
	whole, err := s.SSM.GetMaintenanceWindowTask(
		ctx, &ssm.GetMaintenanceWindowTaskInput{WindowId: &window, WindowTaskId: task.WindowTaskId},
	)
	if IsNotFound(err) {
		return reads{}, nil // somebody has deleted it
	}
	if err != nil {
		return reads{}, Wrap("read a task of maintenance window "+window, where, err)
	}
	var parameters map[string][]string
	if given := whole.TaskInvocationParameters; given != nil {
		switch {
		case given.RunCommand != nil:
			parameters = given.RunCommand.Parameters
		case given.Automation != nil:
			parameters = given.Automation.Parameters
		}
	}
	return documents.of(ctx, Deref(task.TaskArn), parameters)
}

// windowTargets resolves a task's targets that name the window's own ones.
func windowTargets(
	ctx context.Context, s *Services, where, window string, named []ssmtypes.Target,
) ([][]ssmtypes.Target, error) {
	var wanted []string
	var direct []ssmtypes.Target
	for _, target := range named {
		if Deref(target.Key) == "WindowTargetIds" {
			wanted = append(wanted, target.Values...)
		} else {
			direct = append(direct, target)
		}
	}
	var all [][]ssmtypes.Target
	if len(direct) > 0 {
		all = append(all, direct)
	}
	if len(wanted) == 0 {
		return all, nil
	}
	pages := ssm.NewDescribeMaintenanceWindowTargetsPaginator(
		s.SSM, &ssm.DescribeMaintenanceWindowTargetsInput{WindowId: &window},
	)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, Wrap("describe the targets of maintenance window "+window, where, err)
		}
		for _, target := range page.Targets {
			if slices.Contains(wanted, Deref(target.WindowTargetId)) {
				all = append(all, target.Targets)
			}
		}
	}
	return all, nil
}

// patchingAssociations reads State Manager's associations that install patches again and again. One without a schedule
// ran once, when it was made. When the others run next is not told, so they may at any moment.
func patchingAssociations(
	ctx context.Context, s *Services, group patch.Group, instances map[string]ec2types.Instance,
	documents documentReader, all *Patchers,
) error {
	pages := ssm.NewListAssociationsPaginator(s.SSM, &ssm.ListAssociationsInput{MaxResults: Ptr(int32(AssociationsPage))})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return Wrap("list associations", group.String(), err)
		}
		for _, association := range page.Associations {
			if Deref(association.ScheduleExpression) == "" {
				continue
			}
			targets := association.Targets
			if id := Deref(association.InstanceId); id != "" {
				targets = append(targets, ssmtypes.Target{Key: Ptr("InstanceIds"), Values: []string{id}})
			}
			ours := chosen([][]ssmtypes.Target{targets}, instances)
			if len(ours) == 0 || slices.Contains(otherDocuments, documentName(Deref(association.Name))) {
				continue
			}
			whole, err := s.SSM.DescribeAssociation(ctx, &ssm.DescribeAssociationInput{AssociationId: association.AssociationId})
			if IsNotFound(err) {
				continue
			}
			if err != nil {
				return Wrap("describe the association "+Deref(association.AssociationId), group.String(), err)
			}
			var parameters map[string][]string
			if whole.AssociationDescription != nil {
				parameters = whole.AssociationDescription.Parameters
			}
			does, err := documents.of(ctx, Deref(association.Name), parameters)
			if err != nil {
				return err
			}
			name := fmt.Sprintf("the association %s (%s, %s)", Deref(association.AssociationName),
				Deref(association.AssociationId), Deref(association.ScheduleExpression))
			if does.unsure != "" && !does.installs {
				all.Unjudged = append(all.Unjudged, unjudged(name, Deref(association.Name), does.unsure))
			}
			for _, instance := range ours {
				if does.installs {
					all.Found = append(all.Found, patch.Patcher{Name: name, Instance: instance})
				}
			}
		}
	}
	return nil
}

// chosen are the instances that some list of targets chooses. Within one list all must choose it. What cannot be told
// here, such as a resource group, is taken to choose it.
func chosen(lists [][]ssmtypes.Target, instances map[string]ec2types.Instance) []string {
	var found []string
	for _, id := range slices.Sorted(maps.Keys(instances)) {
		if slices.ContainsFunc(lists, func(targets []ssmtypes.Target) bool {
			return len(targets) > 0 && !slices.ContainsFunc(
				targets, func(target ssmtypes.Target) bool { return excludes(target, instances[id]) },
			)
		}) {
			found = append(found, id)
		}
	}
	return found
}

// excludes reports whether a target surely does not choose the instance.
func excludes(target ssmtypes.Target, instance ec2types.Instance) bool {
	key := Deref(target.Key)
	switch {
	case strings.EqualFold(key, "InstanceIds"):
		return !slices.Contains(target.Values, "*") && !slices.Contains(target.Values, Deref(instance.InstanceId))
	case key == "tag-key":
		return !slices.ContainsFunc(
			instance.Tags, func(tag ec2types.Tag) bool { return slices.Contains(target.Values, Deref(tag.Key)) },
		)
	case strings.HasPrefix(key, "tag:"):
		return !slices.ContainsFunc(instance.Tags, func(tag ec2types.Tag) bool {
			return "tag:"+Deref(tag.Key) == key && slices.Contains(target.Values, Deref(tag.Value))
		})
	}
	return false
}
