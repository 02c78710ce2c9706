package world

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPolicyMistakesAreNamed(t *testing.T) {
	statement := func(text string) string { return `{"Version": "2012-10-17", "Statement": [` + text + `]}` }
	for _, tc := range []struct{ name, policy, want string }{
		{"not JSON", `{`, "unexpected EOF"},
		{"no version", `{"Statement": []}`, "write 2012-10-17"},
		{"NotAction", statement(`{"Effect": "Allow", "NotAction": "a:b", "Resource": "*"}`), "NotAction"},
		{"no resource", statement(`{"Effect": "Allow", "Action": "a:b"}`), "Resource are needed"},
		{
			"unknown operator",
			statement(`{"Effect": "Allow", "Action": "a:b", "Resource": "*", "Condition": {"IpAddress": {"aws:TagKeys": "x"}}}`),
			"operator IpAddress",
		},
		{
			"unknown key",
			statement(
				`{"Effect": "Allow", "Action": "a:b", "Resource": "*", "Condition": {"StringEquals": {"aws:SourceIp": "x"}}}`,
			),
			"aws:SourceIp",
		},
		{
			"policy variable",
			statement(
				`{"Effect": "Allow", "Action": "a:b", "Resource": "*", "Condition": {"StringEquals": {"aws:ResourceTag/a": "${aws:username}"}}}`,
			),
			"policy variables",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := ParsePolicy(tc.policy)
			require.ErrorContains(t, err, tc.want)
		})
	}
}

func TestConditions(t *testing.T) {
	context := map[string][]string{"aws:ResourceTag/Role": {"web"}, "aws:TagKeys": {"a", "b"}}
	for _, tc := range []struct {
		name, operator, key string
		values              []string
		want                bool
	}{
		{"equal", "StringEquals", "aws:ResourceTag/Role", []string{"db", "web"}, true},
		{"the key's case does not count", "StringEquals", "AWS:resourcetag/Role", []string{"web"}, true},
		{"the tag's does", "StringEquals", "aws:ResourceTag/role", []string{"web"}, false},
		{"like", "StringLike", "aws:ResourceTag/Role", []string{"w*"}, true},
		{"not equal", "StringNotEquals", "aws:ResourceTag/Role", []string{"web", "db"}, false},
		{"a missing key is not equal", "StringNotEquals", "aws:ResourceTag/Team", []string{"a"}, true},
		{"if it exists", "StringEqualsIfExists", "aws:ResourceTag/Team", []string{"a"}, true},
		{"missing", "StringEquals", "aws:ResourceTag/Team", []string{"a"}, false},
		{"must be missing", "Null", "aws:ResourceTag/Team", []string{"true"}, true},
		{"must be there", "Null", "aws:ResourceTag/Team", []string{"false"}, false},
		{"all of several", "ForAllValues:StringEquals", "aws:TagKeys", []string{"a", "b", "c"}, true},
		{"not all of several", "ForAllValues:StringEquals", "aws:TagKeys", []string{"a"}, false},
		{"any of several", "ForAnyValue:StringEquals", "aws:TagKeys", []string{"b"}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := newCondition(tc.operator, tc.key, tc.values)
			require.NoError(t, err)
			require.Equal(t, tc.want, c.holds(context))
		})
	}
}
