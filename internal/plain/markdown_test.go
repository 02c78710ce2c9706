package plain_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/plain"
)

func TestMarkdown(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"as people write":      {"eu/web: 1 failed, more than 0. Send roll_back.", "eu/web: 1 failed, more than 0. Send roll_back."},
		"a link":               {"[approve](https://evil.example)", `\[approve\](https\://evil.example)`},
		"an address":           {"see www.evil.example, a@evil.example", `see www\.evil.example, a\@evil.example`},
		"a picture":            {"![x](//evil.example/?leak)", `!\[x\](//evil.example/?leak)`},
		"markup":               {"<img src=x>&lt;", `\<img src=x>\&lt;`},
		"a table, a new line":  {"a | b\n| c |\n\n# heading", `a \| b \| c \| # heading`},
		"a heading":            {"# all is well", `\# all is well`},
		"a list":               {"- one", `\- one`},
		"emphasis":             {"**done** _now_ ~~not~~ `x`", "\\*\\*done\\*\\* \\_now\\_ \\~\\~not\\~\\~ \\`x\\`"},
		"what is escaped":      {`a\*b`, `a\\\*b`},
		"a flag":               {"with --scope wave, or --give-up", "with `--scope` wave, or `--give-up`"},
		"dashes":               {"-- x --- a--b -", "\\-- x --- a--b -"},
		"what would be obeyed": {"\x1b[31mred", `\[31mred`},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, plain.Markdown(c.text)) })
	}
}
