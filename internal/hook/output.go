// Package hook is how people's own hooks are asked over the network, and what is kept of what they say: plain, bounded,
// and without secrets.
package hook

import (
	"regexp"
	"strings"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/plain"
)

// cutOut stands where a secret was.
const cutOut = "[secret]"

// given are the texts that look like a secret being told: by its name, with a value behind it, or by its form. A value
// is one word, or what stands between quotes.
var given = []struct {
	form *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)`), cutOut},
	{
		regexp.MustCompile(`(?i)([\w.-]*(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|private[_-]?key|` +
			`access[_-]?key|credentials?|authorization)[\w.-]*["']?\s*(?:=>|[:=])\s*)(?:(?:bearer|basic)\s+)?` +
			`(?:"[^"\n]*"|'[^'\n]*'|[^\s"',;}]+)`),
		"${1}" + cutOut,
	},
	{regexp.MustCompile(`(?i)(\bbearer\s+)[A-Za-z0-9._~+/=-]{8,}`), "${1}" + cutOut},
	{regexp.MustCompile(`(://[^/\s:@]+:)[^/\s@]+@`), "${1}" + cutOut + "@"}, // a password in a URL
	{regexp.MustCompile(`\b(?:AKIA|ASIA)[A-Z0-9]{16}\b`), cutOut},
	{regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+`), cutOut},
	{regexp.MustCompile(`\bxox[a-z]-[A-Za-z0-9-]+`), cutOut},
}

// Output is what is kept of what a hook said: made plain, with the secrets that we know and what looks like one cut
// out, and of what is longer than patch.MostHookOutput the end.
func Output(said string, secrets ...string) string {
	said = strings.TrimSpace(Cut(said, secrets...))
	over := len(said) - patch.MostHookOutput
	if over <= 0 {
		return said
	}
	const more = "... "
	return more + strings.ToValidUTF8(said[over+len(more):], "")
}

// Cut makes a text plain and takes secrets out of it. Those that we know are cut first: they may be part of what looks
// like another.
func Cut(said string, secrets ...string) string {
	said = plain.Text(said)
	for _, secret := range secrets {
		if len(secret) > 3 { // a shorter one is a part of many words, and protects nothing
			said = strings.ReplaceAll(said, secret, cutOut)
		}
	}
	for _, each := range given {
		said = each.form.ReplaceAllString(said, each.with)
	}
	return said
}
