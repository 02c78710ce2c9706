package world

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Policy is an identity-based policy of IAM: statements that allow or deny actions on resources under conditions.
type Policy struct {
	statements []statement
}

type statement struct {
	allow      bool
	actions    []string
	resources  []string
	conditions []condition
}

// Ask is one question to a policy.
type Ask struct {
	Action   string              // ec2:CreateSnapshot
	Resource string              // ARN, or * for actions that know no resources
	Context  map[string][]string // condition keys with their values, as AWS spells the keys
}

// Verdict is a policy's answer.
type Verdict int

// Nothing allows it; a statement allows it and none denies it; a statement denies it.
const (
	NotAllowed Verdict = iota
	Allowed
	Denied
)

// listOrOne is how policies spell lists: one text need not be in brackets.
type listOrOne []string

func (l *listOrOne) UnmarshalJSON(text []byte) error {
	var one any
	if err := json.Unmarshal(text, &one); err != nil {
		return err
	}
	items, isList := one.([]any)
	if !isList {
		items = []any{one}
	}
	for _, item := range items {
		switch item.(type) {
		case string, bool, float64:
			*l = append(*l, fmt.Sprint(item))
		default:
			return fmt.Errorf("%v is neither a text nor a list of texts", item)
		}
	}
	return nil
}

// ParsePolicy reads a policy document. What is not modelled, NotAction and the like, conditions by other operators or
// keys, policy variables, is an error.
func ParsePolicy(text string) (*Policy, error) {
	statements, err := splitPolicy(text, "2012-10-17")
	if err != nil {
		return nil, err
	}
	policy := &Policy{}
	for n, raw := range statements {
		var one writtenStatement
		if err := strictJSON(raw, &one); err != nil {
			return nil, fmt.Errorf("policy: Statement: %w", err)
		}
		parsed, err := one.parse()
		if err != nil {
			return nil, fmt.Errorf("policy: statement %d: %w", n+1, err)
		}
		policy.statements = append(policy.statements, parsed)
	}
	return policy, nil
}

// splitPolicy reads a document of one of the versions, the first of which is the one to write, into its statements.
func splitPolicy(text string, versions ...string) ([]json.RawMessage, error) {
	var document struct {
		Version   string
		ID        string `json:"Id"`
		Statement json.RawMessage
	}
	if err := strictJSON([]byte(text), &document); err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	if !slices.Contains(versions, document.Version) && (len(versions) == 1 || document.Version != "") {
		return nil, fmt.Errorf("policy: Version is %q; write %s", document.Version, versions[0])
	}
	raw := bytes.TrimSpace(document.Statement)
	if len(raw) > 0 && raw[0] == '{' {
		raw = slices.Concat([]byte{'['}, raw, []byte{']'})
	}
	var statements []json.RawMessage
	if err := strictJSON(raw, &statements); err != nil {
		return nil, fmt.Errorf("policy: Statement: %w", err)
	}
	return statements, nil
}

type writtenStatement struct {
	Sid       string
	Effect    string
	Action    listOrOne
	Resource  listOrOne
	Condition map[string]map[string]listOrOne
}

// errUnmodelledCondition is a condition that AWS has and this world has not.
var errUnmodelledCondition = errors.New("condition")

func (s writtenStatement) parse() (statement, error) {
	parsed := statement{allow: s.Effect == "Allow", actions: s.Action, resources: s.Resource}
	if s.Effect != "Allow" && s.Effect != "Deny" || len(s.Action) == 0 || len(s.Resource) == 0 {
		return parsed, errors.New("an Effect of Allow or Deny, an Action and a Resource are needed")
	}
	for operator, keys := range s.Condition {
		for key, values := range keys {
			c, err := newCondition(operator, key, values)
			if err != nil {
				return parsed, fmt.Errorf("%w: %w", errUnmodelledCondition, err)
			}
			parsed.conditions = append(parsed.conditions, c)
		}
	}
	return parsed, nil
}

func strictJSON(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}

// Decide answers a question: a Deny that matches wins over any Allow.
func (p *Policy) Decide(ask Ask) Verdict {
	verdict := NotAllowed
	for _, s := range p.statements {
		if !s.covers(ask) {
			continue
		}
		if !s.allow {
			return Denied
		}
		verdict = Allowed
	}
	return verdict
}

func (s statement) covers(ask Ask) bool {
	action, resource := false, false
	for _, pattern := range s.actions {
		action = action || Matches(strings.ToLower(pattern), strings.ToLower(ask.Action))
	}
	for _, pattern := range s.resources {
		resource = resource || Matches(pattern, ask.Resource)
	}
	return action && resource && !slices.ContainsFunc(
		s.conditions, func(c condition) bool { return !c.holds(ask.Context) },
	)
}

// RoleOf is the name of the role whose session a caller's ARN names; "" for others.
func RoleOf(caller string) string {
	_, rest, _ := strings.Cut(caller, ":assumed-role/")
	name, _, _ := strings.Cut(rest, "/")
	return name
}

// Policy is the policy of a role of the account; nil when it has none and may do everything.
func (a *Account) Policy(role string) *Policy { return a.policies[role] }

// SetPolicy gives a role another policy, as somebody may do in the middle of a wave; nil takes it away.
func (a *Account) SetPolicy(role string, policy *Policy) { a.policies[role] = policy }

// ServiceControl is the organisation's policy for the account, which no role may do more than; nil: there is none.
func (a *Account) ServiceControl() *Policy { return a.control }

// SetServiceControl gives the account another policy of its organisation.
func (a *Account) SetServiceControl(policy *Policy) { a.control = policy }

func (a *Account) buildPolicies() (err error) {
	if text := a.Spec.ServiceControlPolicy; text != "" {
		if a.control, err = ParsePolicy(text); err != nil {
			return fmt.Errorf("account %s: its service control policy: %w", a.Name, err)
		}
	}
	a.policies = map[string]*Policy{}
	for _, role := range a.Spec.Roles {
		if role.Policy == "" {
			continue
		}
		policy, err := ParsePolicy(role.Policy)
		if err != nil {
			return fmt.Errorf("role %s: %w", role.Name, err)
		}
		a.policies[role.Name] = policy
	}
	return nil
}
