package doctor

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/patchtide/patchtide/internal/cloud"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/permissions"
)

// permissions asks IAM what the role may do. Nothing else can tell it without doing it: of the changes that a wave
// makes only EC2's know a dry run.
func (p place) permissions(ctx context.Context, clients *cloud.Clients, resources []string) []Result {
	where := p.account.Name + " " + p.account.RoleARN
	wanted := slices.Concat(permissions.Actions(), p.more())
	denied, err := simulate(ctx, clients, p.account.RoleARN, wanted, "")
	if isDenied(err) {
		return []Result{{
			"permissions", where, Unknown, "the role may not ask IAM what it may do: " + reason(err),
			fmt.Sprintf(
				`allow it: {"Effect": "Allow", "Action": "iam:SimulatePrincipalPolicy", "Resource": "%s"}`, p.account.RoleARN,
			),
		}}
	}
	if err != nil {
		return []Result{p.unread("permissions", where, err)}
	}
	missing, limited, err := p.elsewhere(ctx, clients, p.account.RoleARN, denied, resources)
	if err != nil {
		return []Result{p.unread("permissions", where, err)}
	}
	role := slices.Concat(p.passRole(ctx, clients), p.invoke(ctx, clients), p.automation(ctx, clients, resources))
	missing, forbidden := p.forbidden(where, p.account.RoleARN, missing, denied, len(wanted))
	role = append(role, forbidden...)
	switch {
	case len(forbidden) > 0 && len(missing) == 0:
	case len(missing) > 0:
		role = append(role, Result{
			"permissions", where, Problem,
			fmt.Sprintf("%d of %d actions are not allowed: %s", len(missing), len(wanted), strings.Join(missing, " ")),
			fmt.Sprintf(
				`add to the role's policy: {"Effect": "Allow", "Action": ["%s"], "Resource": "*"}`, strings.Join(missing, `", "`),
			),
		})
	case len(limited) == 0:
		role = append(
			role,
			Result{Check: "permissions", Where: where, State: OK, Says: fmt.Sprintf("all %d actions are allowed", len(wanted))},
		)
	}
	if len(limited) > 0 {
		role = append(role, Result{
			"permissions", where, Unknown, "allowed on some resources or under conditions only: " + strings.Join(limited, " "),
			"see that the policy covers every group, instance, volume, snapshot and document of the plans",
		})
	}
	return role
}

// forbidden tells of the missing actions that something denies, each with its own advice; the rest is only not allowed.
func (p place) forbidden(
	where, role string, missing []string, denied []verdict, all int,
) (rest []string, results []Result) {
	for _, by := range []denier{organisation, boundary, rolePolicy} {
		var these []string
		these, missing = split(missing, func(action string) bool {
			return slices.ContainsFunc(denied, func(v verdict) bool { return v.action == action && v.by == by })
		})
		if len(these) > 0 {
			results = append(results, Result{
				"permissions", where, Problem,
				fmt.Sprintf("%d of %d actions are denied by %s: %s", len(these), all, by, strings.Join(these, " ")),
				mendDenied(role, by),
			})
		}
	}
	return missing, results
}

// more are the actions that only some configurations need.
func (p place) more() (actions []string) {
	if p.renewsImages() {
		actions = permissions.ImageActions()
	}
	for _, plan := range p.Config.Plans {
		gets, shares := plan.CopiesImages(p.account.Name)
		if gets {
			actions = append(actions, permissions.CopyAction)
		}
		if shares {
			actions = append(actions, permissions.ShareActions()...)
		}
	}
	slices.Sort(actions)
	actions = slices.Compact(actions)
	for _, target := range p.Config.Notify {
		if target.SNS != nil && strings.Contains(target.SNS.TopicARN, ":"+p.account.ID+":") {
			return append(actions, permissions.Publish)
		}
	}
	return actions
}

