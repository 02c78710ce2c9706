package instance_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/hook"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// receiver is somebody's endpoint for hooks.
type receiver struct {
	sync.Mutex
	answers func(about patch.HookAbout, nth int) (int, string)
	got     []patch.HookAbout
	asked   map[string]int // by token
	broken  []string       // what was wrong with requests
}

const hookURL, hookSecret = "https://hooks.example.com/T0123456789/patchtide", "s3cr3t-of-the-test"

func (r *receiver) RoundTrip(request *http.Request) (*http.Response, error) {
	r.Lock()
	defer r.Unlock()
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	var about patch.HookAbout
	if err := json.Unmarshal(body, &about); err != nil {
		return nil, err
	}
	at := request.Header.Get(hook.HeaderTime)
	stamp, _ := time.ParseDuration(at + "s")
	if hook.Sign(hookSecret, int64(stamp.Seconds()), body) != request.Header.Get(hook.HeaderSignature) {
		r.broken = append(r.broken, "the signature is wrong")
	}
	if request.Header.Get("Idempotency-Key") != about.Token || request.URL.String() != hookURL {
		r.broken = append(r.broken, "the key or the address is wrong")
	}
	if r.asked == nil {
		r.asked = map[string]int{}
	}
	r.asked[about.Token]++
	code, said := r.answers(about, r.asked[about.Token])
	if code == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	if r.asked[about.Token] == 1 || code/100 != 2 {
		r.got = append(r.got, about)
	}
	return &http.Response{
		StatusCode: code, Body: io.NopCloser(bytes.NewBufferString(said)), Header: http.Header{}, Request: request,
	}, nil
}

// listening is a scene whose hooks reach a receiver.
func listening(scene *wavetest.Scene, answers func(patch.HookAbout, int) (int, string)) *receiver {
	heard := &receiver{answers: answers}
	scene.AWS.HTTP = &http.Client{Transport: heard}
	scene.AWS.Secrets = secretsOf(map[string]string{"ssm:/hooks/url": hookURL, "ssm:/hooks/key": hookSecret})
	return heard
}

// secretsOf reads secrets by where they are kept.
func secretsOf(kept map[string]string) func(context.Context, string) (string, error) {
	return func(_ context.Context, source string) (string, error) { return kept[source], nil }
}

const aWebhook = "webhook: {url_from: 'ssm:/hooks/url', secret_from: 'ssm:/hooks/key'}"

