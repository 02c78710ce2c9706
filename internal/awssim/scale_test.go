package awssim

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
)

// What a big fleet is: so many accounts, each with one group of so many instances.
const (
	bigAccounts = 100
	bigGroup    = 100
)

// bigFleet is the healthy scenario's region, many times over.
func bigFleet(tb testing.TB) *world.Scenario {
	tb.Helper()
	scenario, err := world.LoadScenario("healthy")
	require.NoError(tb, err)
	pattern := scenario.Accounts[1] // production
	scenario.Accounts = nil
	for n := range bigAccounts {
		account := pattern
		account.ID, account.Name = fmt.Sprintf("%012d", 100000000000+n), fmt.Sprintf("production-%02d", n)
		region := pattern.Regions[0]
		group := region.Groups[0]
		group.Min, group.Desired, group.Max = bigGroup-10, bigGroup, bigGroup+10
		region.Groups = []world.GroupSpec{group}
		account.Regions = []world.RegionSpec{region}
		scenario.Accounts = append(scenario.Accounts, account)
	}
	return scenario
}

// benchmarkSession is a role's keys in an account.
func benchmarkSession(tb testing.TB, sim *Sim, scenario *world.Scenario, account string) (key, token string) {
	tb.Helper()
	config := aws.Config{
		Region:      tokyo,
		Credentials: credentials.NewStaticCredentialsProvider(scenario.Home.AccessKeyID, scenario.Home.SecretAccessKey, ""),
		HTTPClient:  &http.Client{Transport: RoundTripper(sim)},
	}
	out, err := sts.NewFromConfig(config).AssumeRole(context.Background(), &sts.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::" + account + ":role/patchtide"), RoleSessionName: aws.String("wave"),
		ExternalId:      aws.String("patchtide-lab"),
		DurationSeconds: aws.Int32(12 * 3600),
	})
	require.NoError(tb, err)
	return *out.Credentials.AccessKeyId, *out.Credentials.SessionToken
}

func liveHeap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func TestTenThousandInstancesInUnderAGiB(t *testing.T) {
	before := liveHeap()
	now := time.Date(2026, 11, 8, 2, 0, 0, 0, time.UTC)
	sim, err := New(Options{Scenario: bigFleet(t), Now: func() time.Time { return now }})
	require.NoError(t, err)
	instances := 0
	count := func(w *world.World) {
		instances = 0
		for _, account := range w.Accounts() {
			for _, region := range account.Regions() {
				instances += len(region.Instances())
			}
		}
	}
	sim.Inspect(count)
	require.Equal(t, bigAccounts*bigGroup, instances)
	now = now.Add(time.Hour) // every agent has reported, every target was checked
	page := httptest.NewRecorder()
	sim.ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/", nil))
	require.Equal(t, http.StatusOK, page.Code)
	require.Less(t, page.Body.Len(), 2<<20, "the page sums up what is too much to list")
	held := liveHeap() - before
	t.Logf(
		"%d instances in %d accounts: %d MiB live; the page has %d KiB", instances, bigAccounts, held>>20,
		page.Body.Len()>>10,
	)
	require.Less(t, held, uint64(1<<30))
	runtime.KeepAlive(sim)
}

// benchmarkCalls are what a worker asks most.
var benchmarkCalls = []struct{ service, body, target string }{
	{"autoscaling", "Action=DescribeAutoScalingInstances&Version=2011-01-01&InstanceIds.member.1=%s", ""},
	{"ec2", "Action=DescribeInstances&Version=2016-11-15&InstanceId.1=%s", ""},
	{"ec2", "Action=DescribeInstanceStatus&Version=2016-11-15&InstanceId.1=%s", ""},
	{"ssm", `{"InstanceIds":["%s"]}`, "AmazonSSM.DescribeInstancePatchStates"},
	{"ec2", "Action=CreateTags&Version=2016-11-15&ResourceId.1=%s&Tag.1.Key=Wave&Tag.1.Value=w1", ""},
}

// BenchmarkCalls answers calls on the big fleet, spread over its accounts; the metric is calls a second.
func BenchmarkCalls(b *testing.B) {
	start, calls := time.Date(2026, 11, 8, 2, 0, 0, 0, time.UTC), 0
	scenario := bigFleet(b)
	// Each call comes a while after the last, so that no quota runs dry.
	sim, err := New(Options{
		Scenario: scenario, Now: func() time.Time { return start.Add(time.Duration(calls) * 10 * time.Millisecond) },
		Wait: func(context.Context, time.Duration) error { return nil },
	})
	require.NoError(b, err)
	var ids, keys, tokens []string
	sim.Inspect(func(w *world.World) {
		for _, account := range w.Accounts()[1:] {
			ids = append(ids, account.Region(tokyo).Instances()[0].ID)
		}
	})
	for _, account := range scenario.Accounts {
		calls += 100
		key, token := benchmarkSession(b, sim, scenario, account.ID)
		keys, tokens = append(keys, key), append(tokens, token)
	}
	b.ResetTimer()
	began := time.Now()
	for b.Loop() {
		calls++
		n := calls % bigAccounts
		call := benchmarkCalls[calls%len(benchmarkCalls)]
		request := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(fmt.Sprintf(call.body, ids[n])))
		request.Header.Set(
			"Authorization",
			"AWS4-HMAC-SHA256 Credential="+keys[n]+
				"/20261108/"+tokyo+"/"+call.service+"/aws4_request, SignedHeaders=host, Signature=0",
		)
		request.Header.Set("X-Amz-Security-Token", tokens[n])
		if call.target != "" {
			request.Header.Set("X-Amz-Target", call.target)
		}
		reply := httptest.NewRecorder()
		sim.ServeHTTP(reply, request)
		if reply.Code != http.StatusOK {
			b.Fatalf("%s: %d %s", call.body, reply.Code, reply.Body)
		}
	}
	b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "calls/s")
}
