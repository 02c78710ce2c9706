package run_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// Details are Markdown, and what is filled into them is not ours alone.
func TestWhatIsFilledIntoDetailsIsShownAsItIs(t *testing.T) {
	const reason = "failed\n\n# All is well\n[approve](https://evil.example) ![x](//evil.example) | <b> `x`"
	var text strings.Builder
	run.Write(&text, "**%s** %d of %s: %s %s\n", patch.Skip, 2, patch.Group{Region: "[r]"}, reason, run.PageOf("n", "w", "a|b"))
	require.Equal(t, `**skip** 2 of /\[r\]/: failed # All is well \[approve\](https\://evil.example) !\[x\](//evil.example) `+
		"\\| \\<b> \\`x\\` [a\\|b](namespaces/n/workflows/w)\n", text.String())
	require.Equal(t, run.Marked("`a \\| 'b'`"), run.Code("a | `b`"))
	require.NotContains(t, run.Cell(reason), "\n")
	require.Equal(t, `failed\|`, string(run.Cell("failed|")))
}
