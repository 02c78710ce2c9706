package aws

import (
	"time"

	"github.com/patchtide/patchtide/internal/patch"
)

// Speed is how much faster than the wall AWS's clock runs; 0 is 1. Only the laboratory's is another: its plans are
// scaled down, and their intervals are multiplied by it again where they are told to AWS or measured by its clock.
type Speed float64

// OnAWS is an interval of a plan as AWS's clock counts it.
func (s Speed) OnAWS(interval patch.Duration) time.Duration {
	if s <= 0 {
		return interval.D()
	}
	return time.Duration(float64(interval) * float64(s))
}

// InPlan is an interval of AWS's clock as a plan counts it.
func (s Speed) InPlan(interval patch.Duration) patch.Duration {
	if s <= 0 {
		return interval
	}
	return patch.Duration(float64(interval) / float64(s))
}

// Seconds is an interval of a plan as AWS's clock counts it, in whole seconds, kept within what AWS takes.
func (s Speed) Seconds(interval patch.Duration, least, most int32) int32 {
	return int32(min(max(s.OnAWS(interval)/time.Second, time.Duration(least)), time.Duration(most)))
}
