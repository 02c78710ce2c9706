// Package awssimtest makes a simulated fleet for a test, and what the SDK's clients need to call it.
package awssimtest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// Options say which fleet it is. The zero value: the healthy scenario, by the wall's clock.
type Options struct {
	Name     string                // of a scenario that comes with the simulator; "" is healthy
	Scenario *world.Scenario       // instead of one by name
	Change   func(*world.Scenario) // before the fleet is made; nil: as it is
	Now      func() time.Time      // AWS's clock; nil: the wall's
	Wait     func(context.Context, time.Duration) error

	// Between is put between the clients and the simulator; nil: nothing.
	Between func(http.RoundTripper) http.RoundTripper
}

// Fleet is a simulated AWS, called in memory.
type Fleet struct {
	*awssim.Sim
	Scenario *world.Scenario
	HTTP     *http.Client
}

// TB is what a fleet needs of a test, so that a property test's can stand in for it.
type TB interface {
	require.TestingT
	Helper()
}

// region is that of every scenario's groups.
const region = "ap-northeast-1"

// New makes a fleet.
func New(t TB, options Options) *Fleet {
	t.Helper()
	scenario := options.Scenario
	if scenario == nil {
		name := options.Name
		if name == "" {
			name = "healthy"
		}
		loaded, err := world.LoadScenario(name)
		require.NoError(t, err)
		scenario = loaded
	}
	if options.Change != nil {
		options.Change(scenario)
	}
	sim, err := awssim.New(awssim.Options{Scenario: scenario, Now: options.Now, Wait: options.Wait})
	require.NoError(t, err)
	transport := awssim.RoundTripper(sim)
	if options.Between != nil {
		transport = options.Between(transport)
	}
	return &Fleet{Sim: sim, Scenario: scenario, HTTP: &http.Client{Transport: transport}}
}

// Config is a client's with the worker's own keys. A client that is not given the fleet's HTTP client gets nowhere.
func (f *Fleet) Config() aws.Config {
	home := f.Scenario.Home
	return aws.Config{
		Region: region, BaseEndpoint: aws.String("http://aws.invalid"), HTTPClient: f.HTTP,
		Credentials: credentials.NewStaticCredentialsProvider(home.AccessKeyID, home.SecretAccessKey, ""),
	}
}

// Serve answers on a port of this machine until the test ends, and points the SDK's default chain at it, by the
// environment alone.
func (f *Fleet) Serve(t *testing.T) {
	t.Helper()
	server := httptest.NewServer(f.Sim)
	t.Cleanup(server.Close)
	nowhere := filepath.Join(t.TempDir(), "none")
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL":            server.URL,
		"AWS_ACCESS_KEY_ID":           f.Scenario.Home.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY":       f.Scenario.Home.SecretAccessKey,
		"AWS_SESSION_TOKEN":           "",
		"AWS_PROFILE":                 "",
		"AWS_REGION":                  region,
		"AWS_CONFIG_FILE":             nowhere,
		"AWS_SHARED_CREDENTIALS_FILE": nowhere,
		"AWS_EC2_METADATA_DISABLED":   "true",
	} {
		t.Setenv(name, value)
	}
}
