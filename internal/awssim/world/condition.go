package world

import (
	"fmt"
	"slices"
	"strings"
)

// condition is one operator on one key of a statement's Condition.
type condition struct {
	key      string
	values   []string
	matches  func(pattern, value string) bool
	negated  bool
	all      bool // ForAllValues
	ifExists bool
	absent   bool // Null with true: the key must not be there
	present  bool // Null with false: it must
}

// conditionKeys are the keys that are modelled; those that end in / go on with a tag's key.
var conditionKeys = []string{
	"aws:ResourceTag/", "aws:RequestTag/", "aws:TagKeys", "aws:RequestedRegion", "aws:PrincipalAccount",
	"aws:PrincipalArn", "aws:SourceArn", "aws:SourceAccount", "aws:SourceOwner", "aws:SecureTransport",
	"ssm:resourceTag/", "ec2:ResourceTag/", "autoscaling:ResourceTag/", "elasticloadbalancing:ResourceTag/",
	"ec2:CreateAction", "iam:PassedToService", "sts:ExternalId",
}

func newCondition(operator, key string, values []string) (condition, error) {
	c := condition{key: key, values: values}
	if !slices.ContainsFunc(conditionKeys, func(known string) bool {
		if strings.HasSuffix(known, "/") {
			return len(key) > len(known) && strings.EqualFold(key[:len(known)], known)
		}
		return strings.EqualFold(key, known)
	}) {
		return c, fmt.Errorf("condition key %s is not modelled; modelled are %s", key, strings.Join(conditionKeys, ", "))
	}
	for _, value := range values {
		if strings.Contains(value, "${") {
			return c, fmt.Errorf("condition on %s: policy variables like %q are not modelled", key, value)
		}
	}
	name := operator
	if rest, ok := strings.CutPrefix(name, "ForAllValues:"); ok {
		name, c.all = rest, true
	}
	name = strings.TrimPrefix(name, "ForAnyValue:")
	name, c.ifExists = strings.CutSuffix(name, "IfExists")
	equal := func(pattern, value string) bool { return pattern == value }
	switch name {
	case "StringEquals":
		c.matches = equal
	case "StringNotEquals":
		c.matches, c.negated = equal, true
	case "StringEqualsIgnoreCase", "Bool":
		c.matches = strings.EqualFold
	case "StringLike", "ArnLike", "ArnEquals":
		c.matches = Matches
	case "StringNotLike", "ArnNotLike":
		c.matches, c.negated = Matches, true
	case "Null":
		c.absent = slices.Contains(values, "true")
		c.present = !c.absent
	default:
		return c, fmt.Errorf("condition operator %s is not modelled", operator)
	}
	return c, nil
}

// holds reports whether the condition is met. A key that is not in the request meets negated and IfExists operators and
// ForAllValues only, as on AWS.
func (c condition) holds(context map[string][]string) bool {
	values, there := lookUpKey(context, c.key)
	switch {
	case c.absent || c.present:
		return there == c.present
	case !there || len(values) == 0:
		return c.negated || c.ifExists || c.all
	}
	for _, value := range values {
		met := slices.ContainsFunc(c.values, func(pattern string) bool { return c.matches(pattern, value) }) != c.negated
		if met != c.all {
			return met // one that meets it is enough, or one that does not is too many
		}
	}
	return c.all
}

// lookUpKey finds a condition key, whose case does not count except that of a tag's key.
func lookUpKey(context map[string][]string, key string) ([]string, bool) {
	if values, ok := context[key]; ok {
		return values, true
	}
	for known, values := range context {
		prefix, tag, tagged := strings.Cut(known, "/")
		wantedPrefix, wantedTag, _ := strings.Cut(key, "/")
		if strings.EqualFold(prefix, wantedPrefix) && (!tagged || tag == wantedTag) {
			return values, true
		}
	}
	return nil, false
}
