// Package patchtags gives the instances of plans the tag by which Systems Manager finds their patch baseline. What
// carries another patch group is somebody's decision, and left so.
package patchtags

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/patch"
)

const (
	// budget bounds one group: an account that does not answer keeps nobody else waiting.
	budget = 5 * time.Minute
	// looks is how often a tag that was set is looked for before it is told as not seen yet: EC2's lists lag.
	looks = 5
)

// Place is a group of a plan, and the patch group that its instances are to be in.
type Place struct {
	Group      patch.Group
	Baseline   string
	PatchGroup string // of the baseline; "": it names none
	Connect    func(context.Context) (*aws.Services, error)
	// Pause waits before a look is repeated.
	Pause func(context.Context) error
}

// Has is how an instance stands.
type Has string

// The ways of an instance.
const (
	Right    Has = "right"    // it is in the patch group
	Lacks    Has = "lacks"    // it carries none of the two tags
	Another  Has = "another"  // it is in another patch group, and stays there
	Excluded Has = "excluded" // the plan leaves it as it is
	Set      Has = "set"      // by us, and seen
	Unseen   Has = "unseen"   // set by us, and not listed yet
	Failed   Has = "failed"
)

// Instance is one of a group.
type Instance struct {
	ID    string `json:"id"`
	Has   Has    `json:"has"`
	Tags  string `json:"tags,omitempty"`  // those of the two that it carries
	Error string `json:"error,omitempty"` // of Failed
}

// State is how a group stands.
type State struct {
	Group      string     `json:"group"` // account/region/name
	Baseline   string     `json:"baseline"`
	PatchGroup string     `json:"patch_group,omitempty"`
	Instances  []Instance `json:"instances"`
	// Launches is how those that are launched later get the tag; "": they do already, or none is needed.
	Launches string `json:"launches,omitempty"`
	Note     string `json:"note,omitempty"`  // why nothing is to be tagged there
	Error    string `json:"error,omitempty"` // it could not be read
}

// Count counts the instances that stand so.
func (s State) Count(has Has) (count int) {
	for _, one := range s.Instances {
		if one.Has == has {
			count++
		}
	}
	return count
}

// Look reads how every group stands. It changes nothing.
func Look(ctx context.Context, places []Place) []State {
	return aws.EachPlace(ctx, len(places), budget, func(ctx context.Context, i int) State {
		state, _, _ := places[i].look(ctx)
		return state
	})
}

// Apply sets the tag on each instance that was shown to lack it and lacks it still, and looks whether it is there.
func Apply(ctx context.Context, places []Place, shown []State) []State {
	return aws.EachPlace(ctx, len(places), budget, func(ctx context.Context, i int) State {
		return places[i].apply(ctx, shown[i])
	})
}

// look reads a group; with it come the services there.
func (p Place) look(ctx context.Context) (State, *aws.Services, map[string]ec2types.Instance) {
	state := State{Group: p.Group.String(), Baseline: p.Baseline, PatchGroup: p.PatchGroup, Instances: []Instance{}}
	if _, adopts := patch.Adopts(p.Baseline); adopts {
		state.Note = "judged by whatever Systems Manager has: no tag is needed"
		return state, nil, nil
	}
	if p.PatchGroup == "" {
		state.Note = "its baseline names no patch_group: write one in its file, or nothing tells Systems Manager to ask it"
		return state, nil, nil
	}
	services, err := p.Connect(ctx)
	if err != nil {
		state.Error = err.Error()
		return state, nil, nil
	}
	instances, launches, err := p.read(ctx, services)
	if err != nil {
		state.Error = err.Error()
		return state, nil, nil
	}
	state.Launches = launches
	for _, id := range slices.Sorted(maps.Keys(instances)) {
		state.Instances = append(state.Instances, p.stands(id, instances[id].Tags))
	}
	return state, services, instances
}

// stands is how an instance stands by its tags.
func (p Place) stands(id string, tags []ec2types.Tag) Instance {
	joined, spaced := aws.TagOf(tags, patch.TagPatchGroup), aws.TagOf(tags, patch.TagPatchGroupSpaced)
	one := Instance{ID: id, Has: Another, Tags: patch.Elsewhere{Joined: joined, Spaced: spaced}.Tags()}
	name, sure := patch.PatchGroupOf(joined, spaced)
	all := map[string]string{}
	for _, tag := range tags {
		all[aws.Deref(tag.Key)] = aws.Deref(tag.Value)
	}
	switch {
	case sure && name == p.PatchGroup:
		one.Has = Right
	case p.Group.LeavesOut(id, "", all) != "":
		one.Has = Excluded
	case carries(tags, patch.TagPatchGroup), carries(tags, patch.TagPatchGroupSpaced): // also with an empty value
	default:
		one.Has = Lacks
	}
	return one
}

