// Package contract is what clients may expect of AWS in what Patchtide uses: scenarios, played by clients of the AWS
// SDK against any endpoint. The simulated AWS must keep all of it; an independent implementation and real AWS tell
// whether the expectations themselves are right.
package contract

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/schemas"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/transport/http/protocol/awsquery"
)

// Endpoint is an AWS, real or not, and what scenarios find there.
type Endpoint struct {
	Name   string // simulator, moto, aws
	Config aws.Config
	// QueryCloudWatch makes CloudWatch's client speak the older AWS Query protocol, for servers that know no other.
	QueryCloudWatch bool
	PathStyleS3     bool

	Account    string // 12 digits
	Image      string // AMI that may be launched
	Type       string // instance type it runs on
	VPC        string
	Zones      []string // two of the region's
	Role       string   // ARN of a role that may be assumed; empty: there is none
	ExternalID string   // which that role asks for; empty: none
	Managed    string   // id of an instance whose agent is online; empty: there is none

	// What questions need besides.
	Machines    Machines // nil: no machine with an agent may be launched
	Profile     string   // name of the instance profile of such machines; empty where they need none
	MarketImage string   // AMI with a product code; empty: there is none
	EC2Key      string   // ARN of a key whose policy lets the role use it by way of EC2 only; empty: there is none
	OldSnapshot string   // SnapshotId of a scan of Managed four days ago; empty: there was none
	CanSkipDays bool     // Pass takes days in no time

	// Prefix begins the name of everything a scenario makes; it tells runs apart.
	Prefix string
	// Patience is how long a scenario waits for something, in the endpoint's time; 0 is a quarter of an hour.
	Patience time.Duration
	// Now is the endpoint's clock; nil is the wall's.
	Now func() time.Time
	// Pass lets d of the endpoint's time go by.
	Pass func(ctx context.Context, d time.Duration) error
}

// Clients speak to one endpoint; each call is sent once.
type Clients struct {
	*Endpoint
	Scaling *autoscaling.Client
	Watch   *cloudwatch.Client
	EC2     *ec2.Client
	ELB     *elb.Client
	S3      *s3.Client
	SSM     *ssm.Client
	STS     *sts.Client
	KMS     *kms.Client
	undo    []func(context.Context) error
}

// Dial makes the clients of one scenario.
func (e *Endpoint) Dial() *Clients {
	return &Clients{
		Endpoint: e,
		Scaling:  autoscaling.NewFromConfig(e.Config), EC2: ec2.NewFromConfig(e.Config), ELB: elb.NewFromConfig(e.Config),
		SSM: ssm.NewFromConfig(e.Config), STS: sts.NewFromConfig(e.Config), KMS: kms.NewFromConfig(e.Config),
		S3: s3.NewFromConfig(e.Config, func(o *s3.Options) { o.UsePathStyle = e.PathStyleS3 }),
		Watch: cloudwatch.NewFromConfig(e.Config, func(o *cloudwatch.Options) {
			if e.QueryCloudWatch {
				o.Protocol = awsquery.New(schemas.GraniteServiceVersion20100801)
			}
		}),
	}
}

// Time is the endpoint's.
func (e *Endpoint) Time() time.Time {
	if e.Now == nil {
		return time.Now()
	}
	return e.Now()
}

// Scenario is one story of several steps, which build on each other.
type Scenario struct {
	Name string
	// Needs says what the endpoint lacks for this story; nil or "" means that it can be played.
	Needs func(*Endpoint) string
	Steps func(*Clients) []Step
}

// Step is one expectation. Names are unique in a scenario.
type Step struct {
	Name string
	Do   func(context.Context) error
}

// Scenarios are all of them.
func Scenarios() []Scenario {
	return []Scenario{
		identities(), machines(), machineErrors(), scalingLife(), scalingErrors(), standbyRules(), weights(),
		quarantines(), processes(), targets(), alarms(),
		objects(), parameters(), documents(), commands(), baselines(), automation(), messages(),
	}
}

// Later has something undone when the scenario is over, the last first.
func (c *Clients) Later(undo func(context.Context) error) { c.undo = append(c.undo, undo) }

// CleanUp undoes what the steps made; it goes on after errors.
func (c *Clients) CleanUp(ctx context.Context) error {
	var failed []error
	for n := len(c.undo) - 1; n >= 0; n-- {
		failed = append(failed, c.undo[n](ctx))
	}
	c.undo = nil
	return errors.Join(failed...)
}

// How long a scenario waits for something, in the endpoint's time, and how often it looks.
const (
	patience = 15 * time.Minute
	interval = 5 * time.Second
)

// eventually looks until look says that it is so. Why is what it still waits for.
func (c *Clients) eventually(ctx context.Context, look func() (done bool, why string, err error)) error {
	limit := cmp.Or(c.Patience, patience)
	for waited := time.Duration(0); ; waited += interval {
		done, why, err := look()
		if err != nil && waited < notListedYet && isNotFound(err) {
			done, why, err = false, err.Error(), nil
		}
		if done || err != nil {
			return err
		}
		if waited >= limit {
			return fmt.Errorf("after %s still: %s", limit, why)
		}
		if err := c.Pass(ctx, interval); err != nil {
			return err
		}
	}
}

// notListedYet is for how long what has just been made may not be found (EC2's guide on eventual consistency).
const notListedYet = time.Minute

func isNotFound(err error) bool {
	var failure smithy.APIError
	return errors.As(err, &failure) && strings.HasSuffix(failure.ErrorCode(), ".NotFound")
}

// refused checks that a call failed with one of these codes.
func refused(err error, codes ...string) error {
	var failure smithy.APIError
	if err == nil {
		return fmt.Errorf("it was accepted and should be refused with %v", codes)
	}
	if !errors.As(err, &failure) {
		return fmt.Errorf("want the code %v, got no reply: %w", codes, err)
	}
	for _, code := range codes {
		if failure.ErrorCode() == code {
			return nil
		}
	}
	return fmt.Errorf("want the code %v: %w", codes, err)
}

// same checks a value.
func same[T comparable](what string, want, got T) error {
	if want != got {
		return fmt.Errorf("%s is %v and should be %v", what, got, want)
	}
	return nil
}
