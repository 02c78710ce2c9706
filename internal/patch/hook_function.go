package patch

import "strings"

// HookFunction is a function of Lambda.
type HookFunction struct {
	Function   string            `json:"function"`             // its name or ARN, with a version or an alias
	Parameters map[string]string `json:"parameters,omitempty"` // told to it beside what the hook is about
}

// Region is the one that the function's ARN names; "" where it is told by its name.
func (f HookFunction) Region() string {
	if parts := strings.Split(f.Function, ":"); strings.HasPrefix(f.Function, "arn:") && len(parts) > 3 {
		return parts[3]
	}
	return ""
}

// ByRegion are the hooks of the wave whose documents and functions are in an account, by their region. An undo is in
// its own hook's account and region, or in another: each is told by itself.
func (h Hooks) ByRegion(account string) map[string]Hooks {
	found := map[string]Hooks{}
	h.each(func(call *HookCall) {
		if call.Place != nil && call.Place.Account.ID == account {
			if found[call.Place.Region] == nil {
				found[call.Place.Region] = Hooks{}
			}
			found[call.Place.Region][BeforeWave] = append(found[call.Place.Region][BeforeWave], Hook{Call: *call})
		}
	})
	return found
}

// Functions are those of Lambda that hooks invoke, each once, sorted.
func (h Hooks) Functions() []string {
	return h.named(func(call HookCall) string {
		if call.Lambda == nil {
			return ""
		}
		return call.Lambda.Function
	})
}

// HookEvent is what a function is told: what a webhook is, and its own parameters.
type HookEvent struct {
	HookAbout
	Parameters map[string]string `json:"parameters,omitempty"`
}

// Event is what a function is told, with the variables in the places of its parameters.
func (f HookFunction) Event(about HookAbout) HookEvent {
	event := HookEvent{HookAbout: about}
	for name, value := range f.Parameters {
		if event.Parameters == nil {
			event.Parameters = map[string]string{}
		}
		event.Parameters[name] = about.Filled(value)
	}
	return event
}
