package world

import "github.com/patchtide/patchtide/internal/awssim/api"

// made is what a client token stands for.
type made struct {
	request string
	thing   any
}

// Once makes a thing, or returns the one that was made with the same client token; an empty token makes another each
// time. A token that comes again with another request is IdempotentParameterMismatch.
func Once[T any](r *Region, token, request string, do func() (T, error)) (T, error) {
	if before, ok := r.tokens[token]; ok && token != "" {
		thing, same := before.thing.(T)
		if before.request != request || !same {
			return thing, &api.Error{
				Code:    "IdempotentParameterMismatch",
				Message: "The client token you have provided is associated with a resource of other parameters: " + token,
			}
		}
		return thing, nil
	}
	thing, err := do()
	if err == nil && token != "" {
		if r.tokens == nil {
			r.tokens = map[string]made{}
		}
		r.tokens[token] = made{request, thing}
	}
	return thing, err
}
