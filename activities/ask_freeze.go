package activities

import (
	"context"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// AskFreezeInput names accounts.
type AskFreezeInput struct {
	Accounts []string // their names
	Owner    *RunOf   `json:",omitempty"` // whose word begins things there; nil: nobody's but the asker's own
}

// Frozen tells why nothing may begin in one of them; "" when it may.
type Frozen struct {
	Why   string
	Lift  string `json:",omitempty"` // the command that lifts it, or those of each with && between; "": nobody knows what there is to lift
	Ended bool   `json:",omitempty"` // the owner's run has closed: nothing may ever
}

// readingTakes is how many looks, a second apart, it may take until what is frozen has been read from the evidence,
// which is done once for each database of Temporal. Nobody has frozen anything as far as is known by then; later it
// counts so.
const readingTakes = 10

// AskFreeze asks whether somebody froze one of the accounts, or everything, and whether the owner goes on. No answer
// means frozen.
func (c *Control) AskFreeze(ctx context.Context, in AskFreezeInput) (*Frozen, error) {
	if in.Owner != nil {
		runs, err := c.runs(ctx, *in.Owner)
		switch {
		case err != nil:
			return &Frozen{Why: "nobody knows whether its wave goes on, which counts as frozen: " + err.Error()}, nil
		case !runs:
			return &Frozen{Ended: true, Why: "run " + in.Owner.RunID + " of " + in.Owner.WorkflowID + ", which began it, has " +
				"ended; was it reset or terminated?"}, nil
		}
	}
	freezes, err := c.Freezes.Freezes(ctx)
	if err != nil {
		return &Frozen{Why: "nobody knows whether it is frozen, which counts as frozen: " + err.Error()}, nil
	}
	reading := slices.IndexFunc(freezes, func(f patch.Freeze) bool { return f.Reading })
	if reading >= 0 && activity.GetInfo(ctx).Attempt <= readingTakes {
		return nil, once.NotReady(time.Second, "%s", freezes[reading].Reason)
	}
	var why, lift []string
	for _, freeze := range freezes { // whoever lifts one of two is not to be told of the other only then
		if freeze.Account == "" || slices.Contains(in.Accounts, freeze.Account) {
			why = append(why, freeze.String())
			if command := freeze.Lift(); !slices.Contains(lift, command) {
				lift = append(lift, command)
			}
		}
	}
	return &Frozen{Why: strings.Join(why, "; and "), Lift: strings.Join(lift, " && ")}, nil
}

// AwaitThawInput names accounts.
type AwaitThawInput struct {
	Accounts []string
	Poll     patch.Duration
	Told     string // why they are frozen, as people have been told
}

// AwaitThaw waits until none of the accounts is frozen, or for another reason than people have been told.
func (c *Control) AwaitThaw(ctx context.Context, in AwaitThawInput) error {
	frozen, err := c.AskFreeze(ctx, AskFreezeInput{Accounts: in.Accounts})
	another := frozen != nil && frozen.Lift != "" && frozen.Why != in.Told // that nobody can say passes by itself
	if err != nil || frozen.Why == "" || another {
		return err
	}
	return once.NotReady(in.Poll.D(), "%s", frozen.Why)
}