// A webhook is asked with its token until it answers for good, and none of our secrets is told.
func TestWebhooksOfHooks(t *testing.T) {
	for _, c := range []struct {
		name    string
		answers func(patch.HookAbout, int) (int, string)
		ok      bool
		says    string
	}{
		{"a good answer", func(patch.HookAbout, int) (int, string) { return 200, "done" }, true, "done"},
		{
			"one that takes its time", func(_ patch.HookAbout, nth int) (int, string) {
				return map[bool]int{true: 202, false: 200}[nth < 4], "after a while"
			}, true, "after a while",
		},
		{
			"no answer, then a server's error, then a good one", func(_ patch.HookAbout, nth int) (int, string) {
				return []int{0, 503, 200}[min(nth-1, 2)], "well"
			}, true, "well",
		},
		{
			"a refusal, which tells our secret", func(patch.HookAbout, int) (int, string) {
				return 409, "not now: " + hookSecret + " " + hookURL
			}, false, "it answered 409: not now: [secret] [secret]",
		},
		{"one that never ends", func(patch.HookAbout, int) (int, string) { return 202, "" }, false, "did not end within 2m"},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := hooked(t, "healthy", "before_out: [{name: ask, timeout: 2m, "+aWebhook+"}]")
			heard := listening(scene, c.answers)
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Empty(t, heard.broken)
			touched := tried(result)
			if c.ok {
				require.Equal(t, patch.Succeeded, result.Outcome, "%s", result.Reason)
				require.Len(t, heard.asked, 4, "one token for each instance")
			} else {
				require.Len(t, touched, 1)
				require.Contains(t, touched[0].Reason, c.says)
				require.NotContains(t, touched[0].Reason, hookSecret)
			}
			var details patch.InstanceDetails
			require.NoError(t, scene.Store.GetInstance(t.Context(), result.WaveID, touched[0].ID, &details))
			if c.ok {
				require.Equal(t, c.says, details.Hooks[0].Output)
			}
			about := heard.got[0]
			require.Equal(t, patch.HookAbout{
				Version: 1, Token: about.Token, Point: patch.BeforeOut, Hook: "ask", Wave: result.WaveID, Plan: "web",
				Stage: "production", Group: "production/ap-northeast-1/web", Instance: touched[0].ID,
			}, about)
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}

// slowService answers 202 to whoever posts, and names where it may be seen how that goes on, which is over after some
// looks. It wants to be left alone for a while between them.
type slowService struct {
	sync.Mutex
	location string
	after    time.Duration
	looks    int // so many are answered 202; below 0: all
	ends     int // the status of what comes then
	now      func() time.Time

	posts, gets []time.Time
	broken      []string
}

func (s *slowService) RoundTrip(request *http.Request) (*http.Response, error) {
	s.Lock()
	defer s.Unlock()
	body := []byte{}
	if request.Body != nil {
		body, _ = io.ReadAll(request.Body)
	}
	stamp, _ := time.ParseDuration(request.Header.Get(hook.HeaderTime) + "s")
	if hook.Sign(hookSecret, int64(stamp.Seconds()), body) != request.Header.Get(hook.HeaderSignature) {
		s.broken = append(s.broken, "the signature of "+request.Method+" is wrong")
	}
	code := http.StatusAccepted
	switch request.Method {
	case http.MethodPost:
		s.posts = append(s.posts, s.now())
	default:
		if request.URL.String() != "https://hooks.example.com/runs/a-secret-run" {
			s.broken = append(s.broken, "it was looked at "+request.URL.String())
		}
		if s.gets = append(s.gets, s.now()); s.looks >= 0 && len(s.gets) > s.looks {
			code = s.ends
		}
	}
	header := http.Header{}
	if code == http.StatusAccepted && request.Method == http.MethodPost {
		header.Set("Location", s.location)
	}
	header.Set("Retry-After", strconv.Itoa(int(s.after.Seconds())))
	return &http.Response{
		StatusCode: code, Body: io.NopCloser(strings.NewReader("so it is")), Header: header, Request: request,
	}, nil
}

// A webhook that answers 202 and says where is looked at there, not asked again; when it wants to be left alone it is,
// and yet looked at before its time is over.
func TestAWebhookThatSaysWhereToLook(t *testing.T) {
	for _, c := range []struct {
		name           string
		service        *slowService
		result         patch.HookResult
		says           string
		looks          int
		apart, atLeast time.Duration
	}{
		{
			"it ends well", &slowService{location: "/runs/a-secret-run", looks: 2, ends: 200},
			patch.HookOK, "so it is", 3, 0, 0,
		},
		{
			"it fails", &slowService{location: "/runs/a-secret-run", looks: 1, ends: 410},
			patch.HookFailed, "it answered 410: so it is", 2, 0, 0,
		},
		{
			"it wants to be left alone",
			&slowService{location: "/runs/a-secret-run", looks: 2, ends: 200, after: 90 * time.Second},
			patch.HookOK, "so it is", 3, 90 * time.Second, 0,
		},
		{
			"it wants to be left alone for too long",
			&slowService{location: "/runs/a-secret-run", looks: 0, ends: 200, after: 24 * time.Hour},
			patch.HookOK, "so it is", 1, 8 * time.Minute, 0,
		},
		{
			"it never ends", &slowService{location: "/runs/a-secret-run", looks: -1},
			patch.HookTimedOut, "it goes on", 0, 0, 9 * time.Minute,
		},
		{
			"it names another host", &slowService{location: "https://elsewhere.example.com/runs/a-secret-run"},
			patch.HookFailed,
			"names an address of another host", 0, 0, 0,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := hooked(t, "healthy", "before_out: [{name: ask, timeout: 10m, on_failure: hold, "+aWebhook+"}]")
			service := c.service
			service.now = scene.Env.Now
			scene.AWS.HTTP = &http.Client{Transport: service}
			scene.AWS.Secrets = secretsOf(map[string]string{"ssm:/hooks/url": hookURL, "ssm:/hooks/key": hookSecret})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Empty(t, service.broken)
			first := tried(result)[0]
			ran := first.Hooks[0]
			require.Equal(t, c.result, ran.Result, "%s", ran.Why)
			require.NotContains(t, ran.Why+first.Reason, "a-secret-run")
			if c.result == patch.HookOK {
				require.Equal(t, patch.Succeeded, result.Outcome)
				require.Len(t, service.posts, 4, "each instance's once")
			} else {
				require.Contains(t, ran.Why, c.says)
				require.Len(t, service.posts, 1)
			}
			if c.looks > 0 {
				require.GreaterOrEqual(t, len(service.gets), c.looks)
			}
			if c.apart > 0 {
				before := append([]time.Time{service.posts[0]}, service.gets[:c.looks]...)
				for i := range c.looks {
					require.GreaterOrEqual(t, before[i+1].Sub(before[i]), c.apart)
				}
			}
			require.GreaterOrEqual(t, ran.Took.D(), c.atLeast)
			require.Equal(t, c.result == patch.HookTimedOut,
				strings.Contains(strings.Join(first.Notes, "\n"), "may run still: who was asked has not said that it ended"))
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}

// On Windows a script is PowerShell's.
func TestHooksOnWindows(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Fleet: patchTuesday(windowsPatch(cumulative, "SecurityUpdates", "")),
		Config: onWindows("    stages:\n",
			"    hooks: {before_snapshot: [{name: say, run: Write-Output stopped}]}\n    stages:\n"),
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%s", result.Reason)
	first := result.Stages[0].Groups[0].Instances[0]
	require.Equal(t, patch.HookOK, first.Hooks[0].Result)
	var details patch.InstanceDetails
	require.NoError(t, scene.Store.GetInstance(t.Context(), result.WaveID, first.ID, &details))
	require.Equal(t, "stopped", details.Hooks[0].Output)
	scene.Production(func(group *world.ScalingGroup) {
		for _, command := range group.Region.Commands() {
			if strings.HasPrefix(command.Comment, "patchtide hook ") {
				require.Equal(t, "AWS-RunPowerShellScript", command.Document)
			}
		}
	})
}
