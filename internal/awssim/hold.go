package awssim

import (
	"context"
	"errors"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// holdStep is how much of the wall's time passes between two looks at whether a call that is held can be answered.
const holdStep = 20 * time.Millisecond

// perform makes a call; one that AWS holds open, it holds. The lock is free meanwhile, so that other calls may bring
// what it waits for. Where the clock stands still until somebody moves it, nothing could come: the call is answered at
// once.
func (s *Sim) perform(ctx context.Context, operation *api.Operation, call api.Call, input any) (any, error) {
	asked := call.Time
	var notYet *api.NotYet
	for {
		if notYet == nil || !notYet.Settled {
			output, err := operation.Call(call, input)
			if !errors.As(err, &notYet) {
				return output, err
			}
		}
		if !call.Time.Before(asked.Add(notYet.Patience)) || !s.passed(ctx) {
			return notYet.Empty, nil
		}
		call.Time = s.world.Now()
	}
}

// passed lets some time go by without the lock; false when none did, or nobody waits for the reply any more.
func (s *Sim) passed(ctx context.Context) bool {
	before := s.now()
	s.mu.Unlock()
	err := s.wait(ctx, holdStep)
	s.mu.Lock()
	s.advance()
	return err == nil && ctx.Err() == nil && s.now().After(before)
}
