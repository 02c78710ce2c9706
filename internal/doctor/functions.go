package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/patchtide/patchtide/internal/cloud"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/permissions"
)

// functions are the ARNs of the functions that hooks invoke with the account's role, sorted: in each region in which it
// has a group of the plan, or which a hook of the wave names.
func (p place) functions() (arns []string) {
	add := func(hooks patch.Hooks, region string) {
		for _, name := range hooks.Functions() {
			arn := name
			if !strings.HasPrefix(name, "arn:") {
				there := p
				there.region = region
				arn = there.arn("lambda", "function:"+name)
			}
			arns = append(arns, arn)
		}
	}
	for _, plan := range p.Config.Plans {
		resolved, err := p.Config.Plan(plan.Name)
		if err != nil {
			continue // told of where groups are looked at
		}
		for _, stage := range resolved.Stages {
			for _, group := range stage.Groups {
				if group.Account.ID == p.account.ID {
					add(stage.Hooks, group.Region)
				}
			}
		}
		for region, hooks := range resolved.Hooks.ByRegion(p.account.ID) {
			add(hooks, region)
		}
	}
	slices.Sort(arns)
	return slices.Compact(arns)
}

// invoke asks whether the role may invoke the functions of hooks. That it may, on these only, is as it should be.
func (p place) invoke(ctx context.Context, clients *cloud.Clients) (results []Result) {
	for _, arn := range p.functions() {
		denied, err := simulate(ctx, clients, p.account.RoleARN, []string{permissions.Invoke}, arn)
		switch {
		case err != nil:
			results = append(results, p.unread("permissions", arn, err))
		case len(denied) == 0:
			results = append(results, Result{Check: "permissions", Where: arn, State: OK, Says: "may be invoked by hooks"})
		case denied[0].by != nobodyDenies:
			results = append(results, Result{
				"permissions", arn, Problem, fmt.Sprintf("%s may not invoke it: %s denies %s", p.account.RoleARN, denied[0].by,
					permissions.Invoke), mendDenied(p.account.RoleARN, denied[0].by),
			})
		default:
			results = append(results, Result{
				"permissions", arn, Problem, p.account.RoleARN + " may not invoke it, which a hook does",
				fmt.Sprintf(`add to the role's policy: {"Effect": "Allow", "Action": "%s", "Resource": "%s"}`,
					permissions.Invoke, arn),
			})
		}
	}
	return results
}
