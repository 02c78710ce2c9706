package doctor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// skewAllowed is how far a clock may be off. A mutation is refused when less than a third of its attempt is left by
// Temporal's clock (internal/cloud), and an attempt has a minute: ten seconds cost little of it, forty all. AWS tells
// whole seconds, and refuses signatures that are five minutes off.
const skewAllowed = 10 * time.Second

// config is the worker's own configuration of the SDK.
func (d *doctor) config() aws.Config {
	config := d.AWS.Copy()
	if d.HTTP != nil {
		config.HTTPClient = d.HTTP
	}
	if config.Region == "" {
		config.Region = d.Config.Accounts[0].Regions[0] // STS answers everywhere
	}
	return config
}

// ask asks AWS who we are, and reads its clock from the reply.
func (d *doctor) ask(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	out, err := sts.NewFromConfig(d.config()).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", err
	}
	server, told := awsmiddleware.GetServerTime(out.ResultMetadata)
	at, received := awsmiddleware.GetResponseAt(out.ResultMetadata)
	if told && received {
		d.skew, d.dated = server.Sub(at), true
	}
	return aws.ToString(out.Arn), nil
}

func (d *doctor) credentials(context.Context) []Result {
	caller, err := d.identity()
	if err != nil {
		return []Result{{
			"credentials", "AWS", Problem, "the worker's own credentials do not work: " + reason(err),
			"give this machine an instance or task role, or for a try `aws sso login` and AWS_PROFILE; no long-lived keys " +
				"are needed",
		}}
	}
	results := []Result{{Check: "credentials", Where: "AWS", State: OK, Says: "the worker is " + caller}}
	if !d.dated {
		return append(
			results,
			Result{"clock", "AWS", Unknown, "AWS's reply had no time in it", "see whether a proxy takes the Date header off"},
		)
	}
	return append(results, clock("AWS", d.skew))
}

// clock judges how far another clock is ahead of this machine's.
func clock(whose string, ahead time.Duration) Result {
	if ahead.Abs() <= skewAllowed {
		return Result{
			Check: "clock", Where: whose, State: OK, Says: fmt.Sprintf("%s from this machine's", ahead.Abs().Round(time.Second)),
		}
	}
	word := "behind"
	if ahead < 0 {
		word = "ahead of"
	}
	return Result{
		"clock", whose, Problem,
		fmt.Sprintf(
			"this machine's clock is %s %s %s's; ahead of Temporal's, changes are refused as too late, and AWS refuses every "+
				"call that is five minutes off",
			ahead.Abs().Round(time.Second), word, whose,
		),
		"keep time by NTP on this machine: `chronyc makestep`, then see `chronyc tracking`",
	}
}

// reason is what a person needs of an error of AWS: its code and message, without the SDK's way there.
func reason(err error) string {
	var refused smithy.APIError
	if errors.As(err, &refused) {
		return refused.ErrorCode() + ": " + refused.ErrorMessage()
	}
	return err.Error()
}

func hasCode(err error, codes ...string) bool {
	var refused smithy.APIError
	if !errors.As(err, &refused) {
		return false
	}
	for _, code := range codes {
		if refused.ErrorCode() == code {
			return true
		}
	}
	return false
}

// isDenied tells the services' words for "you may not".
func isDenied(err error) bool {
	return hasCode(err, "AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
}
