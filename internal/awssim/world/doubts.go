package world

import "slices"

// Doubt is a question about AWS that its texts leave open, by the other answer than the one believed: a world that has
// the doubt answers so. The product must be right either way, which a test sees to by having each of them in turn.
type Doubt string

// What AWS may do otherwise than believed.
const (
	// SendCommand refuses a command for all its instances when one's agent is silent. Believed: that one's invocation
	// waits for its agent. (InvalidInstanceId in the API reference of SendCommand: "SSM Agent isn't running".)
	DoubtSilentAgentRefused Doubt = "silent-agent-refused"
	// A cancelled command on a machine whose agent is silent stays Cancelling for ever. Believed: it ends with its
	// time-out. (The guide on command statuses names InProgress, Pending and Delayed only.)
	DoubtCancellingStays Doubt = "cancelling-stays"
	// DescribeTargetHealth tells the zone of instance targets, which RegisterTargets refuses to take back.
	DoubtZonesTold Doubt = "zones-told"
	// The document AWS-RunPatchBaseline has no parameter StepTimeoutSeconds, as in older regions.
	DoubtNoStepTimeout Doubt = "no-step-timeout"
	// CreatePatchBaseline answers a client token that was used before with the baseline of then, though it was deleted.
	DoubtTokensOutliveBaselines Doubt = "tokens-outlive-baselines"
	// The times of patch states are the node's clock, which is wrong by minutes. Believed: they are AWS's.
	DoubtNodesClock Doubt = "nodes-clock"
	// Detaching a member that is in Standby has the group terminate another one. (The guide on detaching: "may cause
	// other instances to terminate unexpectedly".)
	DoubtDetachTerminates Doubt = "detach-terminates"
	// A command above its MaxErrors ends on instances whose agent has not taken it yet. Believed: on those only to which
	// MaxConcurrency had not let it.
	DoubtErrorsEndPending Doubt = "errors-end-pending"
	// A snapshot may not take the place of the root volume of an instance whose image has a product code. Believed: it
	// may. (The guide on replacing a root volume has product codes among what must match for an image, and says nothing
	// of them for a snapshot.)
	DoubtProductsNotRestored Doubt = "products-not-restored"
	// A root volume that was made of a snapshot is as fast as a new one. Believed: as fast as the one whose place it took.
	// (The guide on replacing a root volume names type, size and deletion on termination among what stays.)
	DoubtSpeedNotRestored Doubt = "speed-not-restored"
	// StartAutomationExecution refuses a client token that it has been sent before. Believed: it answers with the
	// execution of then. ("The token ... can't be reused": API reference.)
	DoubtTokensRefused Doubt = "tokens-refused"
	// Standby takes desired down, and back up, by one an instance in a group that counts in weights too. Believed: by the
	// instance's weight. (The API reference of EnterStandby: "by the number of instances", written before weights were.)
	DoubtStandbyCountsInstances Doubt = "standby-counts-instances"
)

// Doubts are all of them.
func Doubts() []Doubt {
	return []Doubt{
		DoubtSilentAgentRefused, DoubtCancellingStays, DoubtZonesTold, DoubtNoStepTimeout, DoubtTokensOutliveBaselines,
		DoubtNodesClock, DoubtDetachTerminates, DoubtErrorsEndPending, DoubtProductsNotRestored,
		DoubtSpeedNotRestored, DoubtTokensRefused, DoubtStandbyCountsInstances,
	}
}

// Has reports whether the world answers as the doubt says.
func (w *World) Has(doubt Doubt) bool { return slices.Contains(w.Scenario.Doubts, doubt) }
