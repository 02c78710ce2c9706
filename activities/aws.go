// Package activities holds every side effect of Patchtide. One activity is one intention that is safe to repeat
// (describe, act only if needed, confirm) or one wait that polls by retry. Activities see narrow AWS interfaces,
// declared here.
package activities

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/baselines"
	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// AWS holds the activities that touch one target account and region. Its methods are registered on that pair's queue.
type AWS struct {
	Connector aws.Connector
	// HTTP dials instances for HTTP checks `from: worker`.
	HTTP *http.Client
	// Secrets reads the CAs and headers of health checks from where the plan says; nil refuses checks that have any.
	Secrets aws.Secrets
	// ShortWait is how long a wait may poll inside one attempt; see once.Waits. In simulated time it is zero, which stands
	// still meanwhile.
	ShortWait time.Duration
	// Baselines gives patch baselines by name; nil is those that come with Patchtide.
	Baselines Baselines
	// Quarantines proves who is in quarantine.
	Quarantines aws.Quarantines
	// Manifests reads what waves have proved; nil refuses those that are bound by it.
	Manifests Manifests
	// Blocks answers which patches are blocked; nil: none are.
	Blocks Blocks
	// Speed is how much faster than the wall AWS's clock runs; 0 is 1. Only the laboratory sets it: intervals of a scaled
	// plan that are told to AWS, or measured by its clock, are multiplied by it again.
	Speed float64

	proven sync.Map // "account/region" whose credentials are known to lead there
}

// Baselines gives patch baselines by name.
type Baselines interface {
	Load(name string) (baselines.Baseline, error)
}

func (a *AWS) waits() once.Waits { return once.Waits{ShortWait: a.ShortWait, Speed: a.speed()} }

// connect gives the clients of a group's account and region, once it is proven that they lead to that account: a worker
// with another account's credentials would find other instances by the same tags.
func (a *AWS) connect(ctx context.Context, group patch.Group) (*aws.Services, error) {
	where := group.Account.Name + "/" + group.Region
	connected, err := a.Connector.Connect(ctx, group.Account, group.Region)
	if err != nil {
		// An account that this worker does not know may be known to the next one, after a change of configuration: final
		// going forward, but a reason to wait for what must be put back.
		return nil, temporal.NewApplicationErrorWithCause("connect to "+where+": "+err.Error(), ErrRejected, err)
	}
	ours := *connected
	ours.Quarantines = a.Quarantines
	services := &ours
	place := group.Account.ID + "/" + group.Region
	if _, known := a.proven.Load(place); known {
		return services, nil
	}
	caller, err := services.STS.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return nil, aws.Wrap("ask whose credentials these are", where, err)
	}
	if found := aws.Deref(caller.Account); found != group.Account.ID {
		return nil, temporal.NewApplicationError(fmt.Sprintf("%s: the credentials lead to account %s instead of %s; "+
			"correct the account's id or role_arn in the configuration",
			where, found, group.Account.ID), ErrRejected)
	}
	a.proven.Store(place, true)
	return services, nil
}

func (a *AWS) speed() aws.Speed { return aws.Speed(a.Speed) }
