package contract_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/awssimtest"
	"github.com/patchtide/patchtide/internal/awssim/contract"
	"github.com/patchtide/patchtide/internal/awssim/contract/shapes"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// What the healthy scenario holds.
const (
	staging = "222233334444"
	tokyo   = "ap-northeast-1"
	role    = "arn:aws:iam::222233334444:role/patchtide"
	secret  = "patchtide-lab"
)

// simulator is one whose clock stands still until somebody lets time pass, with every reply checked.
type simulator struct {
	*awssim.Sim
	fleet     *awssimtest.Fleet
	clock     *clock
	transport *shapes.Transport
	region    *world.Region // of the staging account
}

func newSimulator(t *testing.T) *simulator {
	t.Helper()
	return newSimulatorOf(t, func(*world.Scenario) {})
}

// newSimulatorOf is newSimulator of a scenario that is changed before.
func newSimulatorOf(t *testing.T, change func(*world.Scenario)) *simulator {
	t.Helper()
	s := &simulator{clock: &clock{at: time.Date(2026, 11, 8, 2, 0, 0, 0, time.UTC)}}
	s.fleet = awssimtest.New(t, awssimtest.Options{
		Change: func(scenario *world.Scenario) { withOthers(scenario); change(scenario) }, Now: s.clock.now,
		// Who waits lets time pass.
		Wait: func(context.Context, time.Duration) error { s.clock.pass(time.Second); return nil },
		Between: func(next http.RoundTripper) http.RoundTripper {
			s.transport = checked(t, next)
			return s.transport
		},
	})
	s.Sim = s.fleet.Sim
	s.Inspect(func(w *world.World) { s.region = w.Account(staging).Region(tokyo) })
	return s
}

// withOthers adds a calendar and others who patch to the staging account, for the calls that tell of them.
func withOthers(scenario *world.Scenario) {
	for i, account := range scenario.Accounts {
		if account.ID != staging {
			continue
		}
		region := &scenario.Accounts[i].Regions[0]
		region.Calendars = []world.CalendarSpec{{Name: "freeze", State: "OPEN"}}
		region.Windows = []world.MaintenanceSpec{
			{Name: "theirs", Enabled: true, Schedule: "cron(0 2 ? * SUN *)", Duration: 3, Cutoff: 1},
		}
		region.Associations = []world.AssociationsSpec{
			{Name: "inventory", Document: "AWS-GatherSoftwareInventory", Schedule: "rate(1 day)"},
		}
	}
}

// config is a client's in the staging account.
func (s *simulator) config(t *testing.T) aws.Config {
	t.Helper()
	config := s.fleet.Config()
	config.BaseEndpoint = nil // the services' own names, by which a reply is told
	config.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	out, err := sts.NewFromConfig(config).AssumeRole(context.Background(), &sts.AssumeRoleInput{
		RoleArn: aws.String(role), RoleSessionName: aws.String("contract"), ExternalId: aws.String(secret),
		DurationSeconds: aws.Int32(12 * 3600),
	})
	require.NoError(t, err)
	config.Credentials = credentials.NewStaticCredentialsProvider(
		*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken,
	)
	return config
}

func (s *simulator) endpoint(t *testing.T) *contract.Endpoint {
	t.Helper()
	return &contract.Endpoint{
		Name: "simulator", Config: s.config(t), Account: staging, Image: s.region.Images()[0].ID, Type: "m7i.large",
		VPC:   s.region.VPC(),
		Zones: []string{tokyo + "a", tokyo + "c"}, Role: role, ExternalID: secret, Managed: s.region.Instances()[0].ID,
		Prefix: "contract-",
		Now:    s.clock.now,
		Pass:   func(_ context.Context, d time.Duration) error { s.clock.pass(d); return nil },
	}
}

func TestSimulatorKeepsTheContract(t *testing.T) {
	play(t, newSimulator(t).endpoint(t), nil)
}
