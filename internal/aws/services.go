package aws

import (
	"context"

	"github.com/patchtide/patchtide/internal/patch"
)

// Services are the AWS clients of one account in one region.
type Services struct {
	AutoScaling AutoScalingAPI
	EC2         EC2API
	ELB         LoadBalancingAPI
	SSM         SSMAPI
	CloudWatch  CloudWatchAPI
	STS         STSAPI

	CloudFormation CloudFormationAPI
	CodeDeploy     CodeDeployAPI
	CloudTrail     CloudTrailAPI
	KMS            KMSAPI
	Lambda         LambdaAPI
	Images         ImageAPI
	Copies         ImageCopyAPI
	Parameters     ParameterAPI

	// Quarantines proves who is in quarantine; nil believes the tag where it has the right form.
	Quarantines Quarantines

	Absences *Absences // nil believes at once that what AWS does not list is gone
	// Unseen says that nobody has seen the group yet: one that is not listed has a wrong name, of which a person should
	// hear at once.
	Unseen bool
}

// Connector gives the clients of an account and region; it assumes roles, caches, and sends mutations once.
type Connector interface {
	Connect(ctx context.Context, account patch.Account, region string) (*Services, error)
	// AutomationRole is the role that Automation assumes in the account; "" runs it with the caller's permissions.
	AutomationRole(account patch.Account) string
}

// Instance names one instance of a group.
type Instance struct {
	Group patch.Group
	ID    string
}

// String names the instance as people write it: account/region/group/id.
func (i Instance) String() string { return i.Group.String() + "/" + i.ID }
