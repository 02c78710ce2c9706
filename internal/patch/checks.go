package patch

import "slices"

// Why a level leaves a check out, where several checks have the same reason.
const (
	inItsTurn      = "each instance is asked when its turn has come"
	beforeItsGroup = "its group was asked just before"
	beforeTheWave  = "asked before the wave, and nobody changes it while it runs"
	anyTime        = "putting back is allowed at any time"
	mayBeIll       = "it may be ill: that is why it is put back"
	byName         = "a person asks for this one, now"
	nothingNew     = "nothing is installed: it returns as it is"
	noneIsTaken    = "only what gives way leaves the group, if anything does"
)

// checks is the one table of what is asked before anything is changed, in order. A new check is a row here, a code in
// refusal.go, a case in the tests, and `go generate ./internal/patch` for docs/refusals.md.
//
//go:generate go test . -run ^TestTheRefusalsPageIsOfTheseChecks$ -update
var checks = slices.Concat(checksOfTime, checksOfGroup, checksOfInstance, checksOfOthers, checksOfMachine)

// checksOfTime ask whether anything may begin at all.
var checksOfTime = []Check{
	{
		Code: RefusedBlackout, Ends: true, Refuses: checkBlackout,
		When:     "it is one of the days of `blackout`, of the plan or of the whole configuration",
		WhatToDo: "start the wave once it is over; `patchtide schedule preview` tells what opens then",
		LeftOut:  map[Level]string{LevelPutBack: anyTime, LevelReturn: byName},
	},
	{
		Code: RefusedOutsideWindow, Ends: true, Refuses: checkWindowOpen,
		When: "the window is not open, or past its cutoff", WhatToDo: "start the wave inside the window",
		LeftOut: map[Level]string{LevelPutBack: anyTime, LevelReturn: byName},
	},
	{
		Code: RefusedWindowEnds, Ends: true, Refuses: checkWindowLasts,
		When: "patching an instance and, should that fail, putting it back may not end before the window's cutoff, by what " +
			"earlier waves took or the plan's `estimates`, with draining, slow start, the last period of metrics and, where " +
			"a snapshot restores the root volume, that snapshot and the volume's first reads. Where the bake alone outlasts " +
			"`estimates.patch`, " +
			"`timing.instance` and the bake stand for patching",
		WhatToDo: "start earlier, or widen the window",
		LeftOut:  map[Level]string{LevelPutBack: anyTime, LevelReturn: byName},
	},
	{
		Code: RefusedTooMany, Refuses: checkGroupCount,
		When: "a plan has more groups than a wave's history holds", WhatToDo: "split the plan",
		LeftOut: map[Level]string{
			LevelGroup: beforeTheWave, LevelInstance: beforeTheWave, LevelPutBack: beforeTheWave,
			LevelReturn: "it is about one group",
		},
	},
	{
		Code: RefusedTooLarge, Refuses: checkInstanceCount,
		When:     "a group has more instances than its results may have in what goes through Temporal at once",
		WhatToDo: "divide the group",
		LeftOut: map[Level]string{
			LevelInstance: beforeTheWave, LevelPutBack: anyTime, LevelReturn: anyTime,
		},
	},
	{
		Code: RefusedFrozen, Refuses: checkFreeze,
		When: "somebody froze the account or everything, or nobody knows whether. A wave under way waits instead",
		WhatToDo: "ask who and why; they take it back with `patchtide unfreeze --reason ...`, with `--account` where an account is, or somebody else lifts it for everybody with `--for-all`; then start the wave " +
			"again",
		LeftOut: map[Level]string{LevelPutBack: anyTime, LevelReturn: byName},
	},
}

