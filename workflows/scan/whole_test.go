package scan_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/scan"
)

// A scan that could not scan all is not whole: who reads only the exit code must not take nothing missing from nothing
// scanned.
func TestAScanThatLeftOutAnInstanceIsNotWhole(t *testing.T) {
	two := []patch.Scan{{Instance: "i-1"}, {Instance: "i-2"}}
	whole := scan.GroupScan{Instances: two, Scanned: 2}
	for name, c := range map[string]struct {
		groups []scan.GroupScan
		want   bool
	}{
		"all were scanned":               {[]scan.GroupScan{whole, whole}, true},
		"one of a group was not":         {[]scan.GroupScan{whole, {Instances: two, Scanned: 1}}, false},
		"none was":                       {[]scan.GroupScan{{Instances: two}}, false},
		"a group that could not be read": {[]scan.GroupScan{whole, {Error: "AccessDenied"}}, false},
		"a group without instances":      {[]scan.GroupScan{{}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			fleet := scan.FleetScan{Groups: c.groups}
			require.Equal(t, c.want, fleet.Whole())
		})
	}
}
