package patch

import (
	"fmt"
	"slices"
)

// Refusal is a reason not to begin, or not to go on. It is an answer, not an accident: nothing was changed because of
// it.
type Refusal struct {
	Code     RefusalCode `json:"code"`
	Where    string      `json:"where"` // account/region/group, and the instance where it is about one
	What     string      `json:"what"`
	WhatToDo string      `json:"what_to_do"`
}

// RefusalCode names a kind of refusal; operators meet it in the runbook.
type RefusalCode string

// The refusals that step 0 and the capacity plan know. Each has a row in docs/refusals.md and a case in the tests of
// workflows; a test holds both to that.
const (
	RefusedTooMany          RefusalCode = "TooManyGroups"
	RefusedTooLarge         RefusalCode = "TooManyInstances"
	RefusedNoInstances      RefusalCode = "NoInstances"
	RefusedNotInService     RefusalCode = "NotInService"
	RefusedUnhealthyBefore  RefusalCode = "UnhealthyBefore"
	RefusedAgentOffline     RefusalCode = "AgentOffline"
	RefusedFrozen           RefusalCode = "Frozen"
	RefusedBlackout         RefusalCode = "Blackout"
	RefusedOutsideWindow    RefusalCode = "OutsideWindow"
	RefusedWindowEnds       RefusalCode = "WindowEndsTooSoon"
	RefusedCalendar         RefusalCode = "CalendarClosed"
	RefusedDeployment       RefusalCode = "DeploymentRunning"
	RefusedStack            RefusalCode = "StackUpdateRunning"
	RefusedRefreshRunning   RefusalCode = "InstanceRefreshRunning"
	RefusedProcessSuspended RefusalCode = "ProcessSuspended"
	RefusedCapacity         RefusalCode = "NoRoom"
	RefusedWeighted         RefusalCode = "WeightedCapacity"
	RefusedOperated         RefusalCode = "OperatedByService"
	RefusedDeletion         RefusalCode = "DeletionInProgress"
	RefusedUnknownState     RefusalCode = "UnknownState"
	RefusedNoRestore        RefusalCode = "RestoreNotPossible"
	RefusedGroupMember      RefusalCode = "MemberOfAutoScalingGroup"
	RefusedLastInZone       RefusalCode = "LastHealthyInZone"
	RefusedExcluded         RefusalCode = "Excluded"
	RefusedAlarm            RefusalCode = "AlarmNotOK"
	RefusedBake             RefusalCode = "BakeTooShort"
	RefusedStopAlarm        RefusalCode = "StoppedByAlarm"
	RefusedOtherPatcher     RefusalCode = "OtherPatcher"
	RefusedPatchGroup       RefusalCode = "NotInPatchGroup"
	RefusedSystem           RefusalCode = "OtherSystem"
	RefusedBalancer         RefusalCode = "LoadBalancerNotRead"
	RefusedTagSlot          RefusalCode = "NoFreeTagSlot"
	RefusedLifetime         RefusalCode = "InstanceLifetimeEnds"
	RefusedHook             RefusalCode = "HookNotThere"
	RefusedBlocked          RefusalCode = "BlockedPatch"
	RefusedImage            RefusalCode = "ImageDoesNotFit"
)

// first is the refusal that a wave stops at; a preview tells all of them.
func first(all []*Refusal) *Refusal {
	if len(all) == 0 {
		return nil
	}
	return all[0]
}

// Error names what, where and what to do.
func (r *Refusal) Error() string {
	return fmt.Sprintf("%s: %s: %s; %s", r.Code, r.Where, r.What, r.WhatToDo)
}

// otherVerdicts are why a wave, or a roll back, is let in by none of the checks: types of errors of workflows and
// activities, by which something that it was asked for is refused.
var otherVerdicts = []string{
	"InvalidInput", "UnknownWave", "GroupLocked", "ServiceLocked", "WaveRunning", "DataLoss", "NotRestorable",
	"UnsupportedEvidence",
}

// IsVerdict reports whether an error's type is a verdict of ours, by which a wave is refused before it has touched
// anything. With any other it failed: AWS, the evidence store or a worker kept it from being judged.
func IsVerdict(errorType string) bool {
	return slices.Contains(otherVerdicts, errorType) ||
		slices.ContainsFunc(Checks(), func(check Check) bool { return string(check.Code) == errorType })
}
