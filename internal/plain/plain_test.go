package plain_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/plain"
)

func TestText(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"as people write":            {"Größe: 4 → 5, 日本語\n\tok", "Größe: 4 → 5, 日本語\n\tok"},
		"a colour":                   {"\x1b[31mred\x1b[0m", "[31mred[0m"},
		"a title, and a bell":        {"\x1b]0;root@web\a done", "]0;root@web done"},
		"an 8-bit escape":            {"\u009b31mred", "31mred"},
		"a line written over":        {"failed\rpatched", "failed\npatched"},
		"Windows":                    {"one\r\ntwo", "one\ntwo"},
		"the other direction":        {"user\u202egpj.exe\u202c\u2066x\u2069", "usergpj.exex"},
		"nothing to see":             {"i-1\u200b\u2060\ufeff2", "i-12"},
		"a line of another kind":     {"one\u2028two", "one\ntwo"},
		"no text at all":             {"a\xffb", "a?b"},
		"backspaces and a null byte": {"ok\b\b\x00no", "okno"},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, plain.Text(c.text)) })
	}
}

func TestLine(t *testing.T) {
	require.Equal(t, "one two three", plain.Line("one\r\n\ttwo\x1b\n\nthree\n"))
	require.Equal(t, "two  spaces stay", plain.Line("two  spaces stay"))
	answer := struct{ Texts []string }{[]string{"a\nb\x1b"}}
	plain.Lines(&answer)
	require.Equal(t, []string{"a b"}, answer.Texts)
}

func TestStrings(t *testing.T) {
	type inner struct{ Text string }
	const esc = "\x1b[2Jx"
	word := esc
	answer := struct {
		Text    string
		Pointer *string
		List    []inner
		Map     map[string][]string
		Bytes   []byte
		At      time.Time
		Nothing *inner
		hidden  string
	}{
		Text: esc, Pointer: &word, List: []inner{{esc}}, Map: map[string][]string{"a": {esc}}, Bytes: []byte(esc),
		At: time.Unix(1, 0), hidden: esc,
	}
	plain.Strings(&answer)
	require.Equal(t, "[2Jx", answer.Text)
	require.Equal(t, "[2Jx", word)
	require.Equal(t, "[2Jx", answer.List[0].Text)
	require.Equal(t, "[2Jx", answer.Map["a"][0])
	require.Equal(t, esc, string(answer.Bytes), "bytes are not text")
	require.Equal(t, esc, answer.hidden)
	require.NotPanics(t, func() { plain.Strings(nil); plain.Strings(answer) })
}
