package world

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

var accountID = regexp.MustCompile(`^[0-9]{12}$`)

// problems lists what is wrong with a scenario although each of its keys is known.
func (s *Scenario) problems() []error {
	var found []error
	say := func(format string, args ...any) { found = append(found, fmt.Errorf(format, args...)) }

	if !accountID.MatchString(s.Home.ID) {
		say("home.id: %q is not an account id; write 12 digits in quotes, like \"999900001111\"", s.Home.ID)
	}
	if s.Home.AccessKeyID == "" || s.Home.SecretAccessKey == "" {
		say("home: access_key_id and secret_access_key are needed; any made-up key will do")
	}
	systems := map[string]bool{}
	for _, os := range s.OperatingSystems {
		systems[os.Name] = true
		if os.Platform != "Linux" && os.Platform != "Windows" {
			say("operating_systems: %s: platform is %q; write Linux or Windows", os.Name, os.Platform)
		}
		if os.SSM == "" {
			say("operating_systems: %s: ssm is missing; write SSM's name, like AMAZON_LINUX_2023", os.Name)
		}
		if os.Packages[os.Kernel] == "" {
			say("operating_systems: %s: kernel %q is not among its packages", os.Name, os.Kernel)
		}
	}
	images := map[string]bool{}
	for _, image := range s.Images {
		images[image.ID], images[image.Name] = true, true
		if !systems[image.OS] {
			say("images: %s: there is no operating system %q", image.Name, image.OS)
		}
	}
	for _, patch := range s.Patches {
		if !systems[patch.OS] {
			say("patches: %s: there is no operating system %q", patch.ID, patch.OS)
		}
		if patch.ID == "" || patch.Version == "" || patch.Severity == "" || patch.Classification == "" {
			say("patches: %q: id, version, severity and classification are all needed", patch.ID)
		}
	}
	for _, patch := range s.Patches {
		known := func(id string) bool {
			return slices.ContainsFunc(s.Patches, func(p Patch) bool { return p.OS == patch.OS && p.ID == id })
		}
		if patch.After != "" && !known(patch.After) {
			say("patches: %s: after names %s, which is no patch of %s", patch.ID, patch.After, patch.OS)
		}
		for _, id := range patch.Requires {
			if !known(id) {
				say("patches: %s: requires names %s, which is no patch of %s", patch.ID, id, patch.OS)
			}
		}
	}
	seen := map[string]bool{s.Home.ID: true}
	for _, account := range s.Accounts {
		if !accountID.MatchString(account.ID) {
			say("accounts: %s: %q is not an account id; write 12 digits in quotes", account.Name, account.ID)
		}
		if seen[account.ID] {
			say("accounts: %s: id %s is there twice", account.Name, account.ID)
		}
		seen[account.ID] = true
		if account.ServiceControlPolicy != "" {
			if _, err := ParsePolicy(account.ServiceControlPolicy); err != nil {
				say("accounts: %s: service_control_policy: %w", account.Name, err)
			}
		}
		for _, role := range account.Roles {
			if longest := role.MaxSession.D(); longest != 0 && (longest < time.Hour || longest > 12*time.Hour) {
				say("accounts: %s: role %s: max_session is not between 1h and 12h", account.Name, role.Name)
			}
			if role.Policy == "" {
				continue
			}
			if _, err := ParsePolicy(role.Policy); err != nil {
				say("accounts: %s: role %s: %w", account.Name, role.Name, err)
			}
		}
		for _, region := range account.Regions {
			where := "accounts: " + account.Name + ": " + region.Name
			found = append(found, region.problems(where, images)...)
		}
	}
	found = append(found, s.Faults.problems()...)
	if !slices.Contains([]string{"", "roll_back", "skip", "retry", "abort"}, s.Decide) {
		say("decide: %q is none of roll_back, skip, retry, abort", s.Decide)
	}
	outcomes := []string{"", "succeeded", "succeeded_with_skips", "rolled_back", "aborted", "failed"}
	if !slices.Contains(outcomes, s.Expect.Outcome) {
		say("expect.outcome: %q is none of %s", s.Expect.Outcome, strings.Join(outcomes[1:], ", "))
	}
	return found
}

