package lab

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// switchedOff is a row of docs/watching.md's table of Temporal's own buttons: one that the UI does not offer.
var switchedOff = regexp.MustCompile("(?m)^\\| [^|]+ \\| `([A-Z_]+)` \\|")

// TestTheUIOffersNoButtonThatTheDocsCallOff asks the UI as its page does. deploy's tests hold docker-compose.yml to the
// same table.
func TestTheUIOffersNoButtonThatTheDocsCallOff(t *testing.T) {
	page, err := os.ReadFile("../../docs/watching.md")
	require.NoError(t, err)
	off := map[string]bool{}
	for _, row := range switchedOff.FindAllStringSubmatch(string(page), -1) {
		off[strings.ReplaceAll(row[1], "_", "")+"DISABLED"] = true
	}
	require.NotEmpty(t, off)
	ui, err := startUI(t.Context(), "127.0.0.1:0", "127.0.0.1:1") // it asks no Temporal for its settings
	require.NoError(t, err)
	defer func() { require.NoError(t, ui.stop()) }()
	var settings map[string]any
	require.NoError(t, json.Unmarshal([]byte(get(t, ui.url+"/api/v1/settings")), &settings))
	told := map[string]bool{}
	for setting, value := range settings {
		if value == true && strings.HasSuffix(setting, "Disabled") {
			told[strings.ToUpper(setting)] = true
		}
	}
	require.Equal(t, off, told)
}
