package services

import (
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// registerIAM answers what a role may do. Source: SimulatePrincipalPolicy in IAM's API reference. How several resources
// are reported is unverified, so one at a time is modelled; what a policy's conditions would have to know is
// told as nothing (MissingContextValues).
func registerIAM(r *api.Registry, w *world.World) {
	api.Handle(
		r,
		"iam",
		"SimulatePrincipalPolicy",
		[]string{"PolicySourceArn", "ActionNames", "ResourceArns", "ContextEntries", "MaxItems", "Marker"},
		func(c api.Call, in *iam.SimulatePrincipalPolicyInput) (*iam.SimulatePrincipalPolicyOutput, error) {
			policy, err := policyOf(w, c, deref(in.PolicySourceArn))
			if err != nil {
				return nil, err
			}
			ask := world.Ask{Resource: "*", Context: map[string][]string{}}
			switch len(in.ResourceArns) {
			case 0:
			case 1:
				ask.Resource = in.ResourceArns[0]
			default:
				return nil, api.NotModelled("several ResourceArns of iam:SimulatePrincipalPolicy")
			}
			for _, entry := range in.ContextEntries {
				ask.Context[deref(entry.ContextKeyName)] = entry.ContextKeyValues
			}
			const mostItems = 1000
			actions, next, err := page(
				in.ActionNames, in.Marker, in.MaxItems, mostItems, api.Errorf("InvalidInput", "the marker is not one of ours"),
			)
			if err != nil {
				return nil, err
			}
			out := &iam.SimulatePrincipalPolicyOutput{IsTruncated: next != nil, Marker: next}
			for _, action := range actions {
				if service, name, ok := strings.Cut(action, ":"); !ok || service == "" || name == "" {
					return nil, api.Errorf("InvalidInput", "Invalid action: %s", action)
				}
				ask.Action = action
				result := types.EvaluationResult{
					EvalActionName: ref(action), EvalResourceName: ref(ask.Resource), EvalDecision: decision(policy, ask),
					MatchedStatements: matched(policy, ask, deref(in.PolicySourceArn)), MissingContextValues: []string{},
				}
				if control := w.Account(c.Account).ServiceControl(); control != nil {
					allows := control.Decide(ask) == world.Allowed
					result.OrganizationsDecisionDetail = &types.OrganizationsDecisionDetail{AllowedByOrganizations: allows}
					if !allows {
						result.EvalDecision, result.MatchedStatements = decision(control, ask), []types.Statement{}
					}
				}
				out.EvaluationResults = append(out.EvaluationResults, result)
			}
			return out, nil
		},
	)
}

// matched are the statements that decided. Which lines of the policy they are is not told.
func matched(policy *world.Policy, ask world.Ask, role string) []types.Statement {
	if decision(policy, ask) == types.PolicyEvaluationDecisionTypeImplicitDeny {
		return []types.Statement{}
	}
	name := role[strings.LastIndex(role, "/")+1:]
	return []types.Statement{
		{SourcePolicyId: ref("role_" + name + "_" + name), SourcePolicyType: types.PolicySourceTypeRole},
	}
}

// decision is a policy's verdict in IAM's words; a role without one may do everything here.
func decision(policy *world.Policy, ask world.Ask) types.PolicyEvaluationDecisionType {
	if policy == nil {
		return types.PolicyEvaluationDecisionTypeAllowed
	}
	switch policy.Decide(ask) {
	case world.Allowed:
		return types.PolicyEvaluationDecisionTypeAllowed
	case world.Denied:
		return types.PolicyEvaluationDecisionTypeExplicitDeny
	}
	return types.PolicyEvaluationDecisionTypeImplicitDeny
}

// policyOf finds a role of the caller's own account by its ARN.
func policyOf(w *world.World, c api.Call, arn string) (*world.Policy, error) {
	name, isRole := strings.CutPrefix(arn, "arn:aws:iam::"+c.Account+":role/")
	if !isRole {
		return nil, api.Errorf("InvalidInput", "Invalid Entity Arn: %s", arn)
	}
	account := w.Account(c.Account)
	for _, role := range account.Spec.Roles {
		if role.Name == name {
			return account.Policy(name), nil
		}
	}
	return nil, &api.Error{Code: "NoSuchEntity", Message: "Role " + name + " does not exist", Status: http.StatusNotFound}
}
