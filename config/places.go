package config

import "github.com/patchtide/patchtide/internal/patch"

// Places lists every region of every account, in the order of the file.
func (c *Config) Places() []patch.Place {
	var places []patch.Place
	for _, account := range c.Accounts {
		for _, region := range account.Regions {
			places = append(places, patch.Place{Account: patch.Account{Name: account.Name, ID: account.ID}, Region: region})
		}
	}
	return places
}
