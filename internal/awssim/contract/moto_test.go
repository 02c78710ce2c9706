package contract_test

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/contract"
)

// motoAccount is the account that every key belongs to there.
const motoAccount = "123456789012"

// motoDivergences are what this other implementation (5.2) does not do as AWS does; each is tried to diverge still.
var motoDivergences = map[string]string{
	"identities/a duration under 15 minutes is refused":          "durations are not checked",
	"identities/a role that does not exist is refused":           "any role may be assumed",
	"machines/terminated, it stays listed and cannot be started": "any instance may be started",

	"machines, refusals/a malformed instance id":        "ids have no form",
	"machines, refusals/an unknown image":               "unknown images are launched, with a warning",
	"machines, refusals/a tag of AWS's own":             "reserved tags are taken",
	"machines, refusals/pages are no smaller than five": "page sizes are not checked",

	"auto scaling, a group's life/it spreads them over its zones":                  byChance + "zones are drawn",
	"auto scaling, a group's life/its launches are in its history":                 "there is no history",
	"auto scaling, a group's life/a group with instances is deleted only by force": "force is not asked for",

	"auto scaling, refusals/a group that does not exist is not changed":         "HTTP 500",
	"auto scaling, refusals/a stranger has no health here":                      "EC2's error code",
	"auto scaling, refusals/a health that is none":                              "HTTP 500",
	"auto scaling, refusals/a group cannot want less than min or more than max": "sizes are not checked",
	"auto scaling, refusals/min cannot be over max":                             "sizes are not checked",
	"auto scaling, refusals/a group of a name in use":                           "the old group is overwritten",
	"auto scaling, standby/it stays Healthy and listed": "this call's health is spelt in " +
		"lower case",
	"auto scaling, standby/it cannot leave a second time":                                  "states are not checked",
	"auto scaling, standby/a stranger cannot enter":                                        "members are not checked",
	"auto scaling, standby/desired does not go over max on the way back":                   "sizes are not checked",
	"auto scaling, standby/desired does not go under min":                                  "sizes are not checked",
	"auto scaling, standby/it cannot enter a second time":                                  "states are not checked",
	"auto scaling, weights/it tells its policy and what each weighs":                       "instances tell no weight",
	"auto scaling, weights/standby takes desired down by the weight":                       "by one an instance",
	"auto scaling, weights/desired does not go under min by the next one's weight":         "sizes are not checked",
	"auto scaling, weights/it comes back with its weight":                                  "by one an instance",
	"auto scaling, weights/one that is terminated with decrement takes its weight with it": "by one an instance",
	"auto scaling, detach and attach/they show of the instance": "an instance's groups and its " +
		"interfaces' are kept apart",
	"auto scaling, detach and attach/nothing is attached above max":               "sizes are not checked",
	"auto scaling, detach and attach/a member is not attached again":              "members are not checked",
	"auto scaling, processes/it is replaced once the process resumes":             "health has no consequences",
	"auto scaling, processes/nothing is launched while Launch is suspended":       "suspending has no consequences",
	"auto scaling, processes/a process that does not exist":                       "names are not checked",
	"auto scaling, processes/a recurring action tells its rule and its next time": "next times are not worked out",

	"targets/an instance is registered by id and port": "one registration an " +
		"instance",
	"targets/an instance that does not exist":           "targets are not checked",
	"targets/without a load balancer it is unused":      "every target is healthy",
	"targets/one port is deregistered, the other stays": "ports are not told apart",
	"targets/an Auto Scaling group registers what it launches and takes out what stands by": "a standby instance stays " +
		"healthy in its target group",

	"alarms/a fresh alarm has no data":                 "alarms begin OK",
	"alarms/its actions are taken away and given back": "DisableAlarmActions is not there",
	"alarms/written again, it keeps its state":         "the state is lost",
	"alarms/an alarm follows its metric":               "metrics have no consequences",

	"patch baselines": "GetPatchBaseline is not there",
	"automation":      "there is no Automation",
}

// TestMotoKeepsTheContract shows that the expectations are not only the simulator's own.
func TestMotoKeepsTheContract(t *testing.T) {
	server, err := exec.LookPath("moto_server")
	if err != nil {
		t.Skip(
			"moto_server is not on PATH; it is an independent implementation of AWS to compare with (pip install " +
				"'moto[server]')",
		)
	}
	url := startMoto(t, server)
	endpoint := &contract.Endpoint{
		Name: "moto", QueryCloudWatch: true, PathStyleS3: true, Account: motoAccount, Type: "m5.large",
		Zones: []string{tokyo + "a", tokyo + "c"},
		Role:  "arn:aws:iam::" + motoAccount + ":role/patchtide", Prefix: "contract-",
		Config: aws.Config{
			Region: tokyo, BaseEndpoint: &url,
			// Its server may close a connection just as the next request is written to it, and nothing here is tried again.
			HTTPClient:  &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
			Credentials: credentials.NewStaticCredentialsProvider("made", "up", ""),
			Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
		},
		// there everything happens at once
		Patience: 30 * time.Second, Pass: func(context.Context, time.Duration) error { return nil },
	}
	clients := endpoint.Dial()
	images, err := clients.EC2.DescribeImages(context.Background(), &ec2.DescribeImagesInput{})
	require.NoError(t, err)
	require.NotEmpty(t, images.Images)
	vpcs, err := clients.EC2.DescribeVpcs(context.Background(), &ec2.DescribeVpcsInput{})
	require.NoError(t, err)
	endpoint.Image, endpoint.VPC = *images.Images[0].ImageId, *vpcs.Vpcs[0].VpcId
	play(t, endpoint, motoDivergences)
}

// startMoto runs the server on a free loopback port until the test ends.
func startMoto(t *testing.T, path string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	log, err := os.Create(filepath.Join(t.TempDir(), "moto.log"))
	require.NoError(t, err)
	command := exec.Command(path, "-H", "127.0.0.1", "-p", port)
	command.Stdout, command.Stderr = log, log
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		_ = command.Process.Kill() // it has nothing to finish
		_ = command.Wait()
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("moto_server said, at the end:\n%s", text[max(0, len(text)-4000):])
		}
		_ = log.Close()
	})
	require.Eventually(t, func() bool {
		connection, err := net.Dial("tcp", address)
		if err == nil {
			_ = connection.Close()
		}
		return err == nil
	}, time.Minute, 100*time.Millisecond, "moto_server does not listen on port "+strconv.Quote(port))
	return "http://" + address
}
