package activities

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// FindMarkedInput names an account and region to be looked through.
type FindMarkedInput struct {
	Place patch.Place
	Watch []string // the Auto Scaling groups of any plan: what is odd in them is told, marked or not
}

// Marked is what carries the journal's tag in one account and region, and what is odd without one.
type Marked struct {
	Resources []MarkedResource // groups first, then instances, each sorted
	Odd       []OddGroup       // groups of a plan, sorted
	Unmarked  []MaxNow         // groups of a plan that carry no tag, with their max, sorted
	Shared    []SharedImage    // images and snapshots that are marked as shared for a copy
}

// MarkedResource carries the journal's tag.
type MarkedResource struct {
	Group    string // an Auto Scaling group's name; "" for an instance
	Instance string
	Member   string  // of which Auto Scaling group the instance is a member; "" for none
	Journal  Journal // what the tag says; zero where it cannot be read
	Tag      string  // the tag's value, for a person
	Problem  string  // why the tag is none of ours
}

// OddGroup is a group that has members in standby, or suspended processes.
type OddGroup struct {
	Group     string
	Standby   []string // instance ids, those that carry the journal's tag left out
	Suspended []string
}

// FindMarked looks through an account and region for the journal's tag on Auto Scaling groups, on instances that EC2
// still has, and on managed nodes, and for images that are still shared. It changes nothing. A tag's value that is not
// exactly what Patchtide writes for that very resource has a Problem.
func (a *AWS) FindMarked(ctx context.Context, in FindMarkedInput) (_ *Marked, err error) {
	defer once.Typed(&err)
	place := in.Place.Nowhere()
	s, err := a.connect(ctx, place)
	if err != nil {
		return nil, err
	}
	where := in.Place.String()
	instances, _, err := aws.DescribeInstances(ctx, s, where, aws.Filter("tag-key", names.TagJournal),
		aws.Filter("instance-state-name", "pending", "running", "stopping", "stopped"))
	if err != nil {
		return nil, err
	}
	nodes, err := aws.FindNodesWith(ctx, s, where, names.TagJournal)
	if err != nil {
		return nil, err
	}
	ofGroup := map[string]string{}
	tagged := map[string]string{}
	for _, instance := range slices.Concat(instances, nodes) {
		tagged[aws.Deref(instance.InstanceId)] = aws.TagOf(instance.Tags, names.TagJournal)
	}
	shared, err := findShared(ctx, s, in.Place)
	if err != nil {
		return nil, err
	}
	found := &Marked{Shared: shared}
	pages := autoscaling.NewDescribeAutoScalingGroupsPaginator(
		s.AutoScaling, &autoscaling.DescribeAutoScalingGroupsInput{},
	)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, aws.Wrap("list the Auto Scaling groups", where, err)
		}
		for i := range page.AutoScalingGroups {
			found.look(in, &page.AutoScalingGroups[i], tagged, ofGroup)
		}
	}
	slices.SortFunc(found.Resources, func(a, b MarkedResource) int { return strings.Compare(a.Group, b.Group) })
	for _, id := range slices.Sorted(maps.Keys(tagged)) {
		marked := MarkedResource{Instance: id, Member: ofGroup[id], Tag: tagged[id]}
		marked.Journal, marked.Problem = aws.ParseJournal(tagged[id], names.JournalRecord(place, id))
		found.Resources = append(found.Resources, marked)
	}
	slices.SortFunc(
		found.Unmarked, func(a, b MaxNow) int { return strings.Compare(a.Group.AutoScalingGroup, b.Group.AutoScalingGroup) },
	)
	slices.SortFunc(found.Odd, func(a, b OddGroup) int { return strings.Compare(a.Group, b.Group) })
	return found, nil
}

// look reads one group: its tag, whose members are tagged, and what is odd.
func (m *Marked) look(in FindMarkedInput, group *astypes.AutoScalingGroup, tagged, ofGroup map[string]string) {
	name := aws.Deref(group.AutoScalingGroupName)
	if value := aws.JournalOf(group); value != "" {
		marked := MarkedResource{Group: name, Tag: value}
		itself := patch.Group{Account: in.Place.Account, Region: in.Place.Region, AutoScalingGroup: name}
		marked.Journal, marked.Problem = aws.ParseJournal(value, names.JournalRecord(itself, ""))
		m.Resources = append(m.Resources, marked)
	}
	odd := OddGroup{Group: name, Suspended: aws.SuspendedIn(group)}
	if aws.JournalOf(group) == "" && slices.Contains(in.Watch, name) {
		m.Unmarked = append(m.Unmarked, MaxNow{
			Group: patch.Group{Account: in.Place.Account, Region: in.Place.Region, AutoScalingGroup: name},
			Max:   int(aws.Deref(group.MaxSize)),
		})
	}
	for _, member := range group.Instances {
		id := aws.Deref(member.InstanceId)
		if _, ours := tagged[id]; ours {
			ofGroup[id] = name
			continue
		}
		switch string(member.LifecycleState) {
		case patch.LifecycleStandby, patch.LifecycleEnteringStandby:
			odd.Standby = append(odd.Standby, id)
		}
	}
	if slices.Contains(in.Watch, name) && len(odd.Standby)+len(odd.Suspended) > 0 {
		slices.Sort(odd.Standby)
		m.Odd = append(m.Odd, odd)
	}
}
