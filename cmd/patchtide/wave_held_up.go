package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/patch"
)

// heldUpWait is how long a list waits for what the waves themselves have to say.
const heldUpWait = 3 * time.Second

// tellHeldUp adds to those that run whether they are paused or frozen, and whether they wait for somebody. One that
// nobody answers for waits where its state says so. It fails with what is not known of them, which may be that one
// waits.
func tellHeldUp(ctx context.Context, c console.Asker, waves []listed) error {
	ctx, stop := context.WithTimeout(ctx, heldUpWait)
	defer stop()
	var asking sync.WaitGroup
	statuses := make([]*patch.WaveStatus, len(waves))
	running := 0
	for i, wave := range waves {
		if wave.Closed != nil {
			continue
		}
		running++
		asking.Go(func() {
			if status, answers := console.Answer[patch.WaveStatus](ctx, c, wave.WaveID); answers {
				statuses[i] = &status
			}
		})
	}
	if running == 0 {
		return nil
	}
	var freezes patch.Freezes
	var unknown error
	asking.Go(func() { freezes, unknown = activities.NewFreezes(c).Freezes(ctx) })
	asking.Wait()
	silent := 0
	for i := range waves {
		switch {
		case waves[i].Closed != nil:
		case statuses[i] == nil:
			silent++
			waves[i].Waits = slices.Contains(askingStates, patch.WaveState(waves[i].State))
		default:
			waves[i].heldUp(*statuses[i], freezes)
		}
	}
	var lacking []error
	if silent > 0 {
		lacking = append(lacking, fmt.Errorf("%d of the waves that run did not say whether they are paused or frozen: a "+
			"worker must run to answer", silent))
	}
	if unknown != nil {
		lacking = append(lacking, fmt.Errorf("what is frozen is not known, which counts as frozen: %s", plain(unknown)))
	}
	return errors.Join(lacking...)
}

// askingStates are those in which a wave asks a person.
var askingStates = []patch.WaveState{
	patch.StateOnHold, patch.StatePaused, patch.StateAwaitingApproval, patch.StateParked,
}

// heldUp notes what keeps the wave from going on.
func (w *listed) heldUp(status patch.WaveStatus, freezes patch.Freezes) {
	w.Paused, w.Frozen = status.Paused(), len(freezes.Holding(status)) > 0
	w.Waits = status.Asks() || w.Paused || w.Frozen
}
