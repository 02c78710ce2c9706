package services

import (
	"net/http"
	"slices"
	"strings"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// askerOf is who makes a call.
func askerOf(call api.Call) world.Asker {
	return world.Asker{Account: call.Account, Caller: call.Caller}
}

// asked is what a caller asks the policy of a resource.
func asked(call api.Call, action, resource string) world.Ask {
	return world.Ask{Action: action, Resource: resource, Context: map[string][]string{
		"aws:PrincipalAccount": {call.Account}, "aws:PrincipalArn": {call.Caller}, "aws:RequestedRegion": {call.Region},
		"aws:SourceOwner": {call.Account}, "aws:SecureTransport": {"true"},
	}}
}

// because is how a refusal goes on that the policy of a resource is the reason of.
func because(verdict world.Verdict, action string) string {
	if verdict == world.Denied {
		return " with an explicit deny in a resource-based policy"
	}
	return " because no resource-based policy allows the " + action + " action"
}

// grants tells what the policy of a queue or topic says, for a caller of its own account whom no policy of IAM allows.
func (m *messageStore) grants(who world.Asker, ask world.Ask) world.Verdict {
	if t := m.topics[ask.Resource]; t != nil && t.account == who.Account {
		return t.policy.Decide(who, ask)
	}
	for _, q := range m.queues {
		if q.arn == ask.Resource && q.account == who.Account {
			return q.policy.Decide(who, ask)
		}
	}
	return world.NotAllowed
}

// takesFrom reports whether a queue's policy lets a topic send to it.
func (q *queue) takesFrom(t *topic) bool {
	return q.policy.Decide(world.Asker{Service: "sns.amazonaws.com"}, world.Ask{
		Action: "sqs:SendMessage", Resource: q.arn, Context: map[string][]string{
			"aws:SourceArn": {t.arn}, "aws:SourceAccount": {t.account}, "aws:SecureTransport": {"true"},
		},
	}) == world.Allowed
}

// ownersOnly are SQS's operations that no policy opens to other accounts (SQS guide, "Limitations of Amazon SQS custom
// policies").
var ownersOnly = []string{
	"CreateQueue", "DeleteQueue", "ListQueues", "ListQueueTags", "SetQueueAttributes", "TagQueue", "UntagQueue",
}

// mayUse refuses callers that a queue's policy does not let in.
func (q *queue) mayUse(call api.Call) error {
	action := ActionOf("sqs", call.Operation)
	verdict := q.policy.Lets(q.account, askerOf(call), asked(call, action, q.arn))
	if q.account != call.Account && slices.Contains(ownersOnly, call.Operation) {
		verdict = world.NotAllowed
	}
	if verdict == world.Allowed {
		return nil
	}
	action = "sqs:" + strings.ToLower(strings.TrimPrefix(action, "sqs:"))
	return &api.Error{
		Code: "AccessDeniedException", Status: http.StatusForbidden,
		Message: "User: " + call.Caller + " is not authorized to perform: " + action + " on resource: " + q.arn +
			because(verdict, action),
	}
}

// mayUse refuses callers that a topic's policy does not let in.
func (t *topic) mayUse(call api.Call) error {
	action := "SNS:" + call.Operation
	verdict := t.policy.Lets(t.account, askerOf(call), asked(call, action, t.arn))
	if verdict == world.Allowed {
		return nil
	}
	return notAuthorized(call, t.arn, verdict)
}

func notAuthorized(call api.Call, arn string, verdict world.Verdict) error {
	action := "SNS:" + call.Operation
	return &api.Error{
		Code: "AuthorizationError", Status: http.StatusForbidden,
		Message: "User: " + call.Caller + " is not authorized to perform: " + action + " on resource: " + arn +
			because(verdict, action),
	}
}

// setPolicy reads the policy of a queue or topic; an empty text is none. Wrong is the refusal of one that AWS would not
// take.
func setPolicy(text string, wrong *api.Error) (*world.ResourcePolicy, error) {
	if text == "" {
		return nil, nil
	}
	policy, malformed, err := world.ParseResourcePolicy(text)
	switch {
	case malformed:
		return nil, wrong
	case err != nil:
		return nil, api.NotModelled("%v", err)
	}
	return policy, nil
}
