package patch

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// MetricSample sums up a metric over whole periods.
type MetricSample struct {
	Value    float64 `json:"value"` // the mean of the periods, each by its requests where the check has some
	Requests float64 `json:"requests,omitempty"`
	Periods  int     `json:"periods"` // those that had data; 0: there is no value
}

// MetricObservation is what CloudWatch told of one check.
type MetricObservation struct {
	Check MetricCheck  `json:"check"`
	From  time.Time    `json:"from"`  // AWS's clock: the whole periods between these were asked for
	Until time.Time    `json:"until"` // where it is not after From, none has ended yet
	Own   MetricSample `json:"own"`
	// Other is what it is compared with: of so many peers; with 0 of them, of itself before it went out.
	Other MetricSample `json:"other,omitzero"`
	Peers int          `json:"peers,omitempty"`
	Final bool         `json:"final,omitempty"`  // see MetricLook.Final
	Why   string       `json:"unread,omitempty"` // why CloudWatch did not tell; "": it did
}

// MetricVerdict is what an observation comes to.
type MetricVerdict string

// The verdicts.
const (
	MetricWell      MetricVerdict = "well"
	MetricBad       MetricVerdict = "bad"
	MetricTooLittle MetricVerdict = "not enough to judge" // no data, or too few requests, of it or its peers
	MetricUnread    MetricVerdict = "not told"            // CloudWatch was in trouble
)

// Judge compares what was seen with what the check wants, and says it.
func (o MetricObservation) Judge() (MetricVerdict, string) {
	check := o.Check
	switch {
	case o.Why != "":
		return MetricUnread, check.Name + " is not told: " + o.Why
	case !check.enough(o.Own):
		return MetricTooLittle, check.Name + ": not enough to judge: " + o.lacks(o.Own, "")
	case check.Peers != nil && !check.enough(o.Other):
		return MetricTooLittle, check.Name + ": not enough to judge: " + o.lacks(o.Other, o.others())
	}
	said := check.Name + " is " + number(o.Own.Value)
	bad := false
	switch {
	case check.Peers != nil:
		limit := check.Peers.limit(o.Other.Value)
		bound := "at most "
		if bad = o.Own.Value > limit; check.Peers.Worse == WorseLower {
			bad, bound = o.Own.Value < limit, "at least "
		}
		said += fmt.Sprintf(", and may be %s%s: %s of %s%s", bound, number(limit), number(o.Other.Value), o.others(),
			check.seen(o.Other))
	case check.AtMost != nil:
		bad = o.Own.Value > *check.AtMost
		said += ", and may be at most " + number(*check.AtMost)
	case check.AtLeast != nil:
		bad = o.Own.Value < *check.AtLeast
		said += ", and may be at least " + number(*check.AtLeast)
	}
	said += fmt.Sprintf("; seen in %s%s", o.span(), check.seen(o.Own))
	if bad {
		return MetricBad, said
	}
	return MetricWell, said
}

// enough reports whether something can be told by a sample.
func (c MetricCheck) enough(sample MetricSample) bool {
	return sample.Periods > 0 && (c.Requests == nil || sample.Requests >= float64(c.Requests.AtLeast))
}

// limit is the last value that is not too much worse than another.
func (p MetricPeers) limit(other float64) float64 {
	room := math.Abs(other)*float64(p.Within)/100 + p.Margin
	if p.Worse == WorseLower {
		return other - room
	}
	return other + room
}

// lacks says what there is too little of; of is whose it is, "" the instance's.
func (o MetricObservation) lacks(sample MetricSample, of string) string {
	var said string
	switch {
	case !o.Until.After(o.From):
		return fmt.Sprintf("no whole period of %s has ended and been there for %s yet", o.Check.Period.Rough(),
			o.Check.Delay.Rough())
	case sample.Periods == 0:
		said = "no data"
	default:
		said = fmt.Sprintf("%s %s, and it takes %d", number(sample.Requests), o.Check.Requests.Of, o.Check.Requests.AtLeast)
	}
	if of != "" {
		said += ", of " + of
	}
	return said + ", in " + o.span()
}

// others names what the instance is compared with.
func (o MetricObservation) others() string {
	switch o.Peers {
	case 0:
		return "itself before it went out, for no peer is unpatched"
	case 1:
		return "1 unpatched peer"
	}
	return fmt.Sprintf("%d unpatched peers", o.Peers)
}

// seen says how much a sample is made of, where the check counts that.
func (c MetricCheck) seen(sample MetricSample) string {
	if c.Requests == nil {
		return ""
	}
	return fmt.Sprintf(" (%s %s)", number(sample.Requests), c.Requests.Of)
}

// span is the time that was looked at.
func (o MetricObservation) span() string {
	return fmt.Sprintf("%s from %s", Duration(o.Until.Sub(o.From)).Rough(), o.From.UTC().Format(time.RFC3339))
}

// number writes a value with four digits that count.
func number(value float64) string {
	if whole := math.Round(value); whole == value && math.Abs(value) < 1e12 {
		return strconv.FormatFloat(value, 'f', -1, 64)
	}
	return strconv.FormatFloat(value, 'g', 4, 64)
}

// checkMetricsBefore refuses an instance by whose metrics nothing could be told, or that are bad already, while it
// still serves: it would be put back for what nobody has changed.
func checkMetricsBefore(v View) []*Refusal {
	var found []*Refusal
	for _, seen := range v.Machine.Metrics {
		verdict, said := seen.Judge()
		mend := "mend what it reports, or correct the metric check of the stage's health"
		switch {
		case verdict == MetricWell, verdict == MetricTooLittle && seen.Check.Missing == MissingIsOK:
			continue
		case verdict == MetricTooLittle:
			mend = "correct its metrics and dimensions, ask for fewer requests or bake for longer, or write missing: ok"
		case verdict == MetricUnread:
			mend = "look whether CloudWatch is in trouble, then retry"
		}
		found = append(found, v.refuse(said+", before we began", mend)...)
	}
	return found
}

// AllTold reports whether every metric that was seen says that its instance is well.
func AllTold(seen []MetricObservation) bool {
	for _, each := range seen {
		if verdict, _ := each.Judge(); verdict != MetricWell {
			return false
		}
	}
	return true
}
