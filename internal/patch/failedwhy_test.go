package patch

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhyAGroupLetsItsWaveFail(t *testing.T) {
	bad := InstanceResult{ID: "i-2", Outcome: Quarantined, Reason: "restore not proven"}
	for _, c := range []struct {
		name  string
		group GroupCounts
		want  string
	}{
		{
			"one is quarantined, and one was put back",
			GroupCounts{
				Phase: GroupDone, Tally: Tally{Patched: 2, RolledBack: 1, Quarantined: 1},
				Failed: []InstanceResult{{ID: "i-1", Outcome: RolledBack, Reason: "unhealthy"}, bad},
			},
			"p/r/web: i-2 quarantined: restore not proven",
		},
		{
			"several are, and not all are listed",
			GroupCounts{
				Phase: GroupDone, Tally: Tally{Failed: 2, Quarantined: 2}, Failed: []InstanceResult{bad, {ID: "i-3", Outcome: Failed}},
			},
			"p/r/web: i-2 quarantined: restore not proven; and 3 more failed or quarantined",
		},
		{
			"its canary, and it gives no reason",
			GroupCounts{
				Phase: GroupDone, Tally: Tally{Failed: 1}, Failed: []InstanceResult{{ID: "i-3", Outcome: Failed, Canary: true}},
			},
			"p/r/web: i-3 (canary) failed",
		},
		{"it was lost", GroupCounts{Phase: GroupPatching}, "p/r/web: its workflow ended without its word"},
		{"as a whole", GroupCounts{Phase: GroupDone, Reason: "it could not be read"}, "p/r/web: it could not be read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.group.Group = "p/r/web"
			require.Equal(t, c.want, c.group.WhyFailed())
		})
	}
}
