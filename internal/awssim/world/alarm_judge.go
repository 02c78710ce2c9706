package world

import "slices"

// judgement is what an alarm's rule says of the newest datapoints.
type judgement struct {
	periods   int    // how many datapoints count
	toAlarm   int    // how many of them must breach
	ifMissing string // missing, notBreaching, breaching or ignore
	state     string // the alarm's state so far
}

// sparePeriods is how many more periods CloudWatch looks back over when datapoints are missing; it says only that there
// are some, and its examples have two.
const sparePeriods = 2

// judge finds an alarm's state from whether its datapoints breach, the newest first, nil where one is missing. It
// follows the tables in CloudWatch's guide, "Configuring how CloudWatch alarms treat missing data": real datapoints are
// looked for over some more periods first, and what is still missing is filled in as the alarm says.
func (j judgement) judge(breaches []*bool) string {
	var found []bool
	for _, breach := range breaches {
		if breach != nil && len(found) < j.periods {
			found = append(found, *breach)
		}
	}
	breaching, filled := 0, j.periods-len(found)
	for _, breach := range found {
		if breach {
			breaching++
		}
	}
	raised := map[bool]string{true: AlarmRaised, false: AlarmOK}
	// As far as the datapoints go, all that are needed breach: more of them could only confirm it.
	suspicious := len(found) > 0 && slices.Contains(found, true) && breaching >= min(j.toAlarm, len(found))
	switch {
	case filled == 0 || j.ifMissing == "notBreaching":
		return raised[breaching >= j.toAlarm]
	case j.ifMissing == "breaching":
		return raised[breaching+filled >= j.toAlarm]
	case j.ifMissing == "ignore" && (len(found) == 0 || suspicious && breaching < j.toAlarm):
		return j.state
	case len(found) == 0:
		return AlarmUnknown
	}
	return raised[suspicious]
}
