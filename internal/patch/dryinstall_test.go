package patch_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

// Who cannot get what staging proved is refused with the package, its version, why, and what to do about it.
func TestWhatADryInstallRefuses(t *testing.T) {
	const curl = "curl.x86_64 0:8-2"
	var many []string
	for n := range 25 {
		many = append(many, fmt.Sprintf("p%d.noarch 0:2-1", n))
	}
	for _, c := range []struct {
		name       string
		check      patch.PinCheck
		what, todo string // "": it is not refused
	}{
		{name: "nothing is due", check: patch.PinCheck{}},
		{name: "all of it is there", check: patch.PinCheck{Dry: &patch.DryInstall{By: "dnf"}, Release: "2023.6.1", ProvenRelease: "2023.7.1"}},
		{
			name: "not served", check: patch.PinCheck{Dry: &patch.DryInstall{By: "apt", Absent: []string{curl}}},
			what: "its repositories do not serve " + curl,
			todo: "have them serve that, or start another wave, whose staging proves what the repositories serve now",
		},
		{
			name: "not served by an older release", check: patch.PinCheck{
				Dry: &patch.DryInstall{By: "dnf", Absent: []string{curl}}, Release: "2023.6.20250211", ProvenRelease: "2023.7.20250331",
			},
			what: "its repositories do not serve " + curl,
			todo: "its repositories are those of release 2023.6.20250211, and staging runs 2023.7.20250331: `dnf upgrade " +
				"--releasever=2023.7.20250331` brings it there, or write that release to /etc/dnf/vars/releasever on it",
		},
		{
			name: "not served by the release that staging runs", check: patch.PinCheck{
				Dry: &patch.DryInstall{By: "dnf", Absent: []string{curl}}, Release: "2023.6.1", ProvenRelease: "2023.6.1",
			},
			what: "its repositories do not serve " + curl, todo: "have them serve that, or start another wave, whose staging proves " +
				"what the repositories serve now",
		},
		{
			name: "held", check: patch.PinCheck{Dry: &patch.DryInstall{By: "dnf", Held: []string{curl + ": a version lock (curl-0:8-1.*)"}}},
			what: "it holds " + curl + ": a version lock (curl-0:8-1.*)", todo: "take that off on the machine",
		},
		{
			name:  "what it needs is not there",
			check: patch.PinCheck{Dry: &patch.DryInstall{By: "zypper", Unresolved: "nothing provides lib"}},
			what:  "zypper cannot install it together: nothing provides lib", todo: "mend that on the machine",
		},
		{
			name: "for no reason, and with others", check: patch.PinCheck{
				Dry: &patch.DryInstall{By: "dnf", Left: []string{curl}, Unproven: []string{"lib.x86_64 0:2-1"}},
			},
			what: "dnf would not install " + curl + ", and does not say why; with it would come, or go, what staging has not " +
				"proved: lib.x86_64 0:2-1",
			todo: "see what dnf says of that on the machine; start another wave, whose staging proves what the repositories serve now",
		},
		{
			name: "many", check: patch.PinCheck{Dry: &patch.DryInstall{By: "dnf", Absent: many}},
			what: "its repositories do not serve " + strings.Join(many[:20], ", ") + ", 5 more",
			todo: "have them serve that, or start another wave, whose staging proves what the repositories serve now",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			refusal := c.check.RefuseDry("production/r/web/i-1")
			if c.what == "" {
				require.Nil(t, refusal)
				return
			}
			require.Equal(t, &patch.Refusal{
				Code: patch.ProvenNotInstallable, Where: "production/r/web/i-1",
				What:     "what staging proved cannot be installed on it, by a dry install: " + c.what,
				WhatToDo: c.todo,
			}, refusal)
		})
	}
}