func (r RegionSpec) problems(where string, images map[string]bool) []error {
	var found []error
	say := func(format string, args ...any) {
		found = append(found, fmt.Errorf(where+": "+format, args...))
	}
	targets := map[string]bool{}
	for _, group := range r.TargetGroups {
		targets[group.Name] = true
		if !slices.Contains([]string{"", "instance", "ip"}, group.TargetType) {
			say("target_group %s: target_type %q is neither instance nor ip", group.Name, group.TargetType)
		}
		if !slices.Contains([]string{"", "ipv4", "ipv6"}, group.AddressType) {
			say("target_group %s: ip_address_type %q is neither ipv4 nor ipv6", group.Name, group.AddressType)
		}
		if (group.AddressType == "ipv6" || group.Peered) && group.TargetType != "ip" {
			say("target_group %s: ip_address_type ipv6 and peered are of target_type ip", group.Name)
		}
		if group.AddressType == "ipv6" && !r.DualStack {
			say("target_group %s: ip_address_type ipv6 wants a region that is dual_stack", group.Name)
		}
		if !slices.Contains([]string{"", "true", "false", "use_load_balancer_configuration"}, group.CrossZone) {
			say(
				"target_group %s: cross_zone %q is none of true, false, use_load_balancer_configuration", group.Name,
				group.CrossZone,
			)
		}
	}
	check := func(kind, name, image string, targetGroups []string) {
		if !images[image] {
			say("%s %s: there is no image %q", kind, name, image)
		}
		for _, group := range targetGroups {
			if !targets[group] {
				say("%s %s: there is no target group %q", kind, name, group)
			}
		}
	}
	for _, instance := range r.Instances {
		check("instance", instance.Name, instance.Image, instance.TargetGroups)
	}
	for _, node := range r.Nodes {
		check("managed_node", node.Name, node.Image, node.TargetGroups)
		if node.Address != "" && node.Count > 1 {
			say("managed_node %s: address is for one node, and count is %d", node.Name, node.Count)
		}
	}
	for _, group := range r.Groups {
		check("auto_scaling_group", group.Name, group.Image, group.TargetGroups)
		if group.Min > group.Desired || group.Desired > group.Max {
			say(
				"auto_scaling_group %s: min %d <= desired %d <= max %d does not hold", group.Name, group.Min, group.Desired,
				group.Max,
			)
		}
		if pool := group.WarmPool; pool != nil && !slices.Contains(
			[]string{"", WarmStopped, WarmRunning, WarmHibernated}, pool.State,
		) {
			say("auto_scaling_group %s: warm_pool: state %q is none of Stopped, Running, Hibernated", group.Name, pool.State)
		}
		for _, override := range group.Mixed {
			if override.Type == "" || override.Weight < 0 || (override.Weight == 0) != (group.Mixed[0].Weight == 0) {
				say("auto_scaling_group %s: mixed_instances: each needs a type, and a weight all of them or none", group.Name)
				break
			}
		}
		if len(group.Zones) == 0 {
			say("auto_scaling_group %s: zones are missing, like [%sa, %sc]", group.Name, r.Name, r.Name)
		}
	}
	for _, alarm := range r.Alarms {
		if alarm.TargetGroup != "" && !targets[alarm.TargetGroup] {
			say("alarm %s: there is no target group %q", alarm.Name, alarm.TargetGroup)
		}
	}
	return found
}

func (f Faults) problems() []error {
	var found []error
	kinds := []string{"error", "lost_reply", "throttle", "slow"}
	for n, rule := range f.API {
		if !slices.Contains(kinds, rule.Kind) {
			found = append(found, fmt.Errorf("faults.api[%d]: kind %q is none of %s", n, rule.Kind, strings.Join(kinds, ", ")))
		}
		if rule.Probability < 0 || rule.Probability > 1 {
			found = append(found, fmt.Errorf("faults.api[%d]: probability %v is not between 0 and 1", n, rule.Probability))
		}
	}
	worldKinds := []string{
		FaultAgentSilent, FaultRebootHangs, FaultInstallFails, FaultInstallFailsRebooting, FaultDependencyFails,
		FaultScanFails, FaultRebootsInCircles, FaultSnapshotFails, FaultRootReplaceFails,
		FaultRootReplaceDetaches, FaultNoCapacity, FaultKeyUnusable, FaultOverrideUnreadable, FaultDryInstallFails,
		FaultListScriptFails,
	}
	worldKinds = append(append(worldKinds, instanceHappenings...), groupHappenings...)
	for n, rule := range f.World {
		if !slices.Contains(worldKinds, rule.Kind) {
			found = append(
				found, fmt.Errorf("faults.world[%d]: kind %q is none of %s", n, rule.Kind, strings.Join(worldKinds, ", ")),
			)
		} else if err := rule.problem(); err != nil {
			found = append(found, fmt.Errorf("faults.world[%d]: %w", n, err))
		}
	}
	return found
}
