package config

import (
	"cmp"
	"slices"

	"github.com/patchtide/patchtide/internal/patch"
)

// BaselineUse is a baseline in an account and region where plans have groups that are patched by it.
type BaselineUse struct {
	Baseline string
	Account  string // by its name
	Region   string
	Plans    []string // sorted
}

// BaselineUses are all of the configuration whose files are known, by baseline and in the order of its accounts and
// regions.
func (c *Config) BaselineUses() []BaselineUse {
	var uses []BaselineUse
	note := func(plan string, use BaselineUse) {
		i := slices.IndexFunc(uses, func(known BaselineUse) bool {
			return known.Baseline == use.Baseline && known.Account == use.Account && known.Region == use.Region
		})
		if i < 0 {
			i, uses = len(uses), append(uses, use)
		}
		if !slices.Contains(uses[i].Plans, plan) {
			uses[i].Plans = append(uses[i].Plans, plan)
			slices.Sort(uses[i].Plans)
		}
	}
	for _, plan := range c.Plans {
		for _, stage := range plan.Stages {
			for _, group := range stage.Groups {
				name := group.Baseline.or(stage.Baseline, plan.Baseline)
				if _, adopts := patch.Adopts(name); !adopts { // there is no file of it
					note(plan.Name, BaselineUse{Baseline: name, Account: group.Account, Region: group.Region})
				}
			}
		}
	}
	order := func(use BaselineUse) (account, region int) {
		for i, account := range c.Accounts {
			if account.Name == use.Account {
				return i, slices.Index(account.Regions, use.Region)
			}
		}
		return len(c.Accounts), 0
	}
	slices.SortStableFunc(uses, func(a, b BaselineUse) int {
		accountA, regionA := order(a)
		accountB, regionB := order(b)
		return cmp.Or(
			cmp.Compare(a.Baseline, b.Baseline), cmp.Compare(accountA, accountB), cmp.Compare(regionA, regionB),
		)
	})
	return uses
}
