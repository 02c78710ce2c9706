package wavetest

import (
	"bytes"
	"strings"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
)

// ByImage is a plan whose staging is the group api, in the account of production, whose root volumes are then replaced
// by the image of a machine that staging has proven.
func ByImage(file []byte) []byte {
	from := bytes.Index(file, []byte("          - account: staging\n"))
	to := from + bytes.Index(file[from:], []byte("        # What must be well"))
	staging := "          - account: production\n            region: ap-northeast-1\n            auto_scaling_group: api\n"
	file = append(append(bytes.Clone(file[:from]), staging...), file[to:]...)
	const service = "        service: web\n"
	return PlanWith(service, service+"        method: image\n        state_on_root: none\n")(file)
}

// WithAPI gives production the group api of two, which is patched first.
func WithAPI(fleet func(*world.Scenario)) func(*world.Scenario) {
	return func(s *world.Scenario) {
		TwoGroups(s)
		api := &s.Accounts[1].Regions[0].Groups[1]
		api.Min, api.Desired, api.Max = 1, 2, 4
		if fleet != nil {
			fleet(s)
		}
	}
}

// Roots are the root volumes of the region's instances, by their ids.
func Roots(region *world.Region) map[string]string {
	roots := map[string]string{}
	for _, instance := range region.Instances() {
		roots[instance.ID] = instance.RootVolume
	}
	return roots
}

// NeitherRoot finds machines of a stage by image that ended neither wholly on the image, nor wholly on their old root
// volume or its snapshot, nor in quarantine, nor stranded and unfit to serve, by name.
func (s *Scene) NeitherRoot(result *patch.WaveResult, before map[string][]world.Package) (found []string) {
	for _, stage := range result.Stages {
		if len(stage.Images) == 0 {
			continue
		}
		for _, group := range stage.Groups {
			s.inRegionOf(group, func(region *world.Region) {
				for _, told := range group.Instances {
					machine := region.Instance(told.ID)
					named := told.Outcome == patch.Quarantined ||
						len(told.Stranded) > 0 && strings.Contains(told.Reason, "unfit to serve: ")
					if machine == nil || machine.State != world.Running || named {
						continue
					}
					image := region.Image(stage.Images[0].ID)
					disk := machine.Disk()
					switch {
					case disk == nil:
						found = append(found, told.ID+" has no root volume, and is told as "+string(told.Outcome))
					case samePackages(disk.Packages(), before[told.ID]) && !told.WantsRollBack():
					case image != nil && samePackages(disk.Packages(), image.Disk().Packages()) && told.WantsRollBack():
					default:
						found = append(found, told.ID+" is told as "+string(told.Outcome)+
							", and has neither what it had nor what the image has")
					}
				}
			})
		}
	}
	return found
}

func samePackages(a, b []world.Package) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// Packages are what the machines of all regions hold, by their ids.
func (s *Scene) Packages() map[string][]world.Package {
	held := map[string][]world.Package{}
	s.EachRegion(func(region *world.Region) {
		for _, instance := range region.Instances() {
			if disk := instance.Disk(); disk != nil {
				held[instance.ID] = disk.Packages()
			}
		}
	})
	return held
}
