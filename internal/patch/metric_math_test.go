package patch

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What is replaced in an expression is what was looked for in it when the configuration was checked.
func TestWordsOfMetricMath(t *testing.T) {
	for expression, want := range map[string][]string{
		"":                       nil,
		"100 * errors/requests":  {"errors", "requests"},
		"FILL(m1,0)+_x^2":        {"FILL", "m1", "_x"},
		"IF(e_1>=1.5, e_1, e10)": {"IF", "e_1", "e_1", "e10"},
		"errors2-errors":         {"errors2", "errors"},
	} {
		require.Equal(t, want, MathWords(expression), expression)
		var replaced []string
		same := ReplaceMathWords(expression, func(word string) string {
			replaced = append(replaced, word)
			return word
		})
		require.Equal(t, want, replaced, expression)
		require.Equal(t, expression, same)
	}
	require.Equal(t, "100 * <errors>/<requests>", ReplaceMathWords("100 * errors/requests", func(word string) string {
		return "<" + word + ">"
	}))
}
