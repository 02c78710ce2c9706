package world

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// RateControl says on how many instances a command may run at once, and how many may fail before it is sent to no
// further one; numbers, or percents of its instances.
type RateControl struct {
	MaxConcurrency string // "" is 50
	MaxErrors      string // "" is 0: the first error is one too many
}

var (
	atOncePattern = regexp.MustCompile(`^([1-9][0-9]*|[1-9][0-9]%|[1-9]%|100%)$`)
	errorsPattern = regexp.MustCompile(`^([1-9][0-9]*|0|[1-9][0-9]%|[0-9]%|100%)$`)
)

// longestRate is how many characters either may have.
const longestRate = 7

func (r RateControl) orDefault() RateControl {
	if r.MaxConcurrency == "" {
		r.MaxConcurrency = "50"
	}
	if r.MaxErrors == "" {
		r.MaxErrors = "0"
	}
	return r
}

// check refuses what the API reference of SendCommand has no pattern for.
func (r RateControl) check() error {
	for _, each := range []struct {
		name, value string
		pattern     *regexp.Regexp
	}{{"maxConcurrency", r.MaxConcurrency, atOncePattern}, {"maxErrors", r.MaxErrors, errorsPattern}} {
		if len(each.value) > longestRate || !each.pattern.MatchString(each.value) {
			return api.Errorf("ValidationException", "1 validation error detected: Value '%s' at '%s' failed to satisfy "+
				"constraint: Member must satisfy regular expression pattern: %s", each.value, each.name, each.pattern)
		}
	}
	return nil
}

// of is a rate's number of all.
func of(rate string, all int) int {
	percent, isPercent := strings.CutSuffix(rate, "%")
	n, err := strconv.Atoi(percent)
	if err != nil {
		panic("the rate " + rate + " was checked")
	}
	if isPercent {
		return all * n / 100
	}
	return n
}

// sendMore sends the command on to as many instances as may run it at once. Above MaxErrors it goes to no further one:
// what runs is let end, the rest is Terminated (guide on rate controls of Run Command).
func (c *Command) sendMore() {
	if c.errors > of(c.Rate.MaxErrors, len(c.Invocations)) {
		for _, v := range c.Invocations {
			waits := v.Status == "Pending" && c.Region.World.Has(DoubtErrorsEndPending)
			if !v.Done() && (!v.sent || waits) {
				v.Status, v.Details = "Cancelled", "Terminated"
				v.finish()
			}
		}
		return
	}
	running, most := 0, max(of(c.Rate.MaxConcurrency, len(c.Invocations)), 1)
	for _, v := range c.Invocations {
		if v.sent && !v.Done() {
			running++
		}
	}
	for _, v := range c.Invocations {
		if v.sent || v.Done() || running >= most {
			continue
		}
		v.sent = true
		running++
		c.Region.World.After(deliverAfter, v.deliver)
	}
}

// ended counts an invocation's end. Those that were not delivered do not count against MaxErrors, nor do those that
// were cancelled (StatusDetails in the API reference).
func (c *Command) ended(v *Invocation) {
	if v.Status == "Failed" || v.Details == "ExecutionTimedOut" {
		c.errors++
	}
	if v.Details != "Terminated" {
		c.sendMore()
	}
}
