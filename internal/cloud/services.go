package cloud

import (
	"context"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/patch"
)

// Activities gives the same clients by the narrow interfaces that Patchtide sees AWS through.
func (c *Cloud) Activities() aws.Connector { return connector{c, &aws.Absences{}} }

type connector struct {
	cloud    *Cloud
	absences *aws.Absences
}

// Connect returns the services of an account and region.
func (c connector) Connect(ctx context.Context, account patch.Account, region string) (*aws.Services, error) {
	clients, err := c.cloud.Connect(ctx, account, region)
	if err != nil {
		return nil, err
	}
	return &aws.Services{
		AutoScaling: clients.AutoScaling, EC2: clients.EC2, ELB: clients.ELB,
		SSM: clients.SSM, CloudWatch: clients.CloudWatch, STS: clients.STS,
		CloudFormation: clients.CloudFormation, CodeDeploy: clients.CodeDeploy, KMS: clients.KMS,
		Absences: c.absences,
	}, nil
}

// AutomationRole is the role that Automation assumes in the account.
func (c connector) AutomationRole(account patch.Account) string {
	return c.cloud.AutomationRole(account)
}
