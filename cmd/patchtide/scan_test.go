package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows"
)

// A scan makes the plan's baseline and registers it, which is said before and after; and one that has not scanned all
// of it does not exit as if it had.
func TestAScanSaysWhatItChangesAndWhatItLeftOut(t *testing.T) {
	cmd, _, err := newRoot().Find([]string{"scan"})
	require.NoError(t, err)
	require.Contains(t, cmd.Long, "the plan's patch baseline, which it makes in Systems Manager, or makes equal to the file, "+
		"and registers for its patch group")

	missing := patch.Scan{Instance: "i-1", Missing: []string{"kernel.x86_64"}}
	silent := patch.Scan{Instance: "i-2", Error: "its agent is silent"}
	for _, c := range []struct {
		name  string
		group workflows.GroupScan
		exit  int
		says  string
	}{
		{"all were scanned", workflows.GroupScan{Instances: []patch.Scan{missing}, Scanned: 1}, exitDone, "1 of 1 scanned"},
		{"one was not", workflows.GroupScan{Instances: []patch.Scan{missing, silent}, Scanned: 1}, exitGaps, "1 of 2 scanned"},
		{"none was", workflows.GroupScan{Instances: []patch.Scan{silent}}, exitGaps, "0 of 1 scanned"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd, _, err := newRoot().Find([]string{"scan"})
			require.NoError(t, err)
			var out bytes.Buffer
			cmd.SetOut(&out)
			c.group.BaselineID = "pb-0123456789abcdef0"
			err = showScan(cmd, workflows.FleetScan{Plan: "web", Groups: []workflows.GroupScan{c.group}})
			exit := &exitError{code: exitDone}
			if c.exit != exitDone {
				require.ErrorAs(t, err, &exit)
			} else {
				require.NoError(t, err)
			}
			require.Equal(t, c.exit, exit.code)
			require.Contains(t, out.String(), c.says)
			require.Contains(t, out.String(), "judged by the baseline pb-0123456789abcdef0, which the scan keeps as the file "+
				"says and registered for its patch group")
		})
	}
}
