package palette

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"strings"
	"testing"

	"charm.land/lipgloss/v2"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func TestMarks(t *testing.T) {
	type look struct {
		sign  string
		style lipgloss.Style
	}
	for outcome, want := range map[patch.Outcome]look{
		patch.Patched: {"✓", Good}, patch.AlreadyCompliant: {"✓", Good}, patch.Succeeded: {"✓", Good},
		patch.WouldRun: {"✓", Good}, patch.Released: {"✓", Good},
		patch.RolledBack: {"↩", Back}, patch.Skipped: {"~", Back}, patch.SucceededWithSkips: {"~", Back},
		patch.Gone: {"~", Back}, patch.Terminated: {"~", Back},
		patch.Failed: {"✗", Bad}, patch.Quarantined: {"✗", Bad}, patch.Aborted: {"✗", Bad}, patch.Blocked: {"✗", Bad},
		patch.NotStarted: {"·", Quiet}, "": {"·", Quiet}, "something newer": {"·", Quiet},
	} {
		mark := Of(outcome)
		require.Equal(t, want, look{mark.Sign, mark.Style}, "%q", outcome)
	}
}

// An outcome that internal/patch learns needs a mark, or it would pass for one that has not ended.
func TestEveryOutcomeHasAMark(t *testing.T) {
	outcomes := outcomesIn(t, os.DirFS("../patch"))
	require.Contains(t, outcomes, patch.Patched)
	require.Contains(t, outcomes, patch.WouldRun, "from another file")
	for _, outcome := range outcomes {
		require.Contains(t, marks, outcome)
	}
	require.Len(t, outcomes, len(marks))
}

// outcomesIn reads the constants of type Outcome from a package's source.
func outcomesIn(t *testing.T, folder fs.FS) (all []patch.Outcome) {
	t.Helper()
	files, err := fs.Glob(folder, "*.go")
	require.NoError(t, err)
	for _, name := range files {
		text, err := fs.ReadFile(folder, name)
		require.NoError(t, err)
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(file, func(node ast.Node) bool {
			spec, isValue := node.(*ast.ValueSpec)
			if !isValue {
				return true
			}
			if kind, named := spec.Type.(*ast.Ident); named && kind.Name == "Outcome" {
				for _, value := range spec.Values {
					if text, literal := value.(*ast.BasicLit); literal {
						all = append(all, patch.Outcome(strings.Trim(text.Value, `"`)))
					}
				}
			}
			return true
		})
	}
	return all
}