// renewsImages reports whether a plan renews the image of a group of the account, or replaces root volumes by one.
func (p place) renewsImages() bool {
	for _, plan := range p.Config.Plans {
		if gets, shares := plan.CopiesImages(p.account.Name); gets || shares {
			return true
		}
		for _, stage := range plan.Stages {
			image := cmp.Or(stage.Image, plan.Image)
			replaces := stage.Method == patch.MethodImage
			if !replaces && (image == nil || image.From == patch.ImageNone) {
				continue
			}
			for _, group := range stage.Groups {
				if group.Account == p.account.Name && (replaces || group.AutoScalingGroup != "") {
					return true
				}
			}
		}
	}
	return false
}

// verdict is what IAM says of an action that is not simply allowed.
type verdict struct {
	action      string
	conditional bool // a condition decides that a simulation cannot know
	by          denier
}

// denier is what denies an action that would be allowed without it: no Allow helps then.
type denier string

// The deniers, as people are told of them.
const (
	nobodyDenies   denier = "" // nothing allows it, which is another matter
	rolePolicy     denier = "a policy of the role"
	boundary       denier = "the role's permissions boundary"
	organisation   denier = "a policy of the organisation (service control policy)"
	deniesOnlySome        = "a Deny may be bound to conditions, such as tags that a request lacks"
)

// denierOf tells who denies an action (EvaluationResult of IAM's API reference): an explicit Deny, or that the
// organisation or the boundary does not allow it.
func denierOf(result iamtypes.EvaluationResult) denier {
	organisations, bounds := result.OrganizationsDecisionDetail, result.PermissionsBoundaryDecisionDetail
	switch {
	case organisations != nil && !organisations.AllowedByOrganizations:
		return organisation
	case bounds != nil && !bounds.AllowedByPermissionsBoundary:
		return boundary
	case result.EvalDecision == iamtypes.PolicyEvaluationDecisionTypeExplicitDeny:
		return rolePolicy
	}
	return nobodyDenies
}

// mendDenied is what to do about actions that something denies.
func mendDenied(role string, by denier) string {
	switch by {
	case organisation:
		return "an Allow in the role's policy changes nothing: ask who owns the organisation's policies to let the role do " +
			"it; " + deniesOnlySome
	case boundary:
		return "an Allow in the role's policy changes nothing: let the permissions boundary of " + role + " allow it"
	}
	return "another Allow changes nothing: take the Deny out of the policies of " + role + ", or what it names; " +
		deniesOnlySome
}

// simulate returns the actions that are not allowed on a resource, "" being all.
func simulate(
	ctx context.Context, clients *cloud.Clients, role string, actions []string, resource string,
	context ...iamtypes.ContextEntry,
) ([]verdict, error) {
	in := &iam.SimulatePrincipalPolicyInput{PolicySourceArn: &role, ActionNames: actions, ContextEntries: context}
	if resource != "" {
		in.ResourceArns = []string{resource}
	}
	var denied []verdict
	pages := iam.NewSimulatePrincipalPolicyPaginator(clients.IAM, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, result := range page.EvaluationResults {
			if result.EvalDecision != iamtypes.PolicyEvaluationDecisionTypeAllowed {
				denied = append(denied, verdict{
					awssdk.ToString(result.EvalActionName), len(result.MissingContextValues) > 0, denierOf(result),
				})
			}
		}
	}
	return denied, nil
}

// elsewhere asks again what is not allowed on everything, on what a wave would change here: a policy may name its
// resources. Allowed nowhere is missing; allowed on some, or by a condition's leave, is limited.
func (p place) elsewhere(
	ctx context.Context, clients *cloud.Clients, role string, denied []verdict, resources []string,
) (missing, limited []string, err error) {
	var open []string
	for _, each := range denied {
		if each.conditional {
			limited = append(limited, each.action)
		} else {
			open = append(open, each.action)
		}
	}
	for _, resource := range slices.Concat(resources, p.samples()) {
		service := strings.Split(resource, ":")[2]
		about, rest := split(open, func(action string) bool { return strings.HasPrefix(action, service+":") })
		if len(about) == 0 {
			continue
		}
		still, err := simulate(ctx, clients, role, about, resource)
		if err != nil {
			return nil, nil, err
		}
		for _, action := range about {
			i := slices.IndexFunc(still, func(v verdict) bool { return v.action == action })
			if i >= 0 && !still[i].conditional {
				rest = append(rest, action)
			} else {
				limited = append(limited, action)
			}
		}
		open = rest
	}
	slices.Sort(open)
	slices.Sort(limited)
	return open, limited, nil
}

