// Package simtest is awssimtest's fleet for tests of the product: in time that a test moves, reached by the product's
// own clients.
package simtest

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/awssimtest"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/cloud"
	"github.com/patchtide/patchtide/internal/patch"
)

// Tokyo is the region of every group of the scenarios.
const Tokyo = "ap-northeast-1"

// ExternalID is what the roles of the scenarios ask for.
const ExternalID = "patchtide-lab"

// Production is the Auto Scaling group of the healthy scenario, Staging its group chosen by tags.
var (
	Production = patch.Group{
		Account: patch.Account{Name: "production", ID: "111122223333"}, Region: Tokyo, AutoScalingGroup: "web",
	}
	Staging = patch.Group{
		Account: patch.Account{Name: "staging", ID: "222233334444"}, Region: Tokyo, Tags: map[string]string{"Role": "web"},
	}
)

// Options say what fleet is wanted.
type Options struct {
	Scenario string                // its name; "" is healthy
	Change   func(*world.Scenario) // changes the scenario before anything runs
	Now      func() time.Time      // AWS's clock; nil is one that stands still but for Pass
}

// Fleet is a simulated fleet in a test's own time.
type Fleet struct {
	*awssimtest.Fleet

	t   testing.TB
	mu  sync.Mutex
	now func() time.Time
}

// New makes a fleet.
func New(t testing.TB, options Options) *Fleet {
	t.Helper()
	f := &Fleet{t: t, now: options.Now}
	if f.now == nil {
		start := time.Date(2026, 11, 8, 2, 0, 0, 0, time.UTC)
		f.now = func() time.Time { return start }
	}
	f.Fleet = awssimtest.New(t, awssimtest.Options{Name: options.Scenario, Change: options.Change, Now: f.Clock})
	return f
}

// Clock is AWS's time.
func (f *Fleet) Clock() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now()
}

// SetClock lets AWS's time be another clock's from now on.
func (f *Fleet) SetClock(now func() time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = now
}

// Pass lets AWS's time pass.
func (f *Fleet) Pass(d time.Duration) {
	later := f.Clock().Add(d)
	f.SetClock(func() time.Time { return later })
}

// Connector gives the product's clients of the fleet's accounts.
func (f *Fleet) Connector() aws.Connector {
	f.t.Helper()
	account := func(of patch.Account) cloud.Account {
		role := "arn:aws:iam::" + of.ID + ":role/"
		return cloud.Account{
			Name: of.Name, ID: of.ID, RoleARN: role + "patchtide", ExternalID: ExternalID,
			AutomationRoleARN: role + "patchtide-automation",
		}
	}
	config := f.Config()
	config.BaseEndpoint, config.HTTPClient = nil, nil // the addresses of the real AWS
	clients, err := cloud.New(cloud.Options{
		Config: config, HTTP: f.HTTP, Accounts: []cloud.Account{account(Staging.Account), account(Production.Account)},
		Speed: 1e6, // in simulated time nobody may wait by the wall's clock
	})
	require.NoError(f.t, err)
	return clients.Activities()
}

// Services gives the product's clients of a group's account and region.
func (f *Fleet) Services(group patch.Group) *aws.Services {
	f.t.Helper()
	services, err := f.Connector().Connect(f.t.Context(), group.Account, group.Region)
	require.NoError(f.t, err)
	return services
}

// Instances lists the ids of an account's instances, sorted.
func (f *Fleet) Instances(account string) []string {
	var ids []string
	f.Inspect(func(w *world.World) {
		for _, instance := range w.Account(account).Region(Tokyo).Instances() {
			ids = append(ids, instance.ID)
		}
	})
	slices.Sort(ids)
	return ids
}

// Change lets somebody else change the production group.
func (f *Fleet) Change(do func(region *world.Region, group *world.ScalingGroup)) {
	f.t.Helper()
	f.Inspect(func(w *world.World) {
		region := w.Account(Production.Account.ID).Region(Tokyo)
		group, err := region.ScalingGroup(Production.AutoScalingGroup)
		require.NoError(f.t, err)
		do(region, group)
	})
}

// Calls counts the calls of an operation, refused ones included.
func (f *Fleet) Calls(operation string) int {
	return f.count(func(event awssim.Event) bool { return event.Operation == operation })
}

// Effects counts the calls of an operation that changed something.
func (f *Fleet) Effects(operation string) int {
	return f.count(func(event awssim.Event) bool { return event.Operation == operation && event.Effect })
}

func (f *Fleet) count(wanted func(awssim.Event) bool) (n int) {
	for _, event := range f.Events() {
		if wanted(event) {
			n++
		}
	}
	return n
}

// LoseFirst lets the first call of each operation take effect and lose its reply.
func (f *Fleet) LoseFirst(operations ...string) {
	lost := map[string]bool{}
	f.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		if slices.Contains(operations, call.Operation) && !lost[call.Operation] {
			lost[call.Operation] = true
			return awssim.Fault{Kind: awssim.FaultLostReply}
		}
		return awssim.Fault{}
	})
}
