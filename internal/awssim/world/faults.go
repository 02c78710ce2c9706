package world

import "strconv"

// faultBook counts how often each of the scenario's world faults could have struck and did.
type faultBook struct {
	rules     []WorldFault
	occasions []int
}

func newFaultBook(rules []WorldFault) faultBook {
	return faultBook{rules: rules, occasions: make([]int, len(rules))}
}

// strikes reports whether a fault of this kind hits the instance now; asking is the occasion.
func (b *faultBook) strikes(kind string, i *Instance) bool {
	struck := false
	for n, rule := range b.rules {
		if rule.Kind != kind || !rule.matches(i) {
			continue
		}
		b.occasions[n]++
		first, times := max(rule.Nth, 1), rule.Times
		if times == 0 {
			times = 1
		}
		if b.occasions[n] >= first && (times < 0 || b.occasions[n] < first+times) {
			struck = true
		}
	}
	return struck
}

func (f WorldFault) matches(i *Instance) bool {
	if !f.inAccount(i.Region.Account) {
		return false
	}
	if f.Group != "" && f.Group != i.Group {
		return false
	}
	return f.Instance == "" || f.Instance == i.Name() || f.Instance == i.ID || f.Instance == i.Tags["Name"] ||
		i.Group != "" && f.Instance == i.Group+"/"+strconv.Itoa(i.Ordinal)
}
