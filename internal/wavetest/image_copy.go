package wavetest

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
)

// Virginia is a region in which staging is where images have to cross regions.
const Virginia = "us-east-1"

// FromElsewhere is a plan whose production gets root volumes of the image of a machine that staging, which is in that
// account and region, has proven: the image has to be copied to where production is.
func FromElsewhere(account, region string) func([]byte) []byte {
	return func(file []byte) []byte {
		file = bytes.ReplaceAll(file, []byte("regions: [ap-northeast-1]"), []byte("regions: [ap-northeast-1, us-east-1]"))
		file = PlanWith(
			"          - account: staging\n            region: ap-northeast-1\n",
			fmt.Sprintf("          - account: %s\n            region: %s\n", account, region),
		)(file)
		const service = "        service: web\n"
		return PlanWith(service, service+"        method: image\n        state_on_root: none\n")(file)
	}
}

// StagingIn moves staging's machines to an account, by its name, and a region, with production's version of their
// application: production gets it with their root volumes.
func StagingIn(account, region string) func(*world.Scenario) {
	return func(s *world.Scenario) {
		moved := s.Accounts[0].Regions[0]
		moved.Name, moved.Instances[0].Image = region, "web-2.4"
		for i, zone := range moved.Instances[0].Zones {
			moved.Instances[0].Zones[i] = region + zone[len(zone)-1:]
		}
		s.Accounts[0].Regions = nil
		at := slices.IndexFunc(s.Accounts, func(one world.AccountSpec) bool { return one.Name == account })
		s.Accounts[at].Regions = append(s.Accounts[at].Regions, moved)
	}
}

// StillShared finds what is shared of images and snapshots, or is marked as such.
func (s *Scene) StillShared() (found []string) {
	s.EachRegion(func(region *world.Region) {
		for _, image := range region.Images() {
			if len(image.SharedWith) > 0 || image.Tags[names.TagShared] != "" {
				found = append(found, fmt.Sprintf("the image %s of %s is shared with %v, and marked %q", image.ID,
					region.Account.Name, image.SharedWith, image.Tags[names.TagShared]))
			}
		}
		for _, snapshot := range region.Snapshots() {
			if len(snapshot.SharedWith) > 0 || snapshot.Tags[names.TagShared] != "" {
				found = append(found, fmt.Sprintf("the snapshot %s of %s is shared with %v, and marked %q", snapshot.ID,
					region.Account.Name, snapshot.SharedWith, snapshot.Tags[names.TagShared]))
			}
		}
	})
	return found
}
