package activities

import (
	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/once"
)

// Instance names one instance of a group.
type Instance = aws.Instance

// Journal is the pointer that marks a resource as ours while we hold it.
type Journal = aws.Journal

// QuarantinedInstance is what EC2 and Auto Scaling say of an instance that was taken out of its group.
type QuarantinedInstance = aws.Quarantined

// How a run ended; see journal.Ending.
const (
	RunUnknown   = journal.RunUnknown
	RunCompleted = journal.RunCompleted
	RunBroken    = journal.RunBroken
)

// Attempt identifies one try of one step, so that what it makes in AWS can be found again after a lost reply.
type Attempt = once.Attempt

// Pace is how a wait looks: how often, and how long reads may lag.
type Pace = once.Pace
