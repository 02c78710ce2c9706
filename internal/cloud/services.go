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
	services := clients.Services()
	services.Absences = c.absences
	return services, nil
}

// Services are the same clients by the narrow interfaces of internal/aws, which remember no absences.
func (c *Clients) Services() *aws.Services {
	return &aws.Services{
		AutoScaling: c.AutoScaling, EC2: c.EC2, ELB: c.ELB, SSM: c.SSM, CloudWatch: c.CloudWatch, STS: c.STS,
		CloudFormation: c.CloudFormation, CodeDeploy: c.CodeDeploy, KMS: c.KMS, Lambda: c.Lambda,
		CloudTrail: c.CloudTrail, Images: c.EC2, Copies: c.EC2, Parameters: c.SSM,
		Absences: &aws.Absences{},
	}
}

// AutomationRole is the role that Automation assumes in the account.
func (c connector) AutomationRole(account patch.Account) string {
	return c.cloud.AutomationRole(account)
}
