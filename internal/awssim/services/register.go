// Package services holds what each AWS call means: it turns the SDK's inputs into methods of the world and the world's
// state into the SDK's outputs. It knows no HTTP, no quotas and no faults.
package services

import (
	"encoding/base64"
	"strconv"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// Register registers every operation that the simulator models.
func Register(r *api.Registry, w *world.World) {
	registerAutoScaling(r, w)
	registerLoadBalancing(r, w)
	registerCloudWatch(r, w)
	registerSTS(r, w)
	registerIAM(r, w)
	registerS3(r, w)
	registerEC2(r, w)
	registerSSM(r, w)
	registerCreation(r, w)
	registerStacks(r, w)
	registerRoles(r, w)
	registerDeployments(r, w)
	registerTrail(r, w)
	registerKeys(r, w)
	registerFunctions(r, w)
	messages := newMessageStore(w)
	registerSNS(r, messages)
	registerSQS(r, messages)
}

// regionOf is where a call acts.
func regionOf(w *world.World, call api.Call) *world.Region {
	return w.Account(call.Account).Region(call.Region)
}

// page cuts one page out of all. The token is the offset of the page in disguise; size 0 is the service's default,
// limit its maximum. A token that we did not hand out is badToken.
func page[T any](all []T, token *string, size *int32, limit int, badToken *api.Error) ([]T, *string, error) {
	start := 0
	if token != nil && *token != "" {
		text, err := base64.RawURLEncoding.DecodeString(*token)
		if err != nil {
			return nil, nil, badToken
		}
		if start, err = strconv.Atoi(string(text)); err != nil || start < 0 || start > len(all) {
			return nil, nil, badToken
		}
	}
	count := limit
	if size != nil && *size > 0 && int(*size) < limit {
		count = int(*size)
	}
	end := min(start+count, len(all))
	if end == len(all) {
		return all[start:end], nil, nil
	}
	next := base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(end)))
	return all[start:end], &next, nil
}

func ref[T any](value T) *T { return &value }

func deref[T any](pointer *T) T {
	if pointer == nil {
		var zero T
		return zero
	}
	return *pointer
}

// given returns nil for the zero value, so that a reply leaves it out.
func given(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func number(n int) *int32 { return ref(int32(n)) }
