package activities

import (
	"context"
	"slices"
)

// KnownAccounts lists the names of the configuration's accounts, so that a misspelt one freezes nothing in silence.
func (c *Control) KnownAccounts(context.Context) ([]string, error) {
	var known []string
	for _, place := range c.Plans.Places() {
		known = append(known, place.Account.Name)
	}
	slices.Sort(known)
	return slices.Compact(known), nil
}