// checksOfGroup are about a group as a whole: what is true of it keeps every instance of it from going out.
var checksOfGroup = []Check{
	{
		Code: RefusedNoInstances, Needs: NeedsState, Refuses: checkNotEmpty,
		When: "the group is empty, or no instance carries the tags", WhatToDo: "correct the plan",
		LeftOut: map[Level]string{
			LevelInstance: "an instance that is not listed is `NotInService`", LevelReturn: "what returns may be all there is",
		},
	},
	{
		Code: RefusedGroupMember, Needs: NeedsState, Refuses: checkNoMembers,
		When:     "tags found a member of an Auto Scaling group",
		WhatToDo: "name that group in the plan, or choose other tags",
		LeftOut: map[Level]string{
			LevelInstance: beforeItsGroup, LevelReturn: "only to an Auto Scaling group does one return so",
		},
	},
	{
		Code: RefusedDeletion, Needs: NeedsState, Refuses: checkNotDeleted,
		When: "the group is being deleted", WhatToDo: "remove it from the plan",
	},
	{
		Code: RefusedWeighted, Needs: NeedsState, Refuses: checkWeights,
		When: "the group counts weights, vCPUs or memory, and AWS does not tell what an instance weighs: of one that would " +
			"be launched (`capacity: surge`), of one that returns from quarantine, of a member of a type without a weight; or " +
			"it counts something else",
		WhatToDo: "`capacity: auto`, with desired above min by what the heaviest weighs; give each instance type a weight",
	},
	{
		Code: RefusedOperated, Needs: NeedsState, Refuses: checkOperator,
		When: "EKS, ECS, Elastic Beanstalk or another operator owns the group; EKS, Karpenter, EMR or another one operates " +
			"an instance that tags chose",
		WhatToDo: "patch it through that service, and choose other tags",
	},
	{
		Code: RefusedRefreshRunning, Needs: NeedsState, Refuses: checkRefresh,
		When: "an instance refresh runs or may yet roll back", WhatToDo: "wait, or cancel it",
	},
	{
		Code: RefusedTagSlot, Needs: NeedsState, Refuses: checkGroupTagSlot,
		When: "a group has no room for our one tag", WhatToDo: "remove a tag",
	},
	{
		Code: RefusedProcessSuspended, Siblings: true, Needs: NeedsState, Refuses: checkProcesses,
		When:     "Launch, Terminate, AddToLoadBalancer or HealthCheck is suspended, by whomever",
		WhatToDo: "find out who did and why, then resume it",
	},
	{
		Code: RefusedUnknownState, Needs: NeedsState, Refuses: checkLifecycles,
		When: "a member is in a lifecycle state that Patchtide does not know", WhatToDo: "wait until it has settled",
	},
	{
		Code: RefusedBalancer, Needs: NeedsState, Refuses: checkBalancers,
		When: "the group is attached to a Classic Load Balancer or to VPC Lattice, whose word on an instance is not read, " +
			"and no check of the plan asks the instance; or a member's address is a target of another network's target group, " +
			"or another managed node's as well",
		WhatToDo: "add an `http`, `https` or `command` check to the stage's health; take the address out of that target group",
		LeftOut: map[Level]string{
			LevelPutBack: mayBeIll, LevelReturn: nothingNew,
		},
	},
	{
		Code: RefusedCapacity, Needs: NeedsState, Refuses: checkStrategy,
		When: "with `capacity: decrement`, `max_unavailable` fewer would break the group's min; where the group counts " +
			"weights, its heaviest instance would",
		WhatToDo: "`capacity: auto` or `surge` where desired is at min; with weights, raise desired or lower min",
		LeftOut: map[Level]string{
			LevelInstance: "room was made by then, and who serves is counted instead", LevelReturn: noneIsTaken,
		},
	},
}

