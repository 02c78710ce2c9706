package activities

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// RaisedMaxInput names Auto Scaling groups and their max now.
type RaisedMaxInput struct {
	Groups []MaxNow
}

// MaxNow is a group and its max.
type MaxNow struct {
	Group patch.Group
	Max   int
}

// RaisedMax lists the groups whose max is as a wave was about to set it.
type RaisedMax struct {
	Raised []RaisedGroup // in the order asked
}

// RaisedGroup is one of them.
type RaisedGroup struct {
	Group     string
	WaveID    string
	MaxBefore int
	By        int // it was raised
	At        time.Time
}

// remembersRaise bounds how long a raise is asked about: whoever sets max to that number a month later means it.
const remembersRaise = 14 * 24 * time.Hour

// RaisedMax asks the journal which of the groups may still have a max that a wave raised. A record that cannot be
// trusted tells nothing.
func (c *Control) RaisedMax(ctx context.Context, in RaisedMaxInput) (*RaisedMax, error) {
	found := &RaisedMax{}
	for _, now := range in.Groups {
		record, err := c.Evidence.ReadJournal(ctx, names.RaisedMaxJournal, names.JournalRecord(now.Group, ""))
		var missing *evidence.NotFoundError
		var invalid *evidence.InvalidRecordError
		if errors.As(err, &missing) || errors.As(err, &invalid) {
			continue
		}
		if err != nil {
			return nil, evidenceError("read whether the max of "+now.Group.String()+" was raised", err)
		}
		var last raise
		if json.Unmarshal(record, &last) != nil || now.Max != last.MaxBefore+last.By {
			continue
		}
		found.Raised = append(
			found.Raised,
			RaisedGroup{
				Group: now.Group.AutoScalingGroup, WaveID: last.WaveID, MaxBefore: last.MaxBefore, By: last.By, At: last.At,
			},
		)
	}
	return found, nil
}

// Lately tells whether the raise is young enough to be asked about at t.
func (r RaisedGroup) Lately(t time.Time) bool { return t.Sub(r.At) < remembersRaise }
