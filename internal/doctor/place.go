package doctor

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/cloud"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/worker"
)

// place is one region of one account.
type place struct {
	*doctor
	account config.Account
	region  string
	first   bool // of the account's regions
}

func (p place) String() string { return p.account.Name + "/" + p.region }

// arn is the ARN of a resource of the account and region, in the partition that its role's ARN names.
func (p place) arn(service, resource string) string {
	partition := "aws"
	if role, err := arn.Parse(p.account.RoleARN); err == nil {
		partition = role.Partition
	}
	return arn.ARN{
		Partition: partition, Service: service, Region: p.region, AccountID: p.account.ID, Resource: resource,
	}.String()
}

// look looks at a place: the role first, since everything else is asked with it.
func (p place) look(ctx context.Context) []Result {
	caller, err := p.identity()
	if err != nil {
		return []Result{notAsked("role", p.String(), err)}
	}
	clients, result := p.enter(ctx, caller)
	results := []Result{result}
	if result.State != OK {
		return results
	}
	groups, resources := p.groups(ctx, clients)
	results = append(results, groups...)
	results = append(results, p.baselines(ctx, clients)...)
	if p.first {
		results = append(results, p.permissions(ctx, clients, resources)...)
	}
	if p.Deep {
		results = append(results, p.deep(ctx, clients)...)
	}
	return results
}

// enter assumes the account's role in the region.
func (p place) enter(ctx context.Context, caller string) (*cloud.Clients, Result) {
	result := Result{Check: "role", Where: p.String(), State: Problem}
	account, err := worker.CloudAccount(ctx, p.account, p.config())
	if err != nil {
		result.Says = "its external id cannot be read: " + reason(err)
		result.Mend = fmt.Sprintf(
			"set what external_id_from of the account %s names, on this machine and on every worker's", p.account.Name,
		)
		return nil, result
	}
	options := cloud.Options{Config: p.config(), Version: p.Version, Accounts: []cloud.Account{account}}
	clouds, err := cloud.New(options)
	if err != nil {
		result.Says = err.Error()
		return nil, result
	}
	clients, err := clouds.Connect(ctx, patch.Account{Name: p.account.Name, ID: p.account.ID}, p.region)
	if err != nil {
		result.Says = err.Error()
		return nil, result
	}
	who, err := clients.STS.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	switch {
	case isDenied(err):
		result.Says = fmt.Sprintf("%s may not be assumed: %s", p.account.RoleARN, reason(err))
		result.Mend = fmt.Sprintf(
			"in the role's trust policy let %s do sts:AssumeRole%s, and let the worker's own policy allow sts:AssumeRole on %s",
			caller, p.condition(), p.account.RoleARN,
		)
	case cloud.IsStranger(err):
		result.Says = fmt.Sprintf("%s knows no key of %s: %s", p.region, p.account.Name, reason(err))
		result.Mend = fmt.Sprintf(
			"enable the region %s in account %s (aws account enable-region --region-name %s), or leave it out of the plan",
			p.region, p.account.ID, p.region,
		)
	case err != nil:
		result.Says = fmt.Sprintf("%s does not answer: %s", p.account.RoleARN, reason(err))
		result.Mend = fmt.Sprintf(
			"see whether this machine reaches AWS in %s, and whether the region is enabled in the account", p.region,
		)
	case aws.ToString(who.Account) != p.account.ID:
		result.Says = fmt.Sprintf(
			"%s leads to account %s instead of %s", p.account.RoleARN, aws.ToString(who.Account), p.account.ID,
		)
		result.Mend = "correct id or role_arn of the account " + p.account.Name
	default:
		result.State, result.Says = OK, aws.ToString(who.Arn)
	}
	return clients, result
}

// condition is what the trust policy has to ask for.
func (p place) condition() string {
	if p.account.ExternalIDFrom == "" {
		return ""
	}
	return fmt.Sprintf(" where sts:ExternalId is the value in %s", p.account.ExternalIDFrom)
}