func carries(tags []ec2types.Tag, key string) bool {
	return slices.ContainsFunc(tags, func(tag ec2types.Tag) bool { return aws.Deref(tag.Key) == key })
}

// read reads who is in a group, and how those that it launches later get the tag.
func (p Place) read(ctx context.Context, s *aws.Services) (_ map[string]ec2types.Instance, launches string, err error) {
	if !p.Group.IsAutoScaling() {
		found, err := aws.ReadTagged(ctx, s, p.Group)
		launches = "whatever launches more of them has to give them the tag " + patch.TagPatchGroup + "=" + p.PatchGroup +
			": the tag specifications of a launch template, for one"
		if p.Group.IsNodes() {
			launches = "whoever registers more of them has to give them the tag, as by the tags of the hybrid activation"
		}
		return found.Instances, launches, err
	}
	group, err := aws.ReadGroup(ctx, s, p.Group)
	if err != nil {
		return nil, "", err
	}
	var ids []string
	for _, member := range group.Instances {
		if !strings.HasPrefix(string(member.LifecycleState), "Terminat") {
			ids = append(ids, aws.Deref(member.InstanceId))
		}
	}
	launches = fmt.Sprintf("the group gives it to none that it launches, unless its launch template does: %s",
		patch.Propagates(p.Group, patch.TagPatchGroup, p.PatchGroup))
	for _, tag := range group.Tags {
		key := aws.Deref(tag.Key)
		ours := key == patch.TagPatchGroup || key == patch.TagPatchGroupSpaced
		switch {
		case !ours || !aws.Deref(tag.PropagateAtLaunch):
		case aws.Deref(tag.Value) == p.PatchGroup:
			launches = ""
		default:
			return p.members(ctx, s, ids, fmt.Sprintf("the group gives those that it launches %s=%s, which is another patch "+
				"group: a person decides which is right", key, aws.Deref(tag.Value)))
		}
	}
	return p.members(ctx, s, ids, launches)
}

func (p Place) members(
	ctx context.Context, s *aws.Services, ids []string, launches string,
) (map[string]ec2types.Instance, string, error) {
	if len(ids) == 0 {
		return nil, launches, nil
	}
	instances, _, err := aws.ReadInstances(ctx, s, p.Group.String(), ids)
	return instances, launches, err
}

// apply sets the tag where it was shown to be missing. An instance that is otherwise by now stays as it is.
func (p Place) apply(ctx context.Context, shown State) State {
	if shown.Count(Lacks) == 0 {
		return shown
	}
	now, services, _ := p.look(ctx)
	if now.Error != "" {
		return now
	}
	lacked := map[string]bool{}
	for _, one := range shown.Instances {
		lacked[one.ID] = one.Has == Lacks
	}
	for i, one := range now.Instances {
		if one.Has != Lacks || !lacked[one.ID] {
			continue
		}
		now.Instances[i].Has = Unseen
		// A reply that was lost has taken effect, or not: what is seen behind it counts.
		if err := aws.TagMachine(ctx, services, one.ID, patch.TagPatchGroup, p.PatchGroup); err != nil {
			now.Instances[i].Has, now.Instances[i].Error = Failed, aws.Wrap("tag "+one.ID, p.Group.String(), err).Error()
		}
	}
	p.confirm(ctx, services, &now)
	return now
}

// confirm looks which of them carry the tag by now, a few times.
func (p Place) confirm(ctx context.Context, services *aws.Services, state *State) {
	for look := range looks {
		var open []string
		for _, one := range state.Instances {
			if one.Has == Unseen || one.Has == Failed {
				open = append(open, one.ID)
			}
		}
		if len(open) == 0 || look > 0 && p.Pause != nil && p.Pause(ctx) != nil {
			return
		}
		instances, _, err := aws.ReadInstances(ctx, services, p.Group.String(), open)
		if err != nil {
			continue // it stays as it is told: not seen yet
		}
		for i, one := range state.Instances {
			if machine, listed := instances[one.ID]; listed && slices.Contains(open, one.ID) {
				if seen := p.stands(one.ID, machine.Tags); seen.Has == Right {
					seen.Has = Set
					state.Instances[i] = seen
				}
			}
		}
	}
}
