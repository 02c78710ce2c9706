package faultsweep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

const (
	aWebhook   = "webhook: {url_from: 'ssm:/hooks/url', secret_from: 'ssm:/hooks/key'}"
	webhookURL = "https://hooks.example.com/patchtide"

	// slowHook is the name of the hook that answers 202, and by another request that it has ended.
	slowHook = "warm-up"

	// webhooksPlan asks before and after the install; each hook has an undo.
	webhooksPlan = `    hooks:
      before_out: [{name: drain, timeout: 20m, ` + aWebhook + `, undo: {timeout: 20m, ` + aWebhook + `}}]
      after_install: [{name: ` + slowHook + `, timeout: 20m, ` + aWebhook + `, undo: {timeout: 20m, ` + aWebhook + `}}]
`
)

// webhooks is somebody's service, which hooks ask. Its requests are calls of the sweep as AWS's are: a change where
// something is posted, and a read where it is looked how that goes on.
type webhooks struct {
	scene  *wavetest.Scene
	decide func(awssim.CallInfo) awssim.Fault // under the simulator's lock; nil: nothing is in trouble
	asked  map[call]int
	done   map[string]patch.HookAbout   // by token: it does nothing twice for one
	ran    map[string][]patch.HookAbout // by instance and hook: what it did, in order
}

// listen has the scene's hooks ask the service.
func listen(scene *wavetest.Scene) {
	scene.AWS.HTTP = &http.Client{Transport: scene.Wire.Beside(&webhooks{
		scene: scene, asked: map[call]int{}, done: map[string]patch.HookAbout{}, ran: map[string][]patch.HookAbout{},
	})}
	kept := map[string]string{"ssm:/hooks/url": webhookURL, "ssm:/hooks/key": "secret"}
	scene.AWS.Secrets = func(_ context.Context, source string) (string, error) { return kept[source], nil }
}

// webhooksOf is the scene's service; nil where its hooks ask none.
func webhooksOf(scene *wavetest.Scene) *webhooks {
	if beside, is := scene.AWS.HTTP.Transport.(*wavetest.Beside); is {
		return beside.Next.(*webhooks)
	}
	return nil
}

// intercept has what becomes of each call decided, those of webhooks included.
func intercept(scene *wavetest.Scene, decide func(awssim.CallInfo) awssim.Fault) {
	scene.Sim.SetInterceptor(decide)
	if service := webhooksOf(scene); service != nil {
		service.decide = decide
	}
}

// RoundTrip answers a request, or loses it or its answer.
func (w *webhooks) RoundTrip(request *http.Request) (*http.Response, error) {
	var about patch.HookAbout
	operation := "Webhook"
	if request.Method == http.MethodGet {
		about, operation = w.done[strings.TrimPrefix(request.URL.Path, "/runs/")], "GetWebhook"
	} else if err := json.NewDecoder(request.Body).Decode(&about); err != nil {
		return nil, err
	}
	if about.Undo {
		operation = "Undo" + operation
	}
	var fault awssim.Fault
	w.scene.Sim.Inspect(func(now *world.World) {
		at := call{account: wavetest.Production, operation: operation, resource: about.Instance + " " + about.Hook}
		w.asked[at]++
		if w.decide != nil {
			fault = w.decide(awssim.CallInfo{
				Account: at.account, Region: wavetest.Tokyo, Operation: at.operation, Resource: at.resource,
				Ordinal: w.asked[at], Time: now.Now(),
			})
		}
		if before := fault.Kind != "" && fault.Kind != awssim.FaultLostReply && !fault.Effect; !before {
			w.act(about)
		}
	})
	answer := func(code int, header http.Header) (*http.Response, error) {
		return &http.Response{
			StatusCode: code, Body: io.NopCloser(strings.NewReader("said")), Header: header, Request: request,
		}, nil
	}
	switch {
	case fault.Kind == awssim.FaultTimeout, fault.Kind == awssim.FaultLostReply:
		return nil, errors.New("no answer")
	case fault.Kind == awssim.FaultThrottle:
		return answer(http.StatusTooManyRequests, nil)
	case fault.Kind == awssim.FaultError && fault.Code == deniedCall.Code:
		return answer(http.StatusForbidden, nil)
	case fault.Kind == awssim.FaultError:
		return answer(http.StatusServiceUnavailable, nil)
	case request.Method == http.MethodPost && about.Hook == slowHook:
		return answer(http.StatusAccepted, http.Header{"Location": {"/runs/" + about.Token}})
	}
	return answer(http.StatusOK, nil)
}

func (w *webhooks) act(about patch.HookAbout) {
	if _, twice := w.done[about.Token]; twice {
		return
	}
	w.done[about.Token] = about
	key := about.Instance + " " + about.Hook
	w.ran[key] = append(w.ran[key], about)
}

// wrong finds hooks that ran twice without an undo between, those that an instance is told as patched without, and
// those that are not undone of one that was put back. A person's roll back of what had been patched undoes none.
func (w *webhooks) wrong(result *patch.WaveResult, decided []patch.Verb) (found []string) {
	for key, ran := range w.ran {
		for i := range ran[1:] {
			if !ran[i].Undo && !ran[i+1].Undo {
				found = append(found, key+": the hook ran twice for one try")
			}
		}
	}
	if result == nil {
		return found
	}
	for _, told := range instancesOf(result) {
		for _, name := range []string{"drain", slowHook} {
			ran := w.ran[told.ID+" "+name]
			open := len(ran) > 0 && !ran[len(ran)-1].Undo
			// An undo that fails keeps nothing from being put back, and is told.
			undone := !open || strings.Contains(told.Reason, fmt.Sprintf("the undo of the %s hook %s ", ran[0].Point, name))
			switch told.Outcome {
			case patch.Patched:
				if !open && len(ran) > 0 {
					found = append(found, fmt.Sprintf("%s: said to be patched, and its hook %s is undone", told.ID, name))
				}
			case patch.RolledBack, patch.Failed, patch.NotStarted, patch.Skipped:
				if !undone && len(told.Stranded) == 0 && !told.StillPatched && !slices.Contains(decided, patch.RollBack) {
					found = append(found, fmt.Sprintf("%s: said to be %s, and its hook %s is not undone", told.ID, told.Outcome, name))
				}
			}
		}
	}
	return found
}

// What is done to hooks by hand, or told of instances and not so, is seen.
func TestSweepSeesHooksThatAreNotUndone(t *testing.T) {
	scene := sweepScene(t, "webhooks")
	result, err := scene.Run(workflows.WaveRequest{Plan: "web"})
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome)
	service := webhooksOf(scene)
	require.Len(t, service.ran, 12, "two of each instance")
	require.Empty(t, service.wrong(result, nil))
	told := &result.Stages[1].Groups[0].Instances[0]
	told.Outcome = patch.RolledBack
	require.Len(t, service.wrong(result, nil), 2)
	told.Outcome = patch.Patched
	key := told.ID + " drain"
	service.ran[key] = append(service.ran[key], patch.HookAbout{Token: "another"})
	require.Contains(t, strings.Join(service.wrong(result, nil), "\n"), "the hook ran twice for one try")
	service.ran[key] = append(service.ran[key], patch.HookAbout{Undo: true})
	require.Contains(t, strings.Join(service.wrong(result, nil), "\n"), "and its hook drain is undone")
}