// checksOfInstance are about one instance and what its group keeps without it.
var checksOfInstance = []Check{
	{
		Code: RefusedNotInService, Needs: NeedsState | NeedsInstance, Refuses: checkInService,
		When: "the instance is gone, or not InService", WhatToDo: "bring it into service, or let the group replace it",
		LeftOut: map[Level]string{LevelWave: inItsTurn, LevelGroup: inItsTurn},
	},
	{
		Code: RefusedExcluded, Needs: NeedsState | NeedsInstance, Refuses: checkLeftOut,
		When:     "the instance got a tag since its group began that excludes it",
		WhatToDo: "retry, which leaves it as it is, or skip it",
		LeftOut: map[Level]string{
			LevelWave: "whoever is excluded is not taken", LevelGroup: "whoever is excluded is not taken",
			LevelPutBack: "what is patched already may be put back", LevelReturn: noneIsTaken,
		},
	},
	{
		Code: RefusedAgentOffline, Needs: NeedsState | NeedsInstance, Refuses: checkAgentOnline,
		When: "its SSM agent is not online", WhatToDo: "check agent, instance profile and route to the SSM endpoints",
		LeftOut: map[Level]string{LevelWave: inItsTurn, LevelGroup: inItsTurn, LevelPutBack: mayBeIll},
	},
	{
		Code: RefusedUnhealthyBefore, Needs: NeedsState | NeedsInstance, Refuses: checkHealthyBefore,
		When:     "Auto Scaling, EC2's status checks or a target group found it ill before we began",
		WhatToDo: "mend or replace it: Patchtide starts only from health",
		LeftOut:  map[Level]string{LevelWave: inItsTurn, LevelGroup: inItsTurn, LevelPutBack: mayBeIll},
	},
	{
		Code: RefusedTagSlot, Needs: NeedsState | NeedsInstance, Refuses: checkInstanceTagSlot,
		When: "an instance has none for our two: the mark, and one should it be quarantined", WhatToDo: "remove a tag",
		LeftOut: map[Level]string{LevelWave: inItsTurn, LevelGroup: inItsTurn},
	},
	{
		Code: RefusedCapacity, Waits: true, Siblings: true, Needs: NeedsState | NeedsInstance, Refuses: checkRoom,
		When:     "one fewer would break `max_unavailable` or min in the group. Waited for, up to `timing.in_service`",
		WhatToDo: "wait until it is healthy",
		LeftOut:  map[Level]string{LevelWave: inItsTurn, LevelGroup: inItsTurn},
	},
	{
		Code: RefusedLastInZone, Siblings: true, Needs: NeedsState | NeedsInstance, Refuses: checkLastInZone,
		When:     "it is the last healthy target of a zone, and cross-zone balancing is off",
		WhatToDo: "add an instance in that zone, or turn cross-zone balancing on",
		LeftOut:  map[Level]string{LevelWave: inItsTurn, LevelGroup: inItsTurn},
	},
	{
		Code: RefusedCapacity, Waits: true, Siblings: true, Needs: NeedsState | NeedsInstance, Refuses: checkTargetRoom,
		When:     "one fewer would break them in one of its target groups. Waited for likewise",
		WhatToDo: "wait until it is healthy",
		LeftOut:  map[Level]string{LevelWave: inItsTurn, LevelGroup: inItsTurn},
	},
	{
		Code: RefusedLifetime, Needs: NeedsState, Refuses: checkLifetime,
		When:     "Auto Scaling would replace a member for its age before we are done",
		WhatToDo: "let it be replaced first, or raise the maximum instance lifetime",
		LeftOut:  map[Level]string{LevelPutBack: anyTime, LevelReturn: byName},
	},
	{
		Code: RefusedNoRestore, Needs: NeedsState, Refuses: checkRootVolume,
		When:     "with `restore: root_volume`: no EBS root, bare metal, a Marketplace image",
		WhatToDo: "mend it, or `restore: replace` or `none`",
		LeftOut: map[Level]string{
			LevelGroup: inItsTurn, LevelPutBack: "its backup is looked at instead, which tells more", LevelReturn: nothingNew,
		},
	},
}

