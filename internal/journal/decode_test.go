package journal_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/journal"
	"github.com/patchtide/patchtide/internal/patch"
)

var place = patch.Place{Account: patch.Account{Name: "production", ID: "111122223333"}, Region: "ap-northeast-1"}

func whole() journal.Record {
	return journal.Record{
		WaveID: "wave-1", Instance: "i-1", At: time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC),
		Group:  patch.Group{Account: place.Account, Region: place.Region, AutoScalingGroup: "web"},
		Policy: patch.Policy{Timing: patch.DefaultTiming()},
		Origin: journal.Origin{Namespace: "default", NamespaceID: "id", WorkflowID: "patch-instance/i-1", RunID: "run"},
	}
}

func TestDecodeTrustsOnlyAWholeRecordOfTheVeryResource(t *testing.T) {
	about := journal.About{WaveID: "wave-1", Place: place, Instance: "i-1"}
	for _, c := range []struct {
		name   string
		record func(*journal.Record)
		about  func(*journal.About)
		wrong  string
	}{
		{name: "as it was written"},
		{"another wave's", func(r *journal.Record) { r.WaveID = "wave-2" }, nil, "about something else"},
		{"another instance's", func(r *journal.Record) { r.Instance = "i-2" }, nil, "about something else"},
		{"its group's", func(r *journal.Record) { r.Instance = "" }, nil, "about something else"},
		{"another account's", func(r *journal.Record) { r.Group.Account.ID = "444455556666" }, nil, "about something else"},
		{"another region's", func(r *journal.Record) { r.Group.Region = "eu-west-1" }, nil, "about something else"},
		{"another group's", nil, func(a *journal.About) { a.AutoScalingGroup = "api" }, "about something else"},
		{"the very group's", nil, func(a *journal.About) { a.AutoScalingGroup = "web" }, ""},
		{"without a wave", func(r *journal.Record) { r.WaveID = "" }, nil, "lacks what putting back needs"},
		{"without an account", func(r *journal.Record) { r.Group.Account.ID = "" }, nil, "lacks what putting back needs"},
		{"without time-outs", func(r *journal.Record) { r.Policy = patch.Policy{} }, nil, "lacks what putting back needs"},
		{"without who wrote it", func(r *journal.Record) { r.Origin = journal.Origin{} }, nil, "lacks what putting back needs"},
		{"without its moment", func(r *journal.Record) { r.At = time.Time{} }, nil, "lacks what putting back needs"},
	} {
		t.Run(c.name, func(t *testing.T) {
			record, about := whole(), about
			if c.record != nil {
				c.record(&record)
			}
			if c.about != nil {
				c.about(&about)
			}
			document, err := json.Marshal(record)
			require.NoError(t, err)
			decoded, err := journal.Decode(document, about)
			if c.wrong != "" {
				require.ErrorContains(t, err, c.wrong)
				return
			}
			require.NoError(t, err)
			require.Equal(t, record, decoded)
		})
	}
}

func TestDecodeRefusesWhatIsNoRecord(t *testing.T) {
	_, err := journal.Decode(json.RawMessage(`{"WaveID": 7}`), journal.About{})
	require.ErrorContains(t, err, "cannot be decoded")
}

// The configuration may have given the account another name since the record was written.
func TestDecodeGivesTheAccountItsNameOfToday(t *testing.T) {
	document, err := json.Marshal(whole())
	require.NoError(t, err)
	renamed := place
	renamed.Account.Name = "prod"
	record, err := journal.Decode(document, journal.About{WaveID: "wave-1", Place: renamed, Instance: "i-1"})
	require.NoError(t, err)
	require.Equal(t, "prod", record.Group.Account.Name)
}

func TestWhatWasBeforeIsRememberedByIDs(t *testing.T) {
	state := patch.GroupState{
		Min: 1, Max: 3, Desired: 2, Suspended: []string{"AZRebalance"},
		Members: []patch.Member{{ID: "i-1", Zone: "a"}, {ID: "i-2"}},
	}
	before := journal.BeforeOf(state)
	require.Equal(t, []string{"i-1", "i-2"}, before.Members)
	back := before.State()
	require.Equal(t, state.Desired, back.Desired)
	require.Equal(t, []patch.Member{{ID: "i-1"}, {ID: "i-2"}}, back.Members)
}
