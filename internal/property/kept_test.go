package property

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPropertyKept plays the scripts that once found a defect, and the one that PATCHTIDE_SCENE holds.
func TestPropertyKept(t *testing.T) {
	scripts := append([]keptScript{}, keptScripts...)
	if given := os.Getenv("PATCHTIDE_SCENE"); given != "" {
		scripts = []keptScript{{"given", given}}
	}
	for _, kept := range scripts {
		t.Run(kept.name, func(t *testing.T) {
			var s script
			decoder := json.NewDecoder(strings.NewReader(kept.script))
			decoder.DisallowUnknownFields()
			require.NoError(t, decoder.Decode(&s))
			found, seen := s.judge(t)
			require.True(t, seen.took || seen.parked, "the wave was refused before it began: it shows nothing")
			if len(found) > 0 {
				t.Error(s.failure(found))
			}
		})
	}
}

type keptScript struct{ name, script string }

// keptScripts are counterexamples, each as small as it would shrink, named for what was wrong.
var keptScripts = []keptScript{
	{
		"a retry of a node that had failed its bake called it patched, and nothing had watched it",
		`{"Nodes":{"Many":1},"Metric":{"Kind":"peers","Worse":true},"Groups":[{"Members":1,"Zones":1}],"Plan":{"Backup":"none","Restore":"none","Bake":480},"Decide":["retry","retry","retry"]}`,
	},
	{ // the checker's mistake: a wave that takes some zones was asked for nobody who waits in a warm pool
		"who waits in a warm pool is no part of a wave of some",
		`{"Groups":[{"Members":1,"Slack":1,"Warm":"Running"}],"Plan":{"Capacity":"decrement"},"Shape":{"Only":1}}`,
	},
	{ // the checker's mistake: it counted as out who was stopped before the wave, and is left
		"whom somebody has stopped before keeps nobody from being patched, though it is registered",
		`{"Staging":3,"Stopped":{"Many":2,"Starts":true,"Registered":true},"Groups":[{"Members":2}],"Plan":{}}`,
	},
	{ // the simulator's mistake: a start was no launch to it
		"room that came from a warm pool was waited for in vain",
		`{"Groups":[{"Members":2,"Warm":"Stopped"}],"Plan":{}}`,
	},
	{ // the checker's mistake: it did not see a raise that raises max with it
		"one launched for room serves in the place of one that somebody has stopped, and the next may go",
		`{"Groups":[{"Members":3,"Slack":2,"Zones":1,"Targets":"none","Suspended":["ReplaceUnhealthy","InstanceRefresh"]}],"Plan":{"MaxFailures":2,"MaxParallel":2,"Capacity":"surge","Backup":"none","Restore":"none","Bake":30,"Passes":1,"Reboot":"if_required"},"Shape":{"Steps":[{"To":2}],"Order":"zone","ZoneSoak":20,"After":70,"Blind":true},"Others":[{"At":{"On":"StartAutomationExecution","Nth":1,"Delay":45},"Do":"resume","Group":2,"Names":["AlarmNotification"]},{"At":{"On":"DeleteTags","Nth":1,"Delay":1},"Do":"stop","Group":1}]}`,
	},
	{
		"room could not be given back for hours, in which an instance was said to be under way that had ended",
		`{"Staging":1,"Groups":[{"Members":2,"Slack":2,"Zones":2,"Targets":"none","EC2Health":true,"Suspended":["ScheduledActions"]},{"Members":4,"Slack":2,"Headroom":2,"Zones":2,"OneZone":true,"EC2Health":true,"Suspended":["ScheduledActions"]}],"Plan":{"MaxFailures":1,"MaxUnavailable":2,"Service":true,"Approval":true,"Capacity":"surge","Restore":"none","Then":"skip","Bake":30,"Hooks":[{"Point":"before_install"},{"Point":"before_install","Undo":"hangs"},{"Point":"before_snapshot","Failure":"hold","Undo":"undoes"}]},"Shape":{"Steps":[{"To":150}]},"Faults":[{"Kind":"root_replace_detaches","Nth":1}],"Others":[{"At":{"On":"ExitStandby","Nth":2,"Delay":120},"Do":"raise min to desired","Group":1},{"At":{"On":"CreateOrUpdateTags","Nth":4},"Do":"swap the target group","Group":1}],"People":[{"At":{"On":"ExitStandby","Nth":3},"Verb":"abort","For":"another stage"}]}`,
	},
	{
		"somebody suspended a process between our look and our call, and we resumed it",
		`{"Groups":[{"Members":1,"Zones":1,"EC2Health":true}],"Patch":"breaks everything","Plan":{"Capacity":"surge","Then":"abort","Bake":30,"Break":90},` +
			`"Calls":[{"On":"CreateTags","Kind":"throttle","Times":4}],"Others":[{"At":{"On":"CreateTags","Nth":5},"Do":"suspend","Group":2,"Names":["ReplaceUnhealthy"]}],` +
			`"People":[{"At":{"On":"StartAutomationExecution"},"Verb":"pause","For":"the first hold"},{"At":{"On":"StartAutomationExecution","Nth":1,"Delay":1},"Verb":"resume"}]}`,
	},
	{
		"what a roll back took out was quarantined at the first denial of its new root volume, though it passed in minutes",
		`{"Groups":[{"Members":2,"Slack":1,"Headroom":1,"Zones":2,"Targets":"by hand","EC2Health":true},{"Members":5,"Slack":2,"Headroom":2,"Zones":2,` +
			`"Targets":"both","OneZone":true,"EC2Health":true,"Suspended":["ScheduledActions"]}],"Patch":"needs no reboot","Plan":{"MaxUnavailable":1,` +
			`"Bake":240,"Break":90},"Calls":[{"On":"CreateReplaceRootVolumeTask","Nth":1,"Kind":"denied","Times":2}],"People":[{"At":` +
			`{"On":"SetDesiredCapacity","Nth":3,"Delay":10},"Verb":"pause"}],"Decide":["roll_back wave"]}`,
	},
	{
		"one that was tried again, and refused again, in the very moment of the retry was held for forgotten",
		`{"Groups":[{"Members":1,"Slack":2,"Headroom":2,"Zones":2,"Targets":"by hand","OneZone":true}],"Patch":"needs no reboot",` +
			`"Plan":{"MaxParallel":2,"Approval":true,"Passes":1,"Cutoff":14,"Estimate":11},"Windows":[{"After":10,"For":71}],` +
			`"Decide":["retry","retry","late roll_back","late skip"]}`,
	},
	{
		"a retry that a roll back of the parked wave took back was held for forgotten",
		`{"Groups":[{"Members":3,"Slack":2,"Zones":1,"Targets":"by hand","EC2Health":true,"Suspended":["ScheduledActions"]}],"Patch":"needs no reboot",` +
			`"Plan":{"MaxFailures":1,"MaxParallel":2,"Approval":true,"Restore":"replace","Then":"abort","Bake":30,"Passes":1,"Cutoff":55,"Estimate":15,` +
			`"PutBack":15,"Patient":true},"Windows":[{"After":240,"For":45}],"ReadLag":5,"Calls":[{"On":"StartAutomationExecution","Nth":1,"Kind":"denied",` +
			`"Times":1}],"Decide":["late retry","roll_back","abort","abort"],"Parked":[{"Verb":"roll_back","After":5}]}`,
	},
	{
		"one that was refused for want of room, tried again and refused for the same reason, was held for forgotten",
		`{"Staging":3,"StagingZones":2,"Groups":[{"Members":3,"Slack":2,"Zones":2,"EC2Health":true}],"Patch":"breaks everything",` +
			`"Plan":{"MaxUnavailable":1,"Approval":true,"Capacity":"surge","Restore":"none","Then":"abort","Bake":30,"Passes":1,"Cutoff":200,"Break":90},` +
			`"ReadLag":5,"Decide":["skip","retry","retry","late skip"]}`,
	},
	{
		"somebody detached the target group in the moment between two of our calls, and those that were not deregistered " +
			"yet were measured as out of it for ever",
		`{"Groups":[{"Members":5,"Slack":1,"Zones":2},{"Members":4,"Slack":1,"Headroom":1,"Zones":2}],"Plan":{"MaxFailures":1,"MaxParallel":1,"Approval":true,"` +
			`Then":"skip","Bake":30,"Break":10},"ScalingLag":5,"ReadLag":5,"Calls":[{"On":"EnterStandby","Nth":1,"Kind":"error"}],"Faults":[{"Kind":"agent_silent",` +
			`"Nth":3}],"Others":[{"At":{"On":"ExitStandby","Nth":1,"Delay":900},"Do":"set our mark by hand"},{"At":{"On":"SuspendProcesses","Nth":3},"Do":"detach t` +
			`he target group"}]}`,
	},
	{
		"a retry that no other window followed was told by the wave and not by its instance, and was held for untold",
		`{"Groups":[{"Members":3,"Slack":2,"Zones":1,"Targets":"by hand","EC2Health":true,"Suspended":["ScheduledActions"]}],` +
			`"Plan":{"MaxFailures":1,"MaxParallel":2,"Approval":true,"Restore":"replace","Then":"abort","Bake":30,"Passes":1,"Cutoff":12,"Estimate":9,` +
			`"Patient":true},"Windows":[{"After":60,"For":69}],"Calls":[{"On":"StartAutomationExecution","Nth":1,"Kind":"denied","Times":1}],` +
			`"Decide":["late retry","roll_back","roll_back wave"]}`,
	},
	{
		"one that served by itself and that somebody attached while an instance was out was measured as out of service " +
			"until its new group's balancer found it healthy, though the group had never had it",
		`{"Staging":2,"Groups":[{"Members":1,"Headroom":2,"Zones":1,"EC2Health":true,"Suspended":["AZRebalance","ScheduledActions"]}],` +
			`"Plan":{"MaxFailures":2,"MaxParallel":2,"Backup":"none","Restore":"none","Then":"skip","Bake":30},"ScalingLag":5,"ReadLag":30,` +
			`"Others":[{"At":{"On":"StartAutomationExecution","Nth":2},"Do":"attach","Group":2}]}`,
	},
	{
		"the reply to the end of a surge was lost: EC2 told of it before Auto Scaling's list did, and what the list still " +
			"showed was taken for somebody else's",
		`{"Groups":[{"Members":5,"Slack":2,"Zones":2,"Targets":"by hand","OneZone":true}],"Plan":{"MaxFailures":2,"MaxParallel":1,"Service":true,` +
			`"Capacity":"surge","Backup":"none","Restore":"none","Break":10},"ScalingLag":5,"ReadLag":5,"Calls":[` +
			`{"On":"StartAutomationExecution","Nth":1,"Kind":"error","Times":1},{"On":"TerminateInstanceInAutoScalingGroup","Nth":1,"Kind":"lost_reply"},` +
			`{"On":"ResumeProcesses","Nth":3,"Kind":"error","Times":1}],"Decide":["retry"]}`,
	},
	{
		"one that somebody had put on standby with decrement was not counted as out, since desired went down with it",
		`{"Groups":[{"Members":4,"Slack":3,"Headroom":2}],"Plan":{"Capacity":"decrement"},"Others":[{"At":{"On":"ExitStandby"},"Do":"put on standby"}],"Decide":["skip"]}`,
	},
	{
		"one that somebody had taken out of its target group went out, which takes nothing away, and was counted beside itself",
		`{"Staging":1,"Groups":[{"Members":2,"Slack":2,"Zones":1,"EC2Health":true}],"Patch":"breaks production","Plan":{"MaxParallel":1,"Bake":30,"Passes":1},` +
			`"Others":[{"At":{"On":"ExitStandby","Delay":120},"Do":"scale in","Group":2},{"At":{"On":"EnterStandby"},"Do":"deregister","Group":2,"Instance":3}]}`,
	},
	{
		"somebody scaled the group to its max while an instance was out that then left for good: the end of the surge " +
			"left it one short",
		`{"Groups":[{"Members":1,"Headroom":1,"Zones":1}],"Patch":"breaks everything","Plan":{"MaxFailures":1,"Backup":"none","Restore":"replace","Bake":240},` +
			`"Faults":[{"Kind":"reboot_hangs","Times":-1}],"Others":[{"At":{"On":"StartAutomationExecution","Nth":1,"Delay":1},"Do":"scale out","By":1}]}`,
	},
	{
		"an instance that somebody registered in one more place was measured as out of service, although it served as before",
		`{"Groups":[{"Members":5,"Headroom":2}],"Plan":{"Bake":240},"Others":[{"At":{"On":"EnterStandby","Nth":3},"Do":"register elsewhere"}]}`,
	},
	{
		"a quarantined instance of a tag group was not counted as out when the next one went",
		`{"Staging":2,"Groups":[{"Members":1}],"Plan":{"Restore":"none"},"Faults":[{"Kind":"install_fails"}],"Decide":["retry"]}`,
	},
	{
		"room was made for an instance that had not left standby, and max stayed raised",
		`{"Groups":[{"Members":1}],"Plan":{},"Calls":[{"On":"ExitStandby","Kind":"denied"}]}`,
	},
	{
		"somebody scaled out by one while a surge waited for its raise of max to show, and was taken for the surge",
		`{"Groups":[{"Members":4,"Slack":2,"Zones":2}],"Plan":{"Capacity":"surge"},"ScalingLag":5,"Others":[{"At":{"On":"UpdateAutoScalingGroup","Delay":1},"Do":"scale out"}]}`,
	},
	{
		"a raise of max that reads did not show yet was taken for somebody else's, and stayed",
		`{"Groups":[{"Members":1}],"Plan":{},"ScalingLag":2}`,
	},
	{
		"an instance that came meanwhile and is stranded excused nothing of its group",
		`{"Groups":[{"Members":1,"Headroom":1,"Zones":1}],"Patch":"breaks everything","Plan":{"MaxFailures":1,"MaxParallel":1,"Service":true,"Backup":"none","Restore":"replace","Bake":240},"ScalingLag":5,"ReadLag":5,"Faults":[{"Kind":"reboot_hangs","Times":-1},{"Kind":"root_replace_fails","Nth":1}],"Others":[{"At":{"On":"StartAutomationExecution","Nth":1,"Delay":1},"Do":"scale out","Group":2,"By":1}]}`,
	},
	{
		"a stage that may carry a failure went on for ever, since its group had nobody left to take",
		`{"Staging":1,"Groups":[{"Members":1}],"Patch":"breaks everything","Plan":{"Restore":"none","MaxFailures":1}}`,
	},
	{
		"an install that failed with nobody answering: the mark of what it left was taken for one that is left at the hold",
		`{"Groups":[{"Members":4,"Slack":1,"Zones":2}],"Patch":"needs no reboot","Plan":{"MaxUnavailable":1,"Service":true,"Capacity":"surge","Backup":"none","Restore":"none","Then":"abort","Passes":1},"Faults":[{"Kind":"install_fails","Nth":2},{"Kind":"no_capacity","Nth":1}],"Others":[{"At":{"On":"CreateTags","Delay":900},"Do":"lower max to desired"},{"At":{"On":"EnterStandby","Nth":4,"Delay":45},"Do":"scale in","By":2}],"Decide":["silence","silence"]}`,
	},
	{
		"an instance that the wave had replaced itself was tried again, and told to be gone by others: the wave succeeded",
		`{"Groups":[{"Members":2,"Slack":1}],"Plan":{"Restore":"replace"},"Calls":[{"On":"ExitStandby","Kind":"denied","Times":1}],"Decide":["retry","retry"]}`,
	},
	{
		"what was registered by hand and somebody deregistered was taken for known to be out",
		`{"Staging":3,"StagingZones":2,"Groups":[{"Members":1,"Slack":1,"Headroom":2,"Targets":"by hand","Suspended":["AZRebalance"]},{"Members":3,"Slack":1,"Headroom":1,"Zones":2,"Targets":"by hand","EC2Health":true},{"Members":6,"Slack":1,"Headroom":1,"EC2Health":true}],"Plan":{"MaxFailures":1,"MaxParallel":1,"Capacity":"decrement","Restore":"none","Then":"abort","Passes":1,"Break":90},"ScalingLag":5,"Faults":[{"Kind":"root_replace_detaches","Nth":3,"Times":1}],"Others":[{"At":{"On":"ExitStandby"},"Do":"deregister","Group":1,"Instance":-1},{"At":{"On":"StartAutomationExecution","Nth":3,"Delay":120},"Do":"deregister","Group":1,"Instance":1}],"Decide":["skip"]}`,
	},
	{
		"somebody scaled the group to its max while an instance was out that was then quarantined: none could be launched " +
			"in its place, which is told",
		`{"Groups":[{"Members":3,"Slack":2,"Headroom":1,"Zones":1,"Targets":"none","OneZone":true,"EC2Health":true,"Suspended":["ReplaceUnhealthy","InstanceRefresh"]}],"Patch":"breaks everything","Plan":{"MaxFailures":1,"MaxParallel":1,"Backup":"none","Restore":"none","Then":"abort","Bake":30,"Passes":1,"Cutoff":24,"Estimate":9,"Break":10},` +
			`"Windows":[{"After":240,"For":129}],"ScalingLag":5,"ReadLag":30,"Calls":[{"On":"GetCommandInvocation","Nth":3,"Kind":"denied","Times":2},{"On":"ExitStandby","Nth":2,"Kind":"timeout","After":true,"Times":1}],` +
			`"Faults":[{"Kind":"agent_silent","Nth":1,"Times":2}],"Others":[{"At":{"On":"StartAutomationExecution","Nth":1,"Delay":900},"Do":"scale out","Group":1,"By":2},{"At":{"On":"CreateTags","Delay":120},"Do":"resume","Group":2,"Names":["AZRebalance"]}],` +
			`"People":[{"At":{"On":"EnterStandby","Nth":4,"Delay":10},"Verb":"approve"}],"Decide":["late skip","abort"],"Parked":[{"Verb":"cancel"}]}`,
	},
	{
		"somebody scaled out while one left for good, between two attempts of its detach: theirs was taken for what we " +
			"give back, and nobody told",
		`{"Staging":3,"Groups":[{"Members":5,"Slack":2,"Headroom":2,"Zones":2,"Targets":"by hand"}],"Patch":"breaks production","Plan":{"MaxFailures":2,"MaxParallel":1,"MaxUnavailable":1,"Restore":"none","Then":"skip","Cutoff":70,"Estimate":30,"Break":10},` +
			`"Windows":[{"After":60,"For":90},{"After":60,"For":35},{"After":10,"For":45}],"ScalingLag":5,"ReadLag":5,"Others":[{"At":{"On":"ExitStandby","Nth":1,"Delay":120},"Do":"scale out","Group":2},{"At":{"On":"EnterStandby","Nth":2,"Delay":1},"Do":"suspend","Group":1,"Names":["Launch"]}],"People":[{"At":{"Delay":14},"Verb":"retry"}],"Decide":["roll_back","skip"],"Parked":[{"After":70}]}`,
	},
	{
		"an instance that was interrupted left its group one short while somebody had scaled it to its max: the evidence of " +
			"the wave, which waited for a window, says so",
		`{"Groups":[{"Members":3,"Slack":1,"Headroom":1,"Zones":1}],"Patch":"needs no reboot","Plan":{"MaxFailures":2,"Approval":true,"Capacity":"decrement","Backup":"none","Restore":"replace","Then":"skip","Bake":240,"Cutoff":64,"Estimate":9,"PutBack":15},` +
			`"Windows":[{"After":240,"For":84}],"ScalingLag":5,"Others":[{"At":{"On":"EnterStandby","Nth":1,"Delay":45},"Do":"spot interruption","Group":2,"Instance":5},{"At":{"On":"StartAutomationExecution","Nth":1,"Delay":10},"Do":"scale out","Group":2,"By":1}],"Parked":[{"Verb":"silence"}]}`,
	},
	{
		"somebody brought one back while it was patched, so that it goes to standby once more to be put back, and then the " +
			"group was deleted",
		`{"Staging":1,"Groups":[{"Members":4,"Headroom":2,"Zones":2,"EC2Health":true}],"Patch":"breaks production","Plan":{"MaxFailures":2,"Service":true,"Then":"skip","Bake":30,"Passes":1},` +
			`"Others":[{"At":{"On":"StopAutomationExecution","Nth":2},"Do":"delete the group","Group":1},{"At":{"On":"StartAutomationExecution","Nth":1},"Do":"return from standby","Group":1,"Instance":-1}]}`,
	},
	{
		"somebody had deregistered one, and the one launched for room serves in its place: another may go out",
		`{"Staging":2,"Groups":[{"Members":6,"Slack":1,"Headroom":1}],"Patch":"breaks production","Plan":{"MaxFailures":2,"MaxParallel":1,"Approval":true,"Capacity":"surge","Backup":"none","Restore":"none","Then":"abort","Passes":1,"Cutoff":54,"Estimate":9,"PutBack":5,"Patient":true},` +
			`"Windows":[{"After":10,"For":134}],"Others":[{"At":{},"Do":"deregister","Group":1,"Instance":3}],"Parked":[{"After":5},{"After":200},{"Verb":"silence","After":70}]}`,
	},
	{
		"room came from a warm pool into the member's own zone, and Auto Scaling terminated the member to even the zones",
		`{"Staging":2,"Groups":[{"Members":1,"Slack":1,"Headroom":1,"Zones":2,"Targets":"both","EC2Health":true,"Warm":"Stopped"}],` +
			`"Plan":{"MaxFailures":2,"Capacity":"surge","Then":"skip","Passes":1,"Reboot":"if_required"}}`,
	},
	{
		"somebody suspended a process that we held suspended for one that had left its group for good: whose it is nobody can tell",
		`{"Groups":[{"Members":5,"Slack":1,"Headroom":1,"Targets":"none","Suspended":["AZRebalance"],"Weights":[4]}],"Patch":"breaks production",` +
			`"Plan":{"MaxFailures":2,"Service":true,"Capacity":"decrement","Restore":"replace","Then":"skip","Cutoff":120,"Break":10},` +
			`"Shape":{"After":70,"Blind":true},"Others":[{"At":{"On":"ResumeProcesses"},"Do":"suspend","Group":1,"Names":["ReplaceUnhealthy"]}]}`,
	},
	{
		"one that weighs more was launched in the place of one that left for good, and Auto Scaling terminates an excluded one " +
			"for it: who is leaving at the end is no member",
		`{"Staging":3,"Groups":[{"Members":3,"Slack":2,"Headroom":2,"EC2Health":true,"Weights":[1,2]}],"Patch":"breaks production",` +
			`"Plan":{"MaxFailures":2,"MaxParallel":1,"Capacity":"decrement","Backup":"none","Restore":"replace","Then":"abort","Bake":240,"Passes":1,"Cutoff":120,"Break":90,"Reboot":"if_required"},` +
			`"Shape":{"Excluded":2},"ScalingLag":5}`,
	},
	{
		"the repositories dropped what staging had proved, the hold was answered in the next window, and what bound production was forgotten",
		`{"Staging":1,"Groups":[{"Members":4,"Slack":1}],"Plan":{"Pin":true,"Cutoff":50,"Estimate":9,"Patient":true,"Break":10},` +
			`"Windows":[{"After":10,"For":130}],"Moves":[{"At":{"On":"EnterStandby"},"Drop":true}],"Decide":["late skip"],"Parked":[{"After":200}]}`,
	},
	{
		"an install was cancelled on a machine that hangs in its reboot, and is quarantined: it ends when the agent is back",
		`{"Staging":2,"Groups":[{"Members":3,"Slack":1,"Headroom":1}],"Plan":{"Restore":"none","Bake":240,"Reboot":"if_required"},` +
			`"Calls":[{"On":"GetAutomationExecution","Nth":13,"Kind":"denied"}],"Faults":[{"Kind":"reboot_hangs","Times":-1}]}`,
	},
}
