package config

import (
	"cmp"
	"fmt"

	"github.com/patchtide/patchtide/internal/patch"
)

// RootImage says which image root volumes are made of.
type RootImage struct {
	Parameter string `yaml:"parameter" required:"true" pattern:"^/[A-Za-z0-9_.:/-]{1,1000}$" example:"/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64" doc:"The parameter of Systems Manager that names the image, AWS's own or yours. It is read once, as the stage begins."`
}

// Short lets it be written as its parameter alone.
func (RootImage) Short() string { return "parameter" }

// checkMethod refuses a stage whose root volumes are to be replaced by an image where that cannot be, or is not meant.
func (v *validator) checkMethod(at string, plan Plan, number int) {
	stage := plan.Stages[number]
	if stage.Method != patch.MethodImage {
		if stage.RootImage != nil {
			v.doc.Problem(at+".root_image", "is for method: image; write that as well, or remove it")
		}
		if stage.StateOnRoot != "" {
			v.doc.Problem(at+".state_on_root", "is for method: image; write that as well, or remove it")
		}
		return
	}
	key := at + ".method"
	if stage.StateOnRoot != patch.StateNone {
		v.doc.Problem(key, "image replaces root volumes, and all that only lives on them is lost; where nothing of worth "+
			"does, declare it: state_on_root: none")
	}
	if plan.Backup != patch.BackupSnapshot && plan.Backup != "" || plan.Restore != patch.RestoreRootVolume &&
		plan.Restore != "" {
		v.doc.Problem(key, "image is undone by putting the old root volume back; write backup: snapshot and restore: "+
			"root_volume in the plan, or method: packages")
	}
	if cmp.Or(stage.Reboot, plan.Reboot) == patch.RebootNever {
		v.doc.Problem(key, "image reboots each instance, and reboot: never forbids that; write reboot: always, or method: "+
			"packages")
	}
	if plan.Pin == patch.PinManifest {
		v.doc.Problem(key, "image brings the very packages of the image, which pin: manifest cannot bind; write pin: none")
	}
	if stage.Stopped == patch.StoppedStart {
		v.doc.Problem(at+".stopped", "start_and_stop does not go with method: image, which replaces root volumes of "+
			"instances that run; write stopped: leave")
	}
	if number > 0 && stage.RootImage != nil {
		v.doc.Problem(at+".root_image", "is for the plan's first stage, which proves the image; those after it get what it "+
			"has proven: remove it")
	}
	if number == 0 && stage.RootImage == nil {
		v.doc.Problem(key, "image has no stage before it whose instances could prove one; name one by root_image: "+
			"{parameter: /aws/service/...}, or write method: packages in this stage")
	}
	for i, group := range stage.Groups {
		v.checkImageGroup(fmt.Sprintf("%s.groups[%d]", at, i), plan, number, group)
	}
}

// checkImageGroup refuses a group for which no image can be had: copies do not leave a partition.
func (v *validator) checkImageGroup(at string, plan Plan, number int, group Group) {
	if len(group.ManagedNodes) > 0 {
		v.doc.Problem(at+".managed_nodes", "managed nodes have no root volume that AWS could replace; write method: packages")
		return
	}
	baseline := func(stage Stage, group Group) string { return baselineOf(plan, stage, group) }
	name := baseline(plan.Stages[number], group)
	if v.baselines != nil {
		if loaded, err := v.baselines.Load(name); err == nil && loaded.Platform == patch.Windows {
			v.doc.Problem(at, "method: image is for Linux: a Windows machine on another's root volume needs Sysprep; write "+
				"method: packages")
		}
	}
	for _, before := range plan.Stages[:number] {
		for _, other := range before.Groups {
			if patch.SamePartition(other.Region, group.Region) && baseline(before, other) == name {
				return
			}
		}
	}
	if number > 0 {
		v.doc.Problem(at, "no stage before has a group by the baseline %s that could prove an image for it; write such a "+
			"stage, in the same partition of AWS as %s, or method: packages", name, group.Region)
	}
}

// CopiesImages reports whether an image of the plan's may be copied to the account, by its name, or from one of its
// regions to another; and whether one of the account's may be shared with another for that.
func (p Plan) CopiesImages(account string) (gets, shares bool) {
	for number, stage := range p.Stages {
		if stage.Method != patch.MethodImage || number == 0 {
			continue
		}
		for _, group := range stage.Groups {
			here, gives := false, false
			for _, before := range p.Stages[:number] {
				for _, other := range before.Groups {
					if baselineOf(p, before, other) != baselineOf(p, stage, group) {
						continue
					}
					here = here || other.Account == group.Account && other.Region == group.Region
					gives = gives || other.Account == account && group.Account != account
				}
			}
			gets = gets || !here && group.Account == account
			shares = shares || !here && gives
		}
	}
	return gets, shares
}

// imageKeys are the keys by which the accounts of a stage have copies of images encrypted, by the account's id.
func (c *Config) imageKeys(stage Stage) (keys map[string]string) {
	for _, group := range stage.Groups {
		if account, _ := c.Account(group.Account); account.ImageKey != "" {
			if keys == nil {
				keys = map[string]string{}
			}
			keys[account.ID] = account.ImageKey
		}
	}
	return keys
}
