package doctor_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/awssimtest"
	"github.com/patchtide/patchtide/internal/awssim/contract/shapes"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/doctor"
	"github.com/patchtide/patchtide/internal/permissions"
)

const (
	production = "111122223333"
	staging    = "222233334444"
	tokyo      = "ap-northeast-1"
)

// scene is the example configuration on a simulated AWS, without Temporal unless a test dials one.
type scene struct {
	t     *testing.T
	aws   *awssim.Sim
	now   time.Duration // AWS's clock, from this machine's: it begins in the past, and look lets it come to
	ahead time.Duration // what is wrong with it
	key   string        // the worker's access key
	deep  bool          // look deeper
	text  string        // the configuration
	dial  func(context.Context) (doctor.Temporal, error)
	cut   error // why no request reaches AWS; nil: all do
	ctx   context.Context
}

// RoundTrip is the network between this machine and AWS.
func (b *scene) RoundTrip(request *http.Request) (*http.Response, error) {
	if b.cut != nil {
		return nil, b.cut
	}
	return awssim.RoundTripper(b.aws).RoundTrip(request)
}

func newScene(t *testing.T) *scene {
	t.Helper()
	return newSceneOf(t, nil)
}

// newSceneOf is newScene of a fleet that is changed before it is made.
func newSceneOf(t *testing.T, change func(*world.Scenario)) *scene {
	t.Helper()
	t.Setenv("PATCHTIDE_EXTERNAL_ID", "patchtide-lab")
	b := &scene{t: t, ctx: t.Context(), now: -10 * time.Minute}
	fleet := awssimtest.New(t, awssimtest.Options{Change: change, Now: func() time.Time { return time.Now().Add(b.now) }})
	b.aws, b.key = fleet.Sim, fleet.Scenario.Home.AccessKeyID
	folder := t.TempDir()
	keyFile := filepath.Join(folder, "journal.key")
	require.NoError(t, os.WriteFile(keyFile, []byte(strings.Repeat("k", 48)), 0o600))
	b.text = strings.NewReplacer(
		"./evidence", filepath.Join(folder, "evidence"), "file:journal.key", "file:"+keyFile,
	).Replace(string(config.Example()))
	b.dial = func(context.Context) (doctor.Temporal, error) {
		return doctor.Temporal{Address: "127.0.0.1:7233"}, errors.New("nobody answers there")
	}
	return b
}

func (b *scene) replace(old, with string) {
	b.t.Helper()
	require.Contains(b.t, b.text, old)
	b.text = strings.ReplaceAll(b.text, old, with)
}

func (b *scene) policy(text string) {
	b.t.Helper()
	policy, err := world.ParsePolicy(`{"Version": "2012-10-17", "Statement": [` + text + `]}`)
	require.NoError(b.t, err)
	b.aws.Inspect(func(w *world.World) { w.Account(production).SetPolicy("patchtide", policy) })
}

// organisation gives production a service control policy.
func (b *scene) organisation(text string) {
	b.t.Helper()
	policy, err := world.ParsePolicy(`{"Version": "2012-10-17", "Statement": [` + text + `]}`)
	require.NoError(b.t, err)
	b.aws.Inspect(func(w *world.World) { w.Account(production).SetServiceControl(policy) })
}

func (b *scene) look() doctor.Report {
	b.t.Helper()
	loaded, err := config.Parse("patchtide.yaml", []byte(b.text), nil)
	require.NoError(b.t, err)
	models, err := shapes.Default()
	require.NoError(b.t, err)
	b.now = b.ahead
	said := 0
	report := doctor.Look(b.ctx, doctor.Options{
		Config:  loaded,
		Now:     time.Now,
		Version: "test",
		Deep:    b.deep,
		Dial:    b.dial,
		AWS:     aws.Config{Region: tokyo, Credentials: credentials.NewStaticCredentialsProvider(b.key, "made-up", "")},
		HTTP: &http.Client{
			Transport: &shapes.Transport{
				Next:   b,
				Models: models,
				Report: func(reply shapes.Reply, problems []string) {
					b.t.Errorf(
						"%s %s: the reply is not as AWS describes it: %s", reply.Service, reply.Operation, strings.Join(problems, "; "),
					)
				},
			},
		},
		Progress: func(done, all int, _ string) {
			said++
			require.Equal(b.t, said, done)
			require.Equal(b.t, 5, all, "credentials, evidence, Temporal, two places")
		},
	})
	require.Equal(b.t, 5, said)
	return report
}

// findings are the results that are not ok, but for those of Temporal, which most tests do without.
func findings(report doctor.Report) (all []doctor.Result) {
	for _, result := range report.Results {
		if result.State != doctor.OK && result.Check != "temporal" {
			all = append(all, result)
		}
	}
	return all
}

