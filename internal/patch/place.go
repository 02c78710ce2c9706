package patch

// Place is one region of one account.
type Place struct {
	Account Account
	Region  string
}

// String names the place as people write it: account/region.
func (p Place) String() string { return p.Account.Name + "/" + p.Region }

// Nowhere is the group of a place that an act about no group in particular is asked for.
func (p Place) Nowhere() Group { return Group{Account: p.Account, Region: p.Region} }
