// Package cloud makes every AWS client of Patchtide in one place. Clients are asked for by account and region; they
// assume that account's role, are cached, keep the SDK's retries for reads, send a mutation exactly once and never
// late, and stay under the quotas that are too small to leave to chance. It knows no endpoints: the SDK's own settings
// decide them.
package cloud

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/patchtide/patchtide/internal/patch"
)

// Account is a target account and how it is entered. ExternalID is a value already read from where the configuration
// says.
type Account struct {
	ID                string // 12 digits
	Name              string
	RoleARN           string // "": the worker's own credentials, for an account it lives in
	ExternalID        string
	AutomationRoleARN string // what Automation assumes there; "": it acts with the role above
	SessionName       string // of the assumed role, as CloudTrail shows it; "": patchtide
}

// Options are what New needs.
type Options struct {
	// Config is the SDK's configuration, usually by config.LoadDefaultConfig. Its credentials are those of the worker.
	Config   aws.Config
	Accounts []Account
	// HTTP, when not nil, sends every request in place of Config's client.
	HTTP aws.HTTPClient
	// Speed multiplies client-side rates and divides the SDK's pauses between retries, for a laboratory whose AWS lives
	// that much faster. 0 is 1; the product never sets it.
	Speed float64
	// Version of Patchtide in the user agent.
	Version string
}

// Cloud gives clients by account and region. It is safe for concurrent use.
type Cloud struct {
	options  Options
	accounts map[string]Account

	mu    sync.Mutex
	cache map[place]*Clients
}

type place struct{ account, region string }

// Clients are those of one account in one region.
type Clients struct {
	Account     Account
	Region      string
	AutoScaling *autoscaling.Client
	EC2         *ec2.Client
	ELB         *elb.Client
	SSM         *ssm.Client
	CloudWatch  *cloudwatch.Client
	STS         *sts.Client

	CloudFormation *cloudformation.Client
	CodeDeploy     *codedeploy.Client
	CloudTrail     *cloudtrail.Client
	IAM            *iam.Client
	KMS            *kms.Client
	Lambda         *lambda.Client
	SNS            *sns.Client
}

// expiryMargin refreshes an assumed role's credentials before they expire, so that no call starts with dying ones.
const expiryMargin = time.Minute

// New checks that no account appears twice; it calls nothing.
func New(options Options) (*Cloud, error) {
	if options.Speed <= 0 {
		options.Speed = 1
	}
	if options.Version == "" {
		options.Version = "dev"
	}
	cloud := &Cloud{options: options, accounts: map[string]Account{}, cache: map[place]*Clients{}}
	for _, account := range options.Accounts {
		if other, twice := cloud.accounts[account.ID]; twice {
			return nil, fmt.Errorf(
				"account %s is configured twice, as %s and as %s; keep one of them", account.ID, other.Name, account.Name,
			)
		}
		if account.SessionName == "" {
			account.SessionName = "patchtide"
		}
		cloud.accounts[account.ID] = account
	}
	return cloud, nil
}

// Connect returns the clients of an account and region. It calls nothing yet: a role that may not be assumed shows with
// the first call, as that call's error.
func (c *Cloud) Connect(_ context.Context, account patch.Account, region string) (*Clients, error) {
	known, ok := c.accounts[account.ID]
	if !ok {
		return nil, fmt.Errorf(
			"account %s (%s) is not configured; this worker knows %s: add it under accounts", account.ID, account.Name,
			c.known(),
		)
	}
	if region == "" {
		return nil, fmt.Errorf("no region was named for account %s (%s)", account.ID, account.Name)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	at := place{account.ID, region}
	if clients, ok := c.cache[at]; ok {
		return clients, nil
	}
	clients := c.make(known, region)
	c.cache[at] = clients
	return clients, nil
}

// AutomationRole is the role that Automation assumes in the account; "" when none is configured.
func (c *Cloud) AutomationRole(account patch.Account) string {
	return c.accounts[account.ID].AutomationRoleARN
}

func (c *Cloud) known() string {
	names := make([]string, 0, len(c.accounts))
	for _, account := range c.accounts {
		names = append(names, fmt.Sprintf("%s (%s)", account.ID, account.Name))
	}
	if len(names) == 0 {
		return "none"
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func (c *Cloud) make(account Account, region string) *Clients {
	cfg := c.options.Config.Copy()
	cfg.Region = region
	if c.options.HTTP != nil {
		cfg.HTTPClient = c.options.HTTP
	}
	if c.options.Speed != 1 {
		cfg.Retryer = func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) { o.Backoff = hurried(c.options.Speed) })
		}
	}
	limits := newLimits(c.options.Speed)
	cfg.APIOptions = append(slices.Clone(cfg.APIOptions),
		awsmiddleware.AddUserAgentKeyValue("patchtide", c.options.Version), mutateOnce, limits.add, plainText)
	if account.RoleARN != "" {
		provider := roleOf(account, cfg, c.options.Config.Region)
		cache := aws.NewCredentialsCache(provider, func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = expiryMargin })
		cfg.Credentials = cache
		cfg.APIOptions = append(cfg.APIOptions, renew(cache))
	}
	return &Clients{
		Account: account, Region: region,
		AutoScaling: autoscaling.NewFromConfig(cfg),
		EC2:         ec2.NewFromConfig(cfg),
		ELB:         elb.NewFromConfig(cfg),
		SSM:         ssm.NewFromConfig(cfg),
		CloudWatch:  cloudwatch.NewFromConfig(cfg),
		STS:         sts.NewFromConfig(cfg),

		CloudFormation: cloudformation.NewFromConfig(cfg),
		CodeDeploy:     codedeploy.NewFromConfig(cfg),
		CloudTrail:     cloudtrail.NewFromConfig(cfg),
		IAM:            iam.NewFromConfig(cfg),
		KMS:            kms.NewFromConfig(cfg),
		Lambda:         lambda.NewFromConfig(cfg),
		SNS:            sns.NewFromConfig(cfg),
	}
}

// hurried is the SDK's pause between retries, divided.
func hurried(speed float64) retry.BackoffDelayerFunc {
	usual := retry.NewExponentialJitterBackoff(retry.DefaultMaxBackoff)
	return func(attempt int, err error) (time.Duration, error) {
		pause, problem := usual.BackoffDelay(attempt, err)
		return time.Duration(float64(pause) / speed), problem
	}
}