// checksOfOthers are about what others do to the group and its instances, and what they allow us.
var checksOfOthers = []Check{
	{
		Code: RefusedCalendar, Ends: true, Needs: NeedsAround, Refuses: checkCalendars,
		When:     "one of `change_calendars` is closed, closes before an instance would be done, or gave no answer",
		WhatToDo: "wait until it is open; correct its name, or allow `ssm:GetCalendarState`",
		LeftOut:  map[Level]string{LevelPutBack: anyTime, LevelReturn: byName},
	},
	{
		Code: RefusedStack, Needs: NeedsAround, Refuses: checkStacks,
		When:     "a CloudFormation stack of the group or of an instance, or its root stack, is `..._IN_PROGRESS`",
		WhatToDo: "wait until it has settled",
		LeftOut:  map[Level]string{LevelReturn: byName},
	},
	{
		Code: RefusedDeployment, Needs: NeedsAround, Refuses: checkDeployments,
		When: "a CodeDeploy deployment runs on an instance", WhatToDo: "wait, or stop it",
		LeftOut: map[Level]string{LevelGroup: inItsTurn, LevelReturn: byName},
	},
	{
		Code: RefusedDeployment, Needs: NeedsAround, Refuses: checkComingDeployments,
		When:     "one is about to begin anywhere in the account and region, which cannot tell yet where",
		WhatToDo: "wait, or stop it",
		LeftOut: map[Level]string{
			LevelGroup: inItsTurn, LevelReturn: byName,
			LevelPutBack: "it may be for others, and what was patched would stay so for its sake",
		},
	},
	{
		Code: RefusedStopAlarm, Needs: NeedsAround, Refuses: checkStopAlarms,
		When:     "an alarm with enabled actions stops, terminates, reboots or recovers the instance",
		WhatToDo: "disable its actions for the wave",
		LeftOut: map[Level]string{
			LevelGroup: inItsTurn, LevelReturn: nothingNew,
			LevelPutBack: "it was asked before it was patched, and would stay patched for the alarm's sake",
		},
	},
	{
		Code: RefusedOtherPatcher, Needs: NeedsAround, Refuses: checkPatchers,
		When: "a maintenance window that acts before we are done, or an association with a schedule, installs patches on " +
			"it. Scans do not count",
		WhatToDo: "take the instance out of it, or disable it",
		LeftOut: map[Level]string{
			LevelGroup: inItsTurn, LevelPutBack: "it would stay patched for the other patcher's sake", LevelReturn: nothingNew,
		},
	},
	{
		Code: RefusedPatchGroup, Needs: NeedsAround, Refuses: checkPatchGroup,
		When: "an instance lacks the tag `PatchGroup` (or `Patch Group`) with the `patch_group` of the plan's baseline, or " +
			"has both with different values, or another baseline has that patch group: Systems Manager would scan and install " +
			"by another baseline",
		WhatToDo: "tag the instances, and their Auto Scaling group for those to come; the refusal has the commands",
		LeftOut:  map[Level]string{LevelPutBack: "nothing is installed then", LevelReturn: nothingNew},
	},
	{
		Code: RefusedSystem, Needs: NeedsState | NeedsAround, Refuses: checkSystem,
		When: "an instance runs another operating system than the plan's baseline is for, or one that Patchtide does not " +
			"patch, by its agent's word",
		WhatToDo: "a plan for each system; README, Limits, lists those that it patches",
		LeftOut:  map[Level]string{LevelPutBack: "nothing is installed then", LevelReturn: nothingNew},
	},
	{
		Code: RefusedBlocked, Waits: true, Needs: NeedsAround, Refuses: checkBlocks,
		When: "nobody knows which patches are blocked, for the evidence that keeps them cannot be read or believed; an " +
			"instance waits for it, up to `timing.in_service`. Or more are blocked than the baseline can reject. Or an instance would get one that is, and its baseline cannot " +
			"keep it from it",
		WhatToDo: "see that the worker reaches its evidence store; `patchtide patch list` tells what is blocked, by whom and " +
			"why",
		LeftOut: map[Level]string{LevelPutBack: "nothing is installed then", LevelReturn: nothingNew},
	},
	{
		Code: RefusedNoRestore, Needs: NeedsAround, Refuses: checkVolumeKey,
		When: "a key of the root volume, or of the account's encryption by default, that is disabled, about to be deleted " +
			"or gone",
		WhatToDo: "mend it, or `restore: replace` or `none`",
		LeftOut:  map[Level]string{LevelGroup: inItsTurn, LevelReturn: nothingNew},
	},
	{
		Code: RefusedImage, Needs: NeedsAround, Refuses: checkRootImage,
		When: "with `method: image`: the image is not there, is not available or not shared with the account, its snapshot's " +
			"key may not be used, or AWS would not replace the instance's root volume by it: another architecture, " +
			"virtualization type, billing information or product code, a boot mode that it has not booted by, no ENA or " +
			"SR-IOV where it has that; it has NitroTPM; or something was blocked since the image was proven",
		WhatToDo: "start another wave with an image that fits; `method: packages` for what no image fits",
		LeftOut: map[Level]string{
			LevelPutBack: "its own root volume is put back", LevelReturn: nothingNew,
		},
	},
	{
		Code: RefusedAlarm, Needs: NeedsAround, Refuses: checkGateAlarms,
		Waits: true,
		When: "an alarm that is to judge the stage is not OK before a group of it, or before the next instance. That one " +
			"waits for it, up to `timing.in_service`",
		WhatToDo: "mend what it reports",
		LeftOut: map[Level]string{
			LevelWave:    "a stage may begin hours later: it is asked before each group",
			LevelPutBack: "one that rings is a reason to put back", LevelReturn: "its health checks judge once it is back",
		},
	},
	{
		Code: RefusedHook, Needs: NeedsAround, Refuses: checkHooks,
		When: "a document that a hook of the stage runs is not in the account and region, or is of another type; or a " +
			"function that one invokes is not, or may not be invoked",
		WhatToDo: "create it there, or correct its name in the plan's `hooks`, or let the account's role invoke the function",
		LeftOut: map[Level]string{
			LevelInstance: beforeItsGroup, LevelPutBack: "no hook keeps anything from being put back", LevelReturn: nothingNew,
		},
	},
	{
		Code: RefusedBake, Needs: NeedsAround, Refuses: checkBake,
		When: "the bake is shorter than an alarm of the stage needs to ring: period times evaluation periods, and a " +
			"minute",
		WhatToDo: "write a longer bake, or take the alarm out",
		LeftOut: map[Level]string{
			LevelInstance: beforeItsGroup, LevelPutBack: "what is put back is not baked",
			LevelReturn: "what returns is not baked",
		},
	},
}

