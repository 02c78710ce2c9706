package once

// Attempt identifies one try of one step, so that what it makes in AWS can be found again after a lost reply.
type Attempt struct {
	WaveID string
	Token  string // UUIDv5 of wave, instance, step and the saga's try; made in the workflow
}
