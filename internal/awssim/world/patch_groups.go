package world

import (
	"slices"
	"strings"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// PatchGroup is a registration of a patch group.
type PatchGroup struct {
	Name     string
	Baseline *Baseline
}

// RegisterPatchGroup makes the baseline that of a patch group, for its operating system.
func (r *Region) RegisterPatchGroup(group, baselineID string) error {
	baseline, err := r.Baseline(baselineID)
	if err != nil {
		return err
	}
	key := group + "\x00" + baseline.OS
	switch registered := r.patching.groups[key]; {
	case registered == baselineID:
		return nil // repeating it is allowed
	case registered != "":
		return api.Errorf(
			"AlreadyExistsException", "Patch Group baseline already has a baseline registered for OperatingSystem %s.",
			baseline.OS,
		)
	}
	registered := 0
	for _, id := range r.patching.groups {
		if id == baselineID {
			registered++
		}
	}
	if registered >= PatchGroupLimit {
		return api.Errorf(
			"ResourceLimitExceededException", "Patch Baseline %s has %d patch groups, which is the limit.", baselineID,
			PatchGroupLimit,
		)
	}
	r.patching.groups[key] = baselineID
	return nil
}

// DeregisterPatchGroup ends a registration; one that does not exist is no error.
func (r *Region) DeregisterPatchGroup(group, baselineID string) error {
	baseline, err := r.Baseline(baselineID)
	if err != nil {
		return err
	}
	if key := group + "\x00" + baseline.OS; r.patching.groups[key] == baselineID {
		delete(r.patching.groups, key)
	}
	return nil
}

// PatchGroups lists the registrations, sorted by group.
func (r *Region) PatchGroups() []PatchGroup {
	var groups []PatchGroup
	for key, id := range r.patching.groups {
		baseline, _ := r.patching.baselines.get(id)
		groups = append(groups, PatchGroup{Name: strings.SplitN(key, "\x00", 2)[0], Baseline: baseline})
	}
	slices.SortFunc(groups, func(a, b PatchGroup) int {
		if order := strings.Compare(a.Name, b.Name); order != 0 {
			return order
		}
		return strings.Compare(a.Baseline.OS, b.Baseline.OS)
	})
	return groups
}

// BaselineForGroup is the baseline of a patch group and operating system: the registered one, else the default.
func (r *Region) BaselineForGroup(group, os string) *Baseline {
	id := r.patching.defaults[os]
	if registered, ok := r.patching.groups[group+"\x00"+os]; ok && group != "" {
		id = registered
	}
	baseline, _ := r.patching.baselines.get(id)
	return baseline
}

// PatchGroupOf is the value of the instance's tag PatchGroup or Patch Group.
func (i *Instance) PatchGroupOf() string {
	if group := i.Tags["PatchGroup"]; group != "" {
		return group
	}
	return i.Tags["Patch Group"]
}
