package faultsweep

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// harmless are the processes that may be suspended; never those by which a group grows.
var harmless = []string{"AZRebalance", "InstanceRefresh", "ReplaceUnhealthy"}

// harmfulCalls finds calls that no wave may make, whatever comes of them.
func harmfulCalls(events []awssim.Event) []string {
	var found []string
	for _, event := range events {
		if event.Operation != "SuspendProcesses" && event.Operation != "ResumeProcesses" {
			continue
		}
		processes := processesOf(event)
		if len(processes) == 0 || slices.ContainsFunc(processes, func(p string) bool {
			return !slices.Contains(harmless, p)
		}) {
			found = append(found, fmt.Sprintf("%s: %s of %v", event.Resource, event.Operation, processes))
		}
	}
	return found
}

// keptSuspended finds a group whose processes were still suspended for one instance when the next one's turn came; but
// for the balance of zones, which its group keeps suspended while room that it launched stands.
func keptSuspended(events []awssim.Event, told tellings) []string {
	suspended, launched := map[string]bool{}, false
	var found []string
	for _, event := range events {
		if !event.Effect || event.Account != wavetest.Production {
			continue
		}
		switch {
		case event.Operation == "SuspendProcesses":
			for _, process := range processesOf(event) {
				suspended[process] = true
			}
		case event.Operation == "ResumeProcesses":
			for _, process := range processesOf(event) {
				delete(suspended, process)
				launched = launched && process != "AZRebalance"
			}
		case event.Operation == "SetDesiredCapacity" || event.Operation == "UpdateAutoScalingGroup":
			launched = launched || suspended["AZRebalance"]
		case event.Service == "ec2" && event.Operation == "CreateTags" &&
			strings.Contains(string(event.Arguments), names.TagJournal):
			kept := len(suspended)
			if launched && suspended["AZRebalance"] {
				kept--
			}
			if kept > 0 && !told.of("web") {
				found = append(found,
					fmt.Sprintf("web: %s's turn came while %d processes were still suspended", event.Resource, kept))
			}
		}
	}
	return found
}

// roomWhileBalanced finds room that was launched while Auto Scaling could terminate a member to even the zones.
func roomWhileBalanced(events []awssim.Event, before []string) []string {
	balances := !slices.Contains(before, "AZRebalance")
	var found []string
	for _, event := range events {
		if !event.Effect || event.Account != wavetest.Production {
			continue
		}
		switch event.Operation {
		case "SuspendProcesses":
			balances = balances && !slices.Contains(processesOf(event), "AZRebalance")
		case "ResumeProcesses":
			balances = balances || slices.Contains(processesOf(event), "AZRebalance")
		case "SetDesiredCapacity", "UpdateAutoScalingGroup":
			if balances && strings.Contains(string(event.Arguments), `"DesiredCapacity"`) {
				found = append(found, "web: its capacity was raised while Auto Scaling could even the zones")
			}
		}
	}
	return found
}

// processesOf are those that a call names. One that cannot be read names none, which harmfulCalls finds: AWS takes it
// for all of them.
func processesOf(event awssim.Event) []string {
	var in struct{ ScalingProcesses []string }
	_ = json.Unmarshal(event.Arguments, &in)
	return in.ScalingProcesses
}
