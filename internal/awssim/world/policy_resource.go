package world

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// ResourcePolicy is the policy of a queue, a topic or a bucket: statements that allow or deny actions to principals.
type ResourcePolicy struct {
	Text       string
	statements []resourceStatement
}

type resourceStatement struct {
	statement
	principals principals
}

// principals are to whom a statement applies.
type principals struct {
	AWS     listOrOne
	Service listOrOne
}

// errMalformed is a policy that AWS refuses too.
var errMalformed = errors.New("malformed")

// ParseResourcePolicy reads a policy. Malformed reports whether AWS itself would refuse it; any other error is of what
// is not modelled, NotPrincipal and the like.
func ParseResourcePolicy(text string) (policy *ResourcePolicy, malformed bool, err error) {
	policy = &ResourcePolicy{Text: text}
	statements, err := splitPolicy(text, "2012-10-17", "2008-10-17")
	if err != nil {
		return nil, true, err
	}
	for n, raw := range statements {
		parsed, err := parseResourceStatement(raw)
		if err != nil {
			return nil, errors.Is(err, errMalformed), fmt.Errorf("statement %d: %w", n+1, err)
		}
		policy.statements = append(policy.statements, parsed)
	}
	return policy, false, nil
}

func parseResourceStatement(raw json.RawMessage) (resourceStatement, error) {
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(raw, &keys); err != nil {
		return resourceStatement{}, fmt.Errorf("%w: %w", errMalformed, err)
	}
	for _, key := range []string{"NotPrincipal", "NotAction", "NotResource"} {
		if _, there := keys[key]; there {
			return resourceStatement{}, api.NotModelled("%s in the policy of a resource", key)
		}
	}
	if keys["Principal"] == nil {
		return resourceStatement{}, fmt.Errorf("%w: Principal is missing", errMalformed)
	}
	var found resourceStatement
	if err := found.principals.read(keys["Principal"]); err != nil {
		return found, err
	}
	delete(keys, "Principal")
	rest, err := json.Marshal(keys)
	if err != nil {
		return found, err
	}
	var one writtenStatement
	if err := strictJSON(rest, &one); err != nil {
		return found, fmt.Errorf("%w: %w", errMalformed, err)
	}
	found.statement, err = one.parse()
	switch {
	case errors.Is(err, errUnmodelledCondition):
		return found, api.NotModelled("the policy of a resource: %v", err)
	case err != nil:
		return found, fmt.Errorf("%w: %w", errMalformed, err)
	}
	return found, nil
}

// read reads "*" or a map of kinds of principals.
func (p *principals) read(raw json.RawMessage) error {
	var all string
	if json.Unmarshal(raw, &all) == nil {
		if all != "*" {
			return fmt.Errorf("%w: Principal %q", errMalformed, all)
		}
		p.AWS, p.Service = listOrOne{"*"}, listOrOne{"*"}
		return nil
	}
	var kinds map[string]listOrOne
	if err := json.Unmarshal(raw, &kinds); err != nil {
		return fmt.Errorf("%w: Principal: %w", errMalformed, err)
	}
	for kind, list := range kinds {
		switch kind {
		case "AWS":
			p.AWS = list
		case "Service":
			p.Service = list
		case "CanonicalUser", "Federated":
			return api.NotModelled("principals of the kind %s in the policy of a resource", kind)
		default:
			return fmt.Errorf("%w: Principal has no kind %q", errMalformed, kind)
		}
	}
	// {"AWS": "*"} is everybody, AWS's services too (IAM guide, "AWS JSON policy elements: Principal").
	if slices.Contains(p.AWS, "*") {
		p.Service = append(p.Service, "*")
	}
	return nil
}

// Asker is who asks a resource: a caller by its ARN, or one of AWS's services.
type Asker struct {
	Account string
	Caller  string // ARN
	Service string // sns.amazonaws.com; empty: a caller asks
}

func (p principals) include(who Asker) bool {
	if who.Service != "" {
		return slices.Contains(p.Service, "*") || slices.Contains(p.Service, who.Service)
	}
	return slices.ContainsFunc(p.AWS, func(named string) bool {
		role := "arn:aws:iam::" + who.Account + ":role/" + RoleOf(who.Caller)
		return slices.Contains([]string{"*", who.Account, "arn:aws:iam::" + who.Account + ":root", who.Caller, role}, named)
	})
}

// Decide answers for one who asks; a nil policy allows nothing.
func (p *ResourcePolicy) Decide(who Asker, ask Ask) Verdict {
	verdict := NotAllowed
	if p == nil {
		return verdict
	}
	for _, s := range p.statements {
		if !s.principals.include(who) || !s.covers(ask) {
			continue
		}
		if !s.allow {
			return Denied
		}
		verdict = Allowed
	}
	return verdict
}

// Lets reports whether a resource of an account lets somebody act: its own account unless its policy denies it, others
// only where the policy allows it (IAM guide, "Policy evaluation logic").
func (p *ResourcePolicy) Lets(owner string, who Asker, ask Ask) Verdict {
	verdict := p.Decide(who, ask)
	if verdict == NotAllowed && who.Service == "" && who.Account == owner {
		return Allowed
	}
	return verdict
}

// About reports whether every statement is about a resource or what is in it.
func (p *ResourcePolicy) About(arn string) bool {
	return !slices.ContainsFunc(p.statements, func(s resourceStatement) bool {
		return slices.ContainsFunc(s.resources, func(resource string) bool {
			return !Matches(resource, arn) && !strings.HasPrefix(resource, arn+"/")
		})
	})
}

// narrowing are the condition keys by which a policy for everybody is not public (S3 guide, "The meaning of public").
var narrowing = []string{
	"aws:SourceArn", "aws:SourceAccount", "aws:PrincipalAccount", "aws:PrincipalArn", "aws:SourceOwner",
}

// Public reports whether the policy allows anything to everybody.
func (p *ResourcePolicy) Public() bool {
	narrow := func(c condition) bool {
		return !c.negated && slices.ContainsFunc(narrowing, func(key string) bool { return strings.EqualFold(key, c.key) })
	}
	return slices.ContainsFunc(p.statements, func(s resourceStatement) bool {
		return s.allow && slices.Contains(s.principals.AWS, "*") && !slices.ContainsFunc(s.conditions, narrow)
	})
}

// Granted is the verdict of the resource that is asked about, where it is one that has a policy.
func (w *World) Granted(who Asker, ask Ask) Verdict {
	for _, grants := range w.Grants {
		if verdict := grants(who, ask); verdict != NotAllowed {
			return verdict
		}
	}
	return NotAllowed
}
