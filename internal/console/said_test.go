package console_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// What a wave says in the words of its Updates is said in those of the command line, and a refusal begins with its
// code.
func TestWhatAnErrorSays(t *testing.T) {
	typed := func(message, code string) error {
		return fmt.Errorf("workflow failed: %w", temporal.NewNonRetryableApplicationError(message, code, nil))
	}
	invalid := func(message string) error { return typed(message+names.RightInput+`{"actor": "you"}`, "InvalidInput") }
	status := patch.WaveStatus{State: patch.StateOnHold, Stage: "production", Hold: 2}
	elsewhere := patch.Retry.Means(patch.Point{Hold: 1}, status, nil)
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"a field that is missing", invalid("reason: is missing; say why"), "--reason is missing; say why"},
		{"a field of two words", invalid("max_parallel_groups: must be 1 or more"), "--max-parallel-groups must be 1 or more"},
		{"a value", invalid(`account: there is no "prod"`), `--account: there is no "prod"`},
		{"what is no flag", invalid("wave_id: is missing"), "WAVE is missing"},
		{"an unknown plan", invalid(`there is no plan "wbe"; it knows web`), `there is no plan "wbe"; it knows web`},
		{"a refusal", typed("web is being patched by wave w", "GroupLocked"), "GroupLocked: web is being patched by wave w"},
		{"a refusal that says its code", typed("Frozen: web: by ann", "Frozen"), "Frozen: web: by ann"},
		{
			"verbs", typed(patch.VerbAllowed(patch.Skip, patch.StateRunning, patch.Verbs()[6:9]).Error(), "errorString"),
			"the wave is running: it takes roll-back, abort, set-concurrency, not skip",
		},
		{
			"a verb for elsewhere", typed(elsewhere.Error(), "wrapError"),
			"retry is for hold 1; the wave is at hold 2 of stage production now and is on hold. Look, and where it is meant " +
				"for that send it with --stage production --hold 2",
		},
		{"another error", errors.New("connection\x1b lost"), "connection lost"},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, console.Said(c.err)) })
	}
}
