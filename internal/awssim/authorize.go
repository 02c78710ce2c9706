package awssim

import (
	"maps"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/services"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// actionBook records which IAM actions each account's callers needed, by account id and action.
type actionBook map[string]map[string]int

func (b actionBook) note(account, action string) {
	if b[account] == nil {
		b[account] = map[string]int{}
	}
	b[account][action]++
}

// ActionsUsed counts the IAM actions that calls in an account needed so far, refused ones included: what a policy for
// them would have to allow.
func (s *Sim) ActionsUsed(account string) map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.actions[account])
}

// allActions are the actions used in every account.
func (s *Sim) allActions() map[string]map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]map[string]int{}
	for account, actions := range s.actions {
		all[account] = maps.Clone(actions)
	}
	return all
}

// authorize asks the organisation's policy for the caller's account, then the policy of the caller's role; callers
// without one may do everything.
func (s *Sim) authorize(call api.Call, input any) error {
	asks := services.Needs(s.world, call, input)
	policy := s.world.Account(call.Account).Policy(world.RoleOf(call.Caller))
	noted := map[string]bool{}
	for _, ask := range asks {
		if !noted[ask.Action] {
			s.actions.note(call.Account, ask.Action)
			noted[ask.Action] = true
		}
	}
	control := s.world.Account(call.Account).ServiceControl()
	for _, ask := range asks {
		if control != nil {
			if verdict := control.Decide(ask); verdict != world.Allowed {
				return refusal(call, ask, verdict, "service control policy")
			}
		}
		if policy == nil {
			continue
		}
		verdict := policy.Decide(ask)
		if verdict == world.NotAllowed {
			verdict = s.world.Granted(world.Asker{Account: call.Account, Caller: call.Caller}, ask)
		}
		if verdict != world.Allowed {
			return refusal(call, ask, verdict, "identity-based policy")
		}
	}
	return nil
}