// What was not looked at when a person ended it is not called a problem.
func TestALookThatIsCalledOffFindsNoProblem(t *testing.T) {
	b := newScene(t)
	ctx, callOff := context.WithCancel(t.Context())
	callOff()
	b.ctx, b.cut = ctx, context.Canceled
	report := b.look()
	require.True(t, report.OK)
	require.Len(t, report.Results, 5)
	for _, result := range report.Results {
		require.Equal(t, doctor.Unknown, result.State, "%+v", result)
		require.Equal(t, "called off before it was looked at", result.Says)
		require.Equal(t, "run patchtide doctor again", result.Mend)
	}
}

func TestAllOfAWSIsLookedAtWhereTemporalIsAway(t *testing.T) {
	b := newScene(t)
	report := b.look()
	require.Empty(t, findings(report))
	require.False(t, report.OK, "Temporal is away")
	var seen []string
	for _, result := range report.Results {
		seen = append(seen, result.Check+" "+result.Where)
		require.Equal(t, result.State == doctor.OK, result.Mend == "", "%+v", result)
	}
	for _, want := range []string{
		"credentials AWS", "clock AWS", "temporal 127.0.0.1:7233", "role staging/ap-northeast-1",
		"role production/ap-northeast-1",
		"agents staging/ap-northeast-1/Role=web", "agents production/ap-northeast-1/web",
		"baseline production/ap-northeast-1",
		"permissions production arn:aws:iam::111122223333:role/patchtide",
		"permissions arn:aws:iam::111122223333:role/patchtide-automation",
	} {
		require.Contains(t, seen, want)
	}
	for _, event := range b.aws.Events() {
		require.False(t, event.Effect && event.Operation != "AssumeRole", "%s changed something", event.Operation)
	}
}

// Where AWS cannot be reached that is said once, and nothing of credentials; what depends on it was not asked.
func TestAWSThatCannotBeReachedIsNoMatterOfCredentials(t *testing.T) {
	b := newScene(t)
	b.cut = &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{
		Err: "no such host", Name: "sts.ap-northeast-1.amazonaws.com", IsNotFound: true,
	}}
	at := strings.Index(b.text, "\nevidence: ") + 1
	b.replace(b.text[at:at+strings.Index(b.text[at:], "\n")], "evidence: s3://bucket/patchtide")
	at = strings.Index(b.text, "\njournal_key_from: ") + 1
	b.replace(b.text[at:at+strings.Index(b.text[at:], "\n")], "journal_key_from: ssm:/patchtide/journal-key")
	found := findings(b.look())
	require.Equal(t, doctor.Problem, found[0].State)
	require.Equal(t, "credentials", found[0].Check)
	require.Equal(t, `AWS cannot be reached from here: Post "https://sts.ap-northeast-1.amazonaws.com/": `+
		`dial tcp: lookup sts.ap-northeast-1.amazonaws.com: no such host`, found[0].Says)
	require.Contains(t, found[0].Mend, "HTTPS_PROXY")
	var checks []string
	for _, result := range found[1:] {
		checks = append(checks, result.Check)
		require.Equal(t, doctor.Unknown, result.State, "%+v", result)
		require.Equal(t, "not asked: AWS cannot be reached from here", result.Says)
		require.Equal(t, "see credentials", result.Mend)
	}
	require.Equal(t, []string{"journal key", "evidence", "role", "role"}, checks)
}

// allBut allows what a wave needs, but for some actions.
func allBut(missing ...string) string {
	allowed := []string{"iam:PassRole", "iam:SimulatePrincipalPolicy", "iam:GetRole", "sts:*"}
	allowed = append(allowed, permissions.Actions()...)
	allowed = slices.DeleteFunc(allowed, func(action string) bool { return slices.Contains(missing, action) })
	return `{"Effect": "Allow", "Resource": "*", "Action": ["` + strings.Join(allowed, `", "`) + `"]}`
}

// What `patchtide iam policy` prints is what doctor asks for, and nothing in it is idle there but what only some
// volumes need.
func TestThePrintedPolicyIsWhatIsAskedFor(t *testing.T) {
	const role = "arn:aws:iam::" + production + ":role/patchtide"
	statements := func(drop string) string {
		policy := permissions.Role{ARN: role, AutomationRole: role + "-automation"}.Policy()
		for i, statement := range policy.Statement {
			policy.Statement[i].Action = slices.DeleteFunc(
				statement.Action, func(action string) bool { return action == drop },
			)
		}
		policy.Statement = slices.DeleteFunc(
			policy.Statement, func(s permissions.Statement) bool { return len(s.Action) == 0 },
		)
		text, err := json.Marshal(policy.Statement)
		require.NoError(t, err)
		return strings.Trim(string(text), "[]")
	}
	b := newScene(t)
	b.policy(statements(""))
	require.Empty(t, findings(b.look()))
	for _, action := range []string{
		"ec2:CreateSnapshot", "ssm:SendCommand", "iam:PassRole", "iam:SimulatePrincipalPolicy",
	} {
		t.Run(action, func(t *testing.T) {
			b := newScene(t)
			b.policy(statements(action))
			found := findings(b.look())
			require.Len(t, found, 1)
			require.Contains(t, found[0].Says+found[0].Mend, action)
		})
	}
}
