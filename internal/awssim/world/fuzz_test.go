package world

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func FuzzScenario(f *testing.F) {
	f.Add([]byte("extends: fleet\nfaults: {world: [{kind: reboot_hangs}]}\n"))
	f.Add([]byte(windowsFleet))
	f.Add([]byte("extends: fuzz.yaml\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ParseScenario("fuzz.yaml", data)
		if err != nil {
			require.Contains(t, err.Error(), "fuzz", "an error names the file")
			return
		}
		if w, err := New(s, dawn); err == nil {
			w.Advance(dawn.Add(time.Minute))
		}
	})
}

func FuzzRunbook(f *testing.F) {
	f.Add(installRunbook)
	f.Add(`{"schemaVersion":"0.3","mainSteps":[{"name":"a","action":"aws:branch","inputs":{"Choices":[],"Default":"a"}}]}`)
	s, err := LoadScenario("healthy")
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, content string) {
		w, err := New(s, dawn)
		require.NoError(t, err)
		if _, err := staging(w).CreateDocument("Fuzz", "Automation", "YAML", content, "", nil); err != nil {
			require.True(t, strings.Contains(err.Error(), "InvalidDocument"), err)
			return
		}
		e, err := staging(w).StartAutomation(StartSpec{Document: "Fuzz"})
		if err == nil {
			w.Advance(dawn.Add(time.Hour))
			require.NotEqual(t, "Pending", e.Status)
		}
	})
}
