package activities

import (
	"context"
	"slices"
	"strings"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// FindDonorsInput asks who of a wave's machines may give its root volume to an image.
type FindDonorsInput struct {
	Plan    string
	WaveID  string
	Without []string // ids of instances that prove nothing: put back, skipped or failed since
	Groups  []string // account/region/name of those that count
}

// mostDonors is how many are named: one is enough, where it still is as its wave left it.
const mostDonors = 20

// FindDonors reads from the evidence, as far as that is signed, which machines of the groups the wave has patched
// whole, and what they were then. Where it has patched none, for they lacked nothing, those count that earlier waves of
// the plan have: whether one is still as it was then has to be asked of it.
func (c *Control) FindDonors(ctx context.Context, in FindDonorsInput) ([]patch.Donor, error) {
	donors, err := c.donorsOf(ctx, in, in.WaveID, map[string]bool{})
	if err != nil || len(donors) > 0 {
		return donors, err
	}
	waves, err := c.wavesOf(ctx, in.Plan, in.WaveID)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, wave := range waves[:min(len(waves), mostWavesBack)] {
		earlier, err := c.donorsOf(ctx, in, wave, seen)
		if err != nil {
			return nil, err
		}
		if donors = append(donors, earlier...); len(donors) >= mostDonors {
			break
		}
	}
	return donors[:min(len(donors), mostDonors)], nil
}

// donorsOf are those of one wave. Of each machine the newest wave counts that has done anything to it.
func (c *Control) donorsOf(
	ctx context.Context, in FindDonorsInput, wave string, seen map[string]bool,
) ([]patch.Donor, error) {
	ids, err := c.Evidence.ListInstances(ctx, wave)
	if err != nil {
		return nil, evidenceError("list what was done by wave "+wave, err)
	}
	ids = slices.DeleteFunc(ids, func(id string) bool { return seen[id] || slices.Contains(in.Without, id) })
	machines, _, err := c.proven(ctx, wave, ids)
	if err != nil {
		return nil, err
	}
	donors := []patch.Donor{}
	for _, one := range machines {
		seen[one.Instance] = true
		if slices.Contains(in.Groups, one.Group) && one.Outcome == patch.Patched && one.After != nil &&
			one.After.PackagesSHA256 != "" && len(donors) < mostDonors {
			donors = append(donors, patch.Donor{
				Instance: one.Instance, Group: one.Group, Packages: one.After.PackagesSHA256, Earlier: wave != in.WaveID,
			})
		}
	}
	return donors, nil
}

// wavesOf are the plan's waves in the evidence but for one, the newest first. They are found by the ids that Patchtide
// gives them, which begin with the plan's name: a plan of another name has waves of its own.
func (c *Control) wavesOf(ctx context.Context, plan, but string) ([]string, error) {
	ids, err := c.Evidence.ListWaves(ctx)
	if err != nil {
		return nil, evidenceError("list the waves of the plan "+plan, err)
	}
	return newestOf(ids, plan, but), nil
}

// newestOf are the plan's of some waves but for one, the newest first.
func newestOf(ids []string, plan, but string) []string {
	waves := slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		return id == but || strings.Contains(id, "/") || !strings.HasPrefix(id, names.WaveOf(plan))
	})
	slices.SortStableFunc(waves, func(a, b string) int {
		return strings.Compare(began.FindString(b), began.FindString(a))
	})
	return waves
}