// checksOfMachine ask the machine itself, by a fresh command.
var checksOfMachine = []Check{
	{
		Code: RefusedAgentOffline, Needs: NeedsInstance | NeedsMachine, Refuses: checkAnswer,
		When:     "its agent did not answer a fresh command",
		WhatToDo: "check agent, instance profile and route to the SSM endpoints",
		LeftOut: map[Level]string{
			LevelWave: inItsTurn, LevelGroup: inItsTurn, LevelPutBack: mayBeIll, LevelReturn: nothingNew,
		},
	},
	{
		Code: RefusedUnhealthyBefore, Needs: NeedsInstance | NeedsMachine, Refuses: checkPackagesWhole,
		When: "packages are installed by half, as dpkg tells it", WhatToDo: "`dpkg --configure -a` on the machine",
		LeftOut: map[Level]string{
			LevelWave: inItsTurn, LevelGroup: inItsTurn, LevelPutBack: mayBeIll, LevelReturn: nothingNew,
		},
	},
	{
		Code: RefusedUnhealthyBefore, Needs: NeedsInstance | NeedsMachine, Refuses: checkAnswersBefore,
		When: "an `http`, `https` or `command` check of the stage does not pass while the instance still serves: a wrong " +
			"port or path, plain HTTP where HTTPS is spoken, another name or CA, a command that exits with another code " +
			"than 0, or a machine without a tool to ask with",
		WhatToDo: "correct the check, or mend the instance",
		LeftOut: map[Level]string{
			LevelWave: inItsTurn, LevelGroup: inItsTurn, LevelPutBack: mayBeIll,
			LevelReturn: "its health checks judge once it is back",
		},
	},
	{
		Code: RefusedUnhealthyBefore, Needs: NeedsInstance | NeedsMachine, Refuses: checkMetricsBefore,
		When: "a `metric` check of the stage is not within what it wants while the instance still serves, or has too little " +
			"to be judged by in as much time as the bake takes: a dimension that no metric has, or too few requests",
		WhatToDo: "correct the check, ask for fewer requests, or write `missing: ok` in it",
		LeftOut: map[Level]string{
			LevelWave: inItsTurn, LevelGroup: inItsTurn, LevelPutBack: mayBeIll,
			LevelReturn: "what returns is not baked",
		},
	},
	{
		Code: RefusedNoRestore, Needs: NeedsInstance | NeedsMachine, Refuses: checkAllOnRoot,
		When:     "a system that is not all on the root's disk, or a machine that does not tell",
		WhatToDo: "mend it, or `restore: replace` or `none`",
		LeftOut: map[Level]string{
			LevelWave: inItsTurn, LevelGroup: inItsTurn, LevelPutBack: mayBeIll, LevelReturn: nothingNew,
		},
	},
	{
		Code: RefusedOtherPatcher, Needs: NeedsInstance | NeedsMachine, Refuses: checkPatchesItself,
		When:     "the machine itself does (unattended-upgrades, dnf-automatic, Windows Update), or does not tell",
		WhatToDo: "take the instance out of it, or disable it",
		LeftOut: map[Level]string{
			LevelWave: inItsTurn, LevelGroup: inItsTurn, LevelPutBack: mayBeIll, LevelReturn: nothingNew,
		},
	},
}
