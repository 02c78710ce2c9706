package workflows_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows"
)

// What people send is kept, and told to others, as one line of plain text, whichever verb or start it comes with.
func TestWhatPeopleSendIsOneLineOfPlainText(t *testing.T) {
	const evil, shown = "a\x1b]0;pwned\a\nb", "a]0;pwned b"
	text := strconv.Quote(evil)
	text = regexp.MustCompile(`\\x1b|\\a`).ReplaceAllStringFunc(text, func(found string) string {
		return map[string]string{`\x1b`: `\u001b`, `\a`: `\u0007`}[found]
	})
	type input struct {
		json string
		into any
	}
	inputs := map[string]input{
		"a wave":       {`{"plan": %[1]s, "actor": %[1]s, "reason": %[1]s}`, new(workflows.WaveRequest)},
		"a preview":    {`{"plan": %[1]s}`, new(workflows.PreviewRequest)},
		"a scan":       {`{"plan": %[1]s}`, new(workflows.ScanRequest)},
		"a roll back":  {`{"wave_id": %[1]s, "actor": %[1]s, "reason": %[1]s}`, new(workflows.RollBackRequest)},
		"a reconcile":  {`{"actor": %[1]s, "reason": %[1]s}`, new(workflows.ReconcileRequest)},
		"a quarantine": {`{"instance": %[1]s, "actor": %[1]s, "reason": %[1]s}`, new(workflows.QuarantineRequest)},
		"a patch":      {`{"actor": %[1]s, "reason": %[1]s, "until": %[1]s}`, new(workflows.PatchesRequest)},
		"a freeze":     {`{"account": %[1]s, "actor": %[1]s, "reason": %[1]s}`, new(workflows.FreezeRequest)},
	}
	for _, verb := range patch.Verbs() {
		fields := ""
		for _, field := range verb.Spec().Fields {
			if !field.Number {
				fields += `, "` + field.Name + `": %[1]s`
			}
		}
		inputs[string(verb)] = input{
			`{"actor": %[1]s, "reason": %[1]s, "blame": %[1]s, "stage": %[1]s` + fields + `}`, new(workflows.VerbRequest),
		}
	}
	for name, in := range inputs {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, json.Unmarshal(fmt.Appendf(nil, in.json, text), in.into))
			kept, err := json.Marshal(in.into)
			require.NoError(t, err)
			require.Contains(t, string(kept), shown)
			require.NotRegexp(t, `\\u00|\\n`, string(kept))
		})
	}
}
