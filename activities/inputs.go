package activities

import (
	"time"

	"github.com/patchtide/patchtide/internal/aws"

	"github.com/patchtide/patchtide/internal/patch"
)

// Attempt identifies one try of one step, so that what it makes in AWS can be found again after a lost reply.
type Attempt struct {
	WaveID string
	Token  string // UUIDv5 of wave, instance, step and the saga's try; made in the workflow
}

// Pace is how a wait looks: how often, and how long reads may lag.
type Pace struct {
	Poll    patch.Duration
	ReadLag patch.Duration
}

// Journal is the pointer that marks a resource as ours while we hold it: names.TagJournal on the resource.
type Journal struct {
	WaveID string
	Record string // key of the signed record in the evidence store
}

// ScanTicket is a scan under way.
type ScanTicket struct {
	CommandID  string
	SnapshotID string
	Started    time.Time // AWS's clock: the command's RequestedDateTime
}

// Instance names one instance of a group.
type Instance = aws.Instance
