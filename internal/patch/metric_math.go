package patch

import "regexp"

// mathWord is an id of metric math, or a function of it.
var mathWord = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_]*`)

// MathWords are the ids and functions of an expression of CloudWatch's metric math, in its order.
func MathWords(expression string) []string { return mathWord.FindAllString(expression, -1) }

// ReplaceMathWords puts something in the place of each of an expression's MathWords.
func ReplaceMathWords(expression string, by func(word string) string) string {
	return mathWord.ReplaceAllStringFunc(expression, by)
}
