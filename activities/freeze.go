package activities

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/converter"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// Freezes answers what is frozen now. An error means that nobody knows, which counts as frozen.
type Freezes interface {
	Freezes(ctx context.Context) (patch.Freezes, error)
}

// Querier is what freezes use of Temporal's client.
type Querier interface {
	QueryWorkflow(ctx context.Context, workflowID, runID, queryType string, args ...any) (converter.EncodedValue, error)
}

// NewFreezes asks the workflow that keeps the freezes.
func NewFreezes(client Querier) Freezes { return temporalFreezes{client} }

type temporalFreezes struct{ client Querier }

func (f temporalFreezes) Freezes(ctx context.Context) (patch.Freezes, error) {
	value, err := f.client.QueryWorkflow(ctx, names.FreezeID, "", names.QueryStatus)
	var missing *serviceerror.NotFound
	switch {
	case errors.As(err, &missing):
		return nil, fmt.Errorf("there is no workflow %s, which keeps the freezes; start it anew: patchtide unfreeze --reason WHY", names.FreezeID)
	case err != nil:
		return nil, fmt.Errorf("%s does not answer: %w", names.FreezeID, err)
	}
	var status patch.FreezeStatus
	if err := value.Get(&status); err != nil {
		return nil, fmt.Errorf("read the answer of %s: %w", names.FreezeID, err)
	}
	if status.Closed {
		return nil, fmt.Errorf("%s has ended, and with it what was frozen; start it anew: patchtide unfreeze --reason WHY, and freeze again what must be", names.FreezeID)
	}
	return status.Freezes, nil
}

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

// KnownAccounts lists the names of the configuration's accounts, so that a misspelt one freezes nothing in silence.
func (c *Control) KnownAccounts(context.Context) ([]string, error) {
	var known []string
	for _, place := range c.Plans.Places() {
		known = append(known, place.Account.Name)
	}
	slices.Sort(known)
	return slices.Compact(known), nil
}