// samples are ARNs of the kinds that a wave makes or uses, whose names it does not know yet.
func (p place) samples() []string {
	of := p.arn
	return []string{
		of("ec2", "volume/vol-0123456789abcdef0"),
		strings.Replace(of("ec2", "snapshot/snap-0123456789abcdef0"), p.account.ID, "", 1), // snapshots are without one
		of("ec2", "network-interface/eni-0123456789abcdef0"), of("ssm", "document/"+names.Runbook),
		strings.Replace(of("ssm", "document/AWS-RunPatchBaseline"), p.account.ID, "", 1), // AWS's documents, likewise
		of("ssm", "automation-definition/"+names.Runbook+":$DEFAULT"),
		of("ssm", "automation-execution/01234567-89ab-cdef-0123-456789abcdef"),
		of("ssm", "patchbaseline/pb-0123456789abcdef0"),
	}
}

func split(all []string, is func(string) bool) (yes, no []string) {
	for _, each := range all {
		if is(each) {
			yes = append(yes, each)
		} else {
			no = append(no, each)
		}
	}
	return yes, no
}

// automation asks what Automation's own role may do. That our role may not ask it of another is no finding: it needs it
// of itself only.
func (p place) automation(ctx context.Context, clients *cloud.Clients, resources []string) []Result {
	role := p.account.AutomationRoleARN
	if role == "" {
		return nil
	}
	denied, err := simulate(ctx, clients, role, permissions.AutomationActions(), "")
	if isDenied(err) {
		return nil
	}
	var missing []string
	if err == nil {
		missing, _, err = p.elsewhere(ctx, clients, role, denied, resources)
	}
	switch {
	case err != nil:
		return []Result{p.unread("permissions", role, err)}
	case len(missing) == 0:
		return nil
	}
	missing, forbidden := p.forbidden(role, role, missing, denied, len(permissions.AutomationActions()))
	if len(missing) == 0 {
		return forbidden
	}
	return append(forbidden, Result{
		"permissions", role, Problem, "Automation may not do with it: " + strings.Join(missing, " "),
		fmt.Sprintf(`add to the role's policy: {"Effect": "Allow", "Action": ["%s"], "Resource": "*"}`,
			strings.Join(missing, `", "`)),
	})
}

// passRole asks whether the role may hand Automation its role.
func (p place) passRole(ctx context.Context, clients *cloud.Clients) []Result {
	automation := p.account.AutomationRoleARN
	if automation == "" {
		return nil
	}
	passed := iamtypes.ContextEntry{
		ContextKeyName: awssdk.String("iam:PassedToService"), ContextKeyType: iamtypes.ContextKeyTypeEnumString,
		ContextKeyValues: []string{permissions.AutomationService},
	}
	denied, err := simulate(ctx, clients, p.account.RoleARN, []string{permissions.PassRole}, automation, passed)
	switch {
	case err != nil:
		return []Result{p.unread("permissions", automation, err)}
	case len(denied) == 0:
		return []Result{{Check: "permissions", Where: automation, State: OK, Says: "may be passed to Automation"}}
	case denied[0].by != nobodyDenies:
		return []Result{{
			"permissions", automation, Problem,
			fmt.Sprintf("%s may not pass it to Automation: %s denies iam:PassRole", p.account.RoleARN, denied[0].by),
			mendDenied(p.account.RoleARN, denied[0].by),
		}}
	}
	return []Result{
		{
			"permissions",
			automation,
			Problem,
			p.account.RoleARN + " may not pass it to Automation",
			fmt.Sprintf(
				`add to the policy of %s: {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "%s", "Condition": {"StringEquals": {"iam:PassedToService": "ssm.amazonaws.com"}}}`,
				p.account.RoleARN,
				automation,
			),
		},
	}
}
