package console

import (
	"fmt"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func TestAPlanTellsWhatWouldBindAStage(t *testing.T) {
	ref := &patch.ManifestRef{WaveID: "wave-web-20361122-020000", SHA256: strings.Repeat("0123456789", 6) + "abcd"}
	many := []patch.BoundPackage{}
	for n := range 12 {
		many = append(many, patch.BoundPackage{Name: fmt.Sprintf("lib%d.x86_64", n), From: []string{"0:1-1"}, To: "0:1-2", Due: 1})
	}
	for _, c := range []struct {
		name  string
		bound *patch.PreviewBound
		want  []string
		not   string
	}{
		{"nothing binds it", nil, nil, "manifest"},
		{"none was made", &patch.PreviewBound{NotYet: []string{"curl.x86_64 0:8-2"}}, []string{
			"manifest none yet: no earlier wave of the plan has made one",
			"! not in it, and comes only once this wave has proved it before: curl.x86_64 0:8-2",
		}, ""},
		{"one was", &patch.PreviewBound{Manifest: ref, Systems: []patch.BoundSystem{{
			Name: "amzn 2023", Packages: []patch.BoundPackage{
				{Name: "curl.x86_64", From: []string{"0:8-0", "0:8-1"}, To: "0:8-2", Due: 4},
				{Name: "new.noarch", From: []string{""}, To: "0:1-1", Due: 1},
				{Name: "held.noarch", From: []string{"0:1-1"}, To: "0:1-2"},
			},
		}}, Unproven: []string{"wave-web-2: its document was altered"}}, []string{
			"manifest 012345678901 of wave-web-20361122-020000: 3 packages of amzn 2023,",
			"curl.x86_64 0:8-0 or 0:8-1 → 0:8-2", "new.noarch nothing → 0:1-1",
			"! not believed: wave-web-2: its document was altered",
		}, "held.noarch"},
		{"many are due", &patch.PreviewBound{
			Manifest: ref, Systems: []patch.BoundSystem{{Name: "amzn 2023", Packages: many}},
		}, []string{"lib9.x86_64 0:1-1 → 0:1-2", "and 2 more, see --json"}, "lib10"},
		{"it cannot be read", &patch.PreviewBound{Unknown: "the bucket is away"}, []string{
			"manifest is not known: the bucket is away",
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := &planWriter{page: Page{Width: 80, Terminal: true}}
			planBound(text, c.bound)
			told := ansi.Strip(text.String())
			whole := strings.Join(strings.Fields(told), " ")
			for _, want := range c.want {
				require.Contains(t, whole, want)
			}
			if c.not != "" {
				require.NotContains(t, whole, c.not)
			}
			for line := range strings.Lines(told) {
				require.LessOrEqual(t, len([]rune(strings.TrimRight(line, "\n"))), 80, line)
			}
		})
	}
}
