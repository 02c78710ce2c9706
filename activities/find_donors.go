package activities

import (
	"context"
	"slices"

	"github.com/patchtide/patchtide/internal/patch"
)

// FindDonorsInput asks who of a wave's machines may give its root volume to an image.
type FindDonorsInput struct {
	WaveID  string
	Without []string // ids of instances that prove nothing: put back, skipped or failed since
	Groups  []string // account/region/name of those that count
}

// mostDonors is how many are named: one is enough, where it still is as its wave left it.
const mostDonors = 5

// FindDonors reads from the evidence, as far as that is signed, which machines of the groups the wave has patched
// whole, and what they were then.
func (c *Control) FindDonors(ctx context.Context, in FindDonorsInput) ([]patch.Donor, error) {
	ids, err := c.Evidence.ListInstances(ctx, in.WaveID)
	if err != nil {
		return nil, evidenceError("list what was done by wave "+in.WaveID, err)
	}
	ids = slices.DeleteFunc(ids, func(id string) bool { return slices.Contains(in.Without, id) })
	machines, _, err := c.proven(ctx, in.WaveID, ids)
	if err != nil {
		return nil, err
	}
	donors := []patch.Donor{}
	for _, one := range machines {
		if slices.Contains(in.Groups, one.Group) && one.Outcome == patch.Patched && one.After != nil &&
			one.After.PackagesSHA256 != "" && len(donors) < mostDonors {
			donors = append(donors, patch.Donor{
				Instance: one.Instance, Group: one.Group, Packages: one.After.PackagesSHA256,
			})
		}
	}
	return donors, nil
}
