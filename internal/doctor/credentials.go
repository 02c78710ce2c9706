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

	paws "github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/worker"
)

// skewAllowed is how far a clock may be off. A mutation is refused when less than a third of its attempt is left by
// Temporal's clock (internal/cloud), and an attempt has a minute: ten seconds cost little of it, forty all. AWS tells
// whole seconds.
const skewAllowed = 10 * time.Second

// refusedFrom is how far off AWS may refuse a signature: "in most cases" a request has to reach it within five minutes
// of its time stamp (IAM User Guide, signing requests). Messages of some services tell of fifteen.
const refusedFrom = 5 * time.Minute

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

// unreachable is what is said where no answer of AWS's comes.
const unreachable = "AWS cannot be reached from here"

func (d *doctor) credentials(context.Context) []Result {
	caller, err := d.identity()
	switch why := paws.Unreachable(err); {
	case why != "":
		return []Result{{
			"credentials", "AWS", Problem, unreachable + ": " + why, worker.MendAWS(err),
		}}
	case err != nil:
		return []Result{{
			"credentials", "AWS", Problem, "the worker's own credentials do not work: " + reason(err), worker.MendAWS(err),
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

// notAsked is a look that needs an answer of AWS's, where whoever asks first has none.
func notAsked(check, where string, err error) Result {
	says := "not asked: the worker's own credentials do not work"
	if paws.Unreachable(err) != "" {
		says = "not asked: " + unreachable
	}
	return Result{check, where, Unknown, says, "see credentials"}
}

// clock judges how far another clock is ahead of this machine's.
func clock(whose string, ahead time.Duration) Result {
	off := ahead.Abs().Round(time.Second)
	if ahead.Abs() <= skewAllowed {
		return Result{Check: "clock", Where: whose, State: OK, Says: fmt.Sprintf("%s from this machine's", off)}
	}
	word := "behind"
	if ahead < 0 {
		word = "ahead of"
	}
	return Result{
		"clock", whose, Problem, fmt.Sprintf("this machine's clock is %s %s %s's: %s", off, word, whose, harm(whose, ahead)),
		"set this machine's clock by NTP: `chronyc makestep`, then see `chronyc tracking`",
	}
}

// harm is what a clock does that is off.
func harm(whose string, ahead time.Duration) string {
	switch {
	case whose == "AWS" && ahead.Abs() < refusedFrom:
		return "AWS may refuse every call from five minutes on"
	case whose == "AWS":
		return "AWS may refuse every call that is more than five minutes off"
	case ahead < 0:
		return "changes are held for too late, and are not sent to AWS"
	}
	return "a change may be sent to AWS after Temporal has given its attempt up"
}

// reason is what a person needs of an error of AWS.
func reason(err error) string { return paws.Reason(err) }

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
