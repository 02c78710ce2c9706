package patch

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Judges is which baseline Systems Manager would judge and patch instances by. It goes by a tag of each instance, its
// patch group, and asks nobody else; the plan's baseline is registered for one.
type Judges struct {
	Baseline   string // the plan's, by its name in Systems Manager; or Adopted, by which any may judge
	PatchGroup string // the one that it is registered for; "": none
	// TakenBy is another baseline that is registered for that patch group; "" where none is.
	TakenBy   string
	TakenByID string
	System    string      // operating system
	Elsewhere []Elsewhere // instances of which Systems Manager would not ask the plan's baseline
	Asked     int         // of so many instances
}

// Elsewhere is an instance that another baseline would judge. Both spellings of the tag are AWS's.
type Elsewhere struct {
	Instance string
	Joined   string // its tag PatchGroup; "" for none
	Spaced   string // its tag Patch Group
}

// The keys of the tag by which Systems Manager finds an instance's patch group. Instances whose tags are in their
// metadata cannot carry the one with a space.
const (
	TagPatchGroup       = "PatchGroup"
	TagPatchGroupSpaced = "Patch Group"
)

// PatchGroupOf is an instance's patch group; sure is false where its two tags name different ones, since AWS does not
// say which of them counts.
func PatchGroupOf(joined, spaced string) (name string, sure bool) {
	return cmp.Or(joined, spaced), joined == "" || spaced == "" || joined == spaced
}

// Tags are those of the two that it carries, as key=value; "none".
func (e Elsewhere) Tags() string {
	var tags []string
	if e.Joined != "" {
		tags = append(tags, TagPatchGroup+"="+e.Joined)
	}
	if e.Spaced != "" {
		tags = append(tags, TagPatchGroupSpaced+"="+e.Spaced)
	}
	return cmp.Or(strings.Join(tags, ", "), "none")
}

// checkPatchGroup refuses what another baseline than the plan's would judge: its scan tells another's patches, and its
// install brings them.
func checkPatchGroup(v View) []*Refusal {
	judges := v.Around.Judges
	if judges == nil {
		return nil
	}
	return JudgedElsewhere(v.Group, v.Instance, *judges)
}

// JudgedElsewhere is what stands against patching a group, or one of its instances, by the plan's baseline.
func JudgedElsewhere(group Group, instance string, judges Judges) []*Refusal {
	v := View{Group: group, Instance: instance}
	if judges.TakenBy != "" {
		return v.refuseGroup(
			fmt.Sprintf("the patch group %s is registered with the baseline %s, which would judge instead of %s",
				judges.PatchGroup, judges.TakenBy, judges.Baseline),
			fmt.Sprintf("take it from that one: aws ssm deregister-patch-baseline-for-patch-group --region %s --baseline-id %s "+
				"--patch-group %s; or write another patch_group in the file of the plan's baseline",
				group.Region, judges.TakenByID, shellWord(judges.PatchGroup)))
	}
	elsewhere := slices.DeleteFunc(slices.Clone(judges.Elsewhere), func(e Elsewhere) bool { return !v.about(e.Instance) })
	switch {
	case len(elsewhere) == 0:
		return nil
	case judges.PatchGroup == "":
		return v.refuse("the plan's baseline "+judges.Baseline+" names no patch_group and is not the default of "+
			judges.System+", so that another would judge",
			"write a patch_group in the baseline's file, and give it to the instances by the tag "+TagPatchGroup)
	}
	what := "it is not in the patch group " + judges.PatchGroup + " but (" + elsewhere[0].Tags() + ")"
	if instance == "" {
		what = fmt.Sprintf("%d of %d instances are not in the patch group %s: %s", len(elsewhere), judges.Asked,
			judges.PatchGroup, someOf(elsewhere))
	}
	return v.refuse(what+", so that Systems Manager would not ask the baseline "+judges.Baseline,
		joinPatchGroup(group, judges.PatchGroup, elsewhere)+
			"; or write the patch group that they have as patch_group in the baseline's file")
}

// namedMost is how many instances a refusal names; its commands name all.
const namedMost = 5

func someOf(elsewhere []Elsewhere) string {
	var named []string
	for _, each := range elsewhere[:min(len(elsewhere), namedMost)] {
		named = append(named, each.Instance+" ("+each.Tags()+")")
	}
	if more := len(elsewhere) - len(named); more > 0 {
		named = append(named, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(named, ", ")
}

// joinPatchGroup are the commands that put instances, and what their group launches from now on, into a patch group.
func joinPatchGroup(group Group, patchGroup string, elsewhere []Elsewhere) string {
	var joined, spaced, both []string
	for _, each := range elsewhere {
		switch {
		case each.Joined != "" && each.Spaced != "":
			both = append(both, each.Instance)
			joined = append(joined, each.Instance)
		case each.Spaced != "":
			spaced = append(spaced, each.Instance)
		default:
			joined = append(joined, each.Instance)
		}
	}
	if group.IsNodes() {
		return joinNodes(group, patchGroup, elsewhere)
	}
	var commands []string
	if len(both) > 0 {
		commands = append(commands, fmt.Sprintf("aws ec2 delete-tags --region %s --resources %s --tags %s", group.Region,
			strings.Join(both, " "), shellWord("Key="+TagPatchGroupSpaced)))
	}
	key := TagPatchGroup
	for _, these := range []struct {
		key string
		ids []string
	}{{TagPatchGroup, joined}, {TagPatchGroupSpaced, spaced}} {
		if len(these.ids) > 0 {
			commands = append(commands, fmt.Sprintf("aws ec2 create-tags --region %s --resources %s --tags %s", group.Region,
				strings.Join(these.ids, " "), shellWord("Key="+these.key+",Value="+patchGroup)))
		}
	}
	if len(joined) == 0 {
		key = TagPatchGroupSpaced
	}
	if group.IsAutoScaling() {
		commands = append(commands, Propagates(group, key, patchGroup))
	}
	return strings.Join(commands, " && ")
}

// Propagates is the command that has an Auto Scaling group give a tag to what it launches.
func Propagates(group Group, key, value string) string {
	return fmt.Sprintf("aws autoscaling create-or-update-tags --region %s --tags %s", group.Region,
		shellWord(fmt.Sprintf("ResourceId=%s,ResourceType=auto-scaling-group,Key=%s,Value=%s,PropagateAtLaunch=true",
			group.AutoScalingGroup, key, value)))
}

// shellWord is a text as one word of a shell.
func shellWord(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
