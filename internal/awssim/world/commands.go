package world

type commands struct{}

// Invocation is a command on one instance.
type Invocation struct{}

func (r *Region) agentBack(*Instance) {}
