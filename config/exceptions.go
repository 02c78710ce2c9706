package config

import (
	"fmt"
	"time"
)

// Over are the exceptions of a plan's baselines whose day is over, each in a sentence. They reject still.
func (c *Config) Over(plan string, now time.Time) (said []string) {
	for _, one := range c.Plans {
		if one.Name != plan {
			continue
		}
		for _, name := range one.baselines() {
			if baseline, err := c.Baselines.Load(name); err == nil { // one that is not there is told elsewhere
				for _, exception := range baseline.Over(now) {
					said = append(said, fmt.Sprintf("baseline %s has an %s. That day is over, and it rejects still: decide anew, "+
						"in the baseline's file", name, exception))
				}
			}
		}
	}
	return said
}

// CheckOver is what Over tells of all plans, as mistakes of the file; nil: there is none. The error is Errors.
func (c *Config) CheckOver(now time.Time) error {
	var problems Errors
	for i, plan := range c.Plans {
		key := fmt.Sprintf("plans[%d].baseline", i)
		for _, over := range c.Over(plan.Name, now) {
			problems = append(problems, &Error{File: c.File, Line: c.doc.Line(key), Key: key, Message: over})
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return problems
}
