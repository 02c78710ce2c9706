package patch

import "slices"

// Processes of an Auto Scaling group that decisions depend on, by AWS's names.
const (
	ProcessLaunch      = "Launch"
	ProcessTerminate   = "Terminate"
	ProcessAZRebalance = "AZRebalance"
	// ProcessReplaceUnhealthy is the one that a group may not lack for hours. The others of OutProcesses stay suspended
	// for as long as the instance is out: a group that may rebalance its zones would terminate another for the one that
	// is on standby.
	ProcessReplaceUnhealthy = "ReplaceUnhealthy"
)

// OutProcesses are suspended while an instance is out: AZRebalance and InstanceRefresh would launch or terminate around
// it, ReplaceUnhealthy would terminate it while it comes back.
var OutProcesses = []string{ProcessAZRebalance, "InstanceRefresh", ProcessReplaceUnhealthy}

// RoomProcesses are suspended for as long as room stands that was launched for it, and before it is: what comes from a
// warm pool may stand in the zone of those that it stands for, and Auto Scaling would even the zones by terminating one
// of them. Not ReplaceUnhealthy: what is launched may be ill, and is replaced.
var RoomProcesses = []string{ProcessAZRebalance}

// mustRun are the processes without which we take nothing out: an instance could not come back, or its health would not
// be known.
var mustRun = []string{ProcessLaunch, ProcessTerminate, "AddToLoadBalancer", "HealthCheck"}

// Except are the processes that are not among others.
func Except(processes, others []string) []string {
	return slices.DeleteFunc(slices.Clone(processes), func(process string) bool {
		return slices.Contains(others, process)
	})
}
