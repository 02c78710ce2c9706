package activities

import (
	"context"

	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// AskFreezeInput names accounts.
type AskFreezeInput struct {
	Accounts []string // their names
}

// Frozen tells why nothing may begin in one of them; "" when it may.
type Frozen struct {
	Why string
}

// AskFreeze asks whether somebody froze one of the accounts, or everything. No answer means frozen.
func (c *Control) AskFreeze(ctx context.Context, in AskFreezeInput) (*Frozen, error) {
	freezes, err := c.Freezes.Freezes(ctx)
	if err != nil {
		return &Frozen{Why: "nobody knows whether it is frozen, which counts as frozen: " + err.Error()}, nil
	}
	for _, account := range in.Accounts {
		if freeze := freezes.Of(account); freeze != nil {
			return &Frozen{Why: freeze.String()}, nil
		}
	}
	return &Frozen{}, nil
}

// AwaitThawInput names accounts.
type AwaitThawInput struct {
	Accounts []string
	Poll     patch.Duration
}

// AwaitThaw waits until none of the accounts is frozen.
func (c *Control) AwaitThaw(ctx context.Context, in AwaitThawInput) error {
	frozen, err := c.AskFreeze(ctx, AskFreezeInput{Accounts: in.Accounts})
	if err != nil || frozen.Why == "" {
		return err
	}
	return once.NotReady(in.Poll.D(), "%s", frozen.Why)
}
