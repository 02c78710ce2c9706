package main

import (
	"time"

	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/patch"
)

// The laboratory's window opens with the wave and is longer than any scenario takes, by the worker's clock: windows are
// hours of people, which no speed shortens.
const (
	labCutoff = 3 * time.Hour
	labWindow = 4 * time.Hour
)

// openWindow gives the configuration's plans a maintenance window that opens when a wave asks for its plan, so that a
// demo can run at any hour and yet passes the same gate as a wave in production.
type openWindow struct{ *config.Config }

// Window opens now.
func (w openWindow) Window(_ string, at time.Time) (*patch.Window, error) {
	opens := at.UTC()
	return &patch.Window{
		Opens: opens, Cutoff: opens.Add(labCutoff), Closes: opens.Add(labWindow),
		Of: "the laboratory, which opens one for each wave: the file has none, and no schedule starts it",
	}, nil
}
