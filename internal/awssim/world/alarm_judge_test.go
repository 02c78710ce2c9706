package world

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The tables of CloudWatch's guide, "Configuring how CloudWatch alarms treat missing data": 0 does not breach, X
// breaches,
// - is missing, and the newest stands last.
func TestAlarmsAndMissingData(t *testing.T) {
	const now = "SO FAR"
	for _, tc := range []struct {
		points                                string
		toAlarm                               int
		missing, ignore, breaching, notBreach string
	}{
		{"0-X-X", 3, AlarmOK, AlarmOK, AlarmOK, AlarmOK},
		{"0----", 3, AlarmOK, AlarmOK, AlarmOK, AlarmOK},
		{"-----", 3, AlarmUnknown, now, AlarmRaised, AlarmOK},
		{"0XX-X", 3, AlarmRaised, AlarmRaised, AlarmRaised, AlarmRaised},
		{"--X--", 3, AlarmRaised, now, AlarmRaised, AlarmOK},

		{"0-X-X", 2, AlarmRaised, AlarmRaised, AlarmRaised, AlarmRaised},
		{"00X0X", 2, AlarmRaised, AlarmRaised, AlarmRaised, AlarmRaised},
		{"0-X--", 2, AlarmOK, AlarmOK, AlarmRaised, AlarmOK},
		{"----0", 2, AlarmOK, AlarmOK, AlarmRaised, AlarmOK},
		{"---X-", 2, AlarmRaised, now, AlarmRaised, AlarmOK},

		{"XXX00", 2, AlarmOK, AlarmOK, AlarmOK, AlarmOK}, // only the newest three count where all are there
	} {
		for treat, want := range map[string]string{"missing": tc.missing, "ignore": tc.ignore, "breaching": tc.breaching, "notBreaching": tc.notBreach} {
			t.Run(tc.points+" "+treat, func(t *testing.T) {
				var newestFirst []*bool
				for n := len(tc.points) - 1; n >= 0; n-- {
					breach := tc.points[n] == 'X'
					if tc.points[n] == '-' {
						newestFirst = append(newestFirst, nil)
						continue
					}
					newestFirst = append(newestFirst, &breach)
				}
				require.Equal(t, want, judgement{periods: 3, toAlarm: tc.toAlarm, ifMissing: treat, state: now}.judge(newestFirst))
			})
		}
	}
}
