package contract

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/aws/smithy-go"
)

// Question is what AWS's texts leave open and Patchtide depends on, with the probe that answers it.
type Question struct {
	Name string // under which answers are kept; lower-case with hyphens
	Asks string
	// Believed is the answer that the simulated AWS gives unless it is told to doubt it.
	Believed string
	// Doubts are the answers of simulated AWSs that have a doubt, by its name (world.Doubt).
	Doubts map[string]string
	// Matters is what Patchtide does because of it.
	Matters string
	// Needs says what the endpoint lacks for this question; nil or "" means that it can be asked.
	Needs func(*Endpoint) string
	// Ask puts the question and returns AWS's answer: a few words which are the same in every account that behaves so,
	// without ids, times or names. An error means that there was no answer.
	Ask func(context.Context, *Clients) (string, error)
}

// Questions are all of them, in the order in which docs/first-account.md tells of them.
func Questions() []Question {
	return []Question{
		stepTimeout(), daysMissing(), daysGivenBack(), tokenOfDeleted(),
		silentAgent(), undelivered(), cancelOnDead(), cancelOnTerminated(), errorsEndPending(),
		stateClock(), oldSnapshot(),
		tagKeyLag(), tokenAgain(), commandOfStep(),
		detachStandby(), standbyOfWeight(), targetZone(),
		rootTwice(), rootStopping(), rootUnknown(), rootSpeed(), rootTags(), rootOfProduct(),
		keyOfService(),
	}
}

// Machines does on a machine what no call to AWS does.
type Machines interface {
	// Silence ends the agent of a machine, until it boots again.
	Silence(ctx context.Context, c *Clients, id string) error
	// PutClock puts a machine's clock wrong by so much.
	PutClock(ctx context.Context, c *Clients, id string, wrong time.Duration) error
}

// Put asks the question and undoes what was made for it; a failure to undo is told beside the answer.
func (q Question) Put(ctx context.Context, endpoint *Endpoint) (answer string, asked, undone error) {
	c := endpoint.Dial()
	func() {
		defer func() { // one question's mistake leaves nothing behind, and does not end the others
			if trouble := recover(); trouble != nil {
				asked = fmt.Errorf("a mistake in the question: %v", trouble)
			}
		}()
		answer, asked = q.Ask(ctx, c)
	}()
	if asked == nil {
		asked = anonymous(answer)
	}
	return answer, asked, c.CleanUp(context.WithoutCancel(ctx))
}

// private is what an answer that is handed on may not hold: ids, accounts, ARNs.
var private = regexp.MustCompile(`\b[a-z]+-[0-9a-f]{8,}\b|\b[0-9]{12}\b|\barn:|[0-9a-f]{8}-[0-9a-f]{4}-`)

func anonymous(answer string) error {
	if found := private.FindString(answer); found != "" {
		return fmt.Errorf("the answer names %s, which is an account's own: %s", found, answer)
	}
	return nil
}

// codeOf is AWS's code for a refusal, "accepted" for none. An error without a code is no answer.
func codeOf(err error) (string, error) {
	if err == nil {
		return "accepted", nil
	}
	if code := CodeOf(err); code != "" {
		return code, nil
	}
	return "", err
}

// CodeOf is AWS's code in an error, "" where there is none.
func CodeOf(err error) string {
	var failure smithy.APIError
	if errors.As(err, &failure) {
		return failure.ErrorCode()
	}
	return ""
}

// needsMachines is what questions need that have a machine with an agent launched.
func needsMachines(e *Endpoint) string {
	if e.Machines == nil {
		return "an instance profile for machines whose agents reach Systems Manager"
	}
	return ""
}
