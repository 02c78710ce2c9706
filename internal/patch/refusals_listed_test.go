package patch_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

// TestEveryRefusalIsExplainedAndTried: a check refuses by each code, an operator who meets it finds it in
// docs/refusals.md, and a test has met it.
func TestEveryRefusalIsExplainedAndTried(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "refusal.go", nil, 0)
	require.NoError(t, err)
	page, err := os.ReadFile("../../docs/refusals.md")
	require.NoError(t, err)
	var tests strings.Builder
	for _, pattern := range []string{"*_test.go", "../../workflows/*_test.go"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, name := range files {
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			tests.Write(text)
		}
	}
	codes := 0
	ast.Inspect(file, func(node ast.Node) bool {
		spec, is := node.(*ast.ValueSpec)
		if !is || !strings.HasPrefix(spec.Names[0].Name, "Refused") {
			return true
		}
		codes++
		name := spec.Names[0].Name
		code, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		require.NoError(t, err)
		require.Contains(t, string(page), "\n| `"+code+"` |", "%s has no row in docs/refusals.md", name)
		checked := slices.ContainsFunc(patch.Checks(), func(c patch.Check) bool { return string(c.Code) == code })
		require.True(t, checked, "%s has no check", name)
		tried := slices.ContainsFunc([]string{"patch." + name +
			"\n", "patch." + name + ",", "patch." + name + "}", `"` + code + `"`},
			func(written string) bool { return strings.Contains(tests.String(), written) })
		require.True(t, tried, "%s has no case", name)
		return true
	})
	require.Greater(t, codes, 20)
	require.Equal(t, codes, strings.Count(string(page), "\n| `"), "docs/refusals.md has rows of refusals that are no more")
}
