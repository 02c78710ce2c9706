package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheLimitsAreThoseOfTheDescriptions(t *testing.T) {
	want, err := lines()
	require.NoError(t, err)
	kept, err := os.ReadFile("../limits.txt")
	require.NoError(t, err)
	require.Equal(t, want, string(kept), "go generate ./internal/awssim/wire")
}

func TestAPatternIsOfGoOrAnError(t *testing.T) {
	for name, c := range map[string]struct{ of, want string }{
		"no control characters": {
			`[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\r\n\t]*`,
			`[\x{0020}-\x{D7FF}\x{E000}-\x{FFFD}\x{10000}-\x{10FFFF}\r\n\t]*`,
		},
		"not only blanks": {`^(?!\s*$).+`, `.*\S.*`},
		"plain":           {`i-[0-9a-f]+`, `i-[0-9a-f]+`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := pattern(c.of)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
	_, err := pattern(`a(?=b)`)
	require.Error(t, err)
}
