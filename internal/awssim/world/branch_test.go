package world

import (
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"
)

func TestBranchComparisons(t *testing.T) {
	for _, tc := range []struct {
		name, choice string
		want         bool
		problem      string
	}{
		{"equal", `{Variable: a, StringEquals: a}`, true, ""},
		{"case counts", `{Variable: a, StringEquals: A}`, false, ""},
		{"case does not count", `{Variable: a, EqualsIgnoreCase: A}`, true, ""},
		{"starts", `{Variable: i-0abc, StartsWith: i-}`, true, ""},
		{"ends", `{Variable: i-0abc, EndsWith: abd}`, false, ""},
		{"contains", `{Variable: Amazon Linux, Contains: "n L"}`, true, ""},
		{"boolean of a runbook", `{Variable: true, BooleanEquals: "True"}`, true, ""},
		{"equal numbers in other spelling", `{Variable: "2", NumericEquals: 2.0}`, true, ""},
		{"greater is not equal", `{Variable: 3, NumericGreater: 3}`, false, ""},
		{"greater or equal", `{Variable: 3, NumericGreaterOrEquals: 3}`, true, ""},
		{"lesser", `{Variable: -1, NumericLesser: 0}`, true, ""},
		{"lesser or equal", `{Variable: 1, NumericLesserOrEquals: 0}`, false, ""},
		{"all of them", `{And: [{Variable: a, StringEquals: a}, {Variable: 2, NumericGreater: 1}]}`, true, ""},
		{"not all of them", `{And: [{Variable: a, StringEquals: a}, {Variable: 1, NumericGreater: 1}]}`, false, ""},
		{"one of them", `{Or: [{Variable: a, StringEquals: b}, {Variable: 2, NumericGreater: 1}]}`, true, ""},
		{"none of them", `{Or: [{Variable: a, StringEquals: b}, {Not: {Variable: 2, NumericGreater: 1}}]}`, false, ""},
		{"not", `{Not: {Variable: a, StringEquals: b}}`, true, ""},
		{"no number", `{Variable: a, NumericEquals: 1}`, false, `"a" is not a number`},
		{"unknown comparison", `{Variable: a, Sounds: b}`, false, "Sounds is not modelled"},
		{"no comparison", `{Variable: a}`, false, "no comparison"},
		{"nothing to join", `{And: []}`, false, "And holds no comparisons"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var choice map[string]any
			require.NoError(t, yaml.Unmarshal([]byte(tc.choice), &choice))
			holds, err := choose(choice)
			if tc.problem != "" {
				require.ErrorContains(t, err, tc.problem)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.want, holds)
		})
	}
}

func TestSelectors(t *testing.T) {
	tree := map[string]any{"A": []any{
		map[string]any{"B": "1", "Tags": []any{map[string]any{"Key": "x"}}},
		map[string]any{"B": "2", "C": map[string]any{"B": "3"}},
	}}
	for _, tc := range []struct {
		selector string
		want     []any
		problem  string
	}{
		{"$.A[0].B", []any{"1"}, ""},
		{"$.A[-1].B", []any{"2"}, ""},
		{"$.A[*].B", []any{"1", "2"}, ""},
		{"$..B", []any{"1", "2", "3"}, ""},
		{"$.A[1]['C'].B", []any{"3"}, ""},
		{"$.A[7].B", nil, ""},
		{"$.A.B", nil, ""},
		{"A", nil, "does not begin with $"},
		{"$.A[?(@.B=='1')]", nil, "is not modelled"},
	} {
		t.Run(tc.selector, func(t *testing.T) {
			path, err := parseSelector(tc.selector)
			if tc.problem != "" {
				require.ErrorContains(t, err, tc.problem)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.want, path.pick(tree))
		})
	}
}
