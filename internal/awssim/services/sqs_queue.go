package services

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// queueAttributes are those of a queue that were set, as SQS names them.
type queueAttributes map[string]string

// numbers are the attributes that are numbers, with their bounds and defaults (API reference of SetQueueAttributes).
var numbers = map[string]struct{ least, most, usual int }{
	"DelaySeconds": {0, 900, 0}, "MaximumMessageSize": {1024, largestQueued, largestQueued},
	"MessageRetentionPeriod": {60, 1_209_600, 345_600}, "ReceiveMessageWaitTimeSeconds": {0, longestPoll, 0},
	"VisibilityTimeout": {0, 43200, 30},
}

// largestQueued is how many bytes a message of SQS has at most.
const largestQueued = 1 << 20

func (a queueAttributes) fifo() bool { return a["FifoQueue"] == "true" }

func (a queueAttributes) number(name string) int {
	if set, err := strconv.Atoi(a[name]); err == nil {
		return set
	}
	return numbers[name].usual
}

func (a queueAttributes) seconds(name string) time.Duration {
	return time.Duration(a.number(name)) * time.Second
}

// same compares attributes with those of a queue of the same name.
func (a queueAttributes) same(b queueAttributes) bool {
	for name := range numbers {
		if _, given := a[name]; given && a.number(name) != b.number(name) {
			return false
		}
	}
	if policy, given := a["Policy"]; given && policy != b["Policy"] {
		return false
	}
	return a.fifo() == b.fifo() && (a["ContentBasedDeduplication"] == "true") == (b["ContentBasedDeduplication"] == "true")
}

// queuePolicy reads the policy among attributes; nil: there is none.
func queuePolicy(attributes map[string]string) (*world.ResourcePolicy, error) {
	return setPolicy(
		attributes["Policy"], api.Errorf("InvalidAttributeValue", "Invalid value for the parameter Policy."),
	)
}

// checkAttributes refuses values out of bounds, and by name what is not modelled. Policies are read elsewhere.
func checkAttributes(fifo bool, wanted map[string]string) error {
	for key, value := range wanted {
		bounds, isNumber := numbers[key]
		given, err := strconv.Atoi(value)
		switch {
		case isNumber && (err != nil || given < bounds.least || given > bounds.most):
			return api.Errorf("InvalidAttributeValue", "Invalid value for the parameter %s.", key)
		case isNumber, key == "Policy":
		case key == "FifoQueue" && value != "true", key == "ContentBasedDeduplication" && value != "true" && value != "false":
			return api.Errorf("InvalidAttributeValue", "Invalid value for the parameter %s.", key)
		case (key == "FifoQueue" || key == "ContentBasedDeduplication") && !fifo:
			return api.Errorf("InvalidAttributeName", "Unknown Attribute %s.", key)
		case key != "FifoQueue" && key != "ContentBasedDeduplication":
			return api.NotModelled("attribute %s of a queue of SQS", key)
		}
	}
	return nil
}

// groupID is the pattern of message group ids and deduplication ids.
var groupID = regexp.MustCompile("^[a-zA-Z0-9!\"#$%&'()*+,./:;<=>?@\\[\\\\\\]^_`{|}~-]{1,128}$")

// prepare checks a message's FIFO parameters and makes the message (API reference of SendMessage).
func (q *queue) prepare(body, group, once string, groupSet, onceSet bool) (*message, error) {
	invalid := func(why string) error { return api.Errorf("InvalidParameterValue", "%s", why) }
	fifo := q.set.fifo()
	switch {
	case body == "":
		return nil, api.Errorf("MissingParameter", "The request must contain the parameter MessageBody.")
	case len(body) > q.set.number("MaximumMessageSize"):
		return nil, invalid(fmt.Sprintf(
			"One or more parameters are invalid. Reason: Message must be shorter than %d bytes.",
			q.set.number("MaximumMessageSize"),
		))
	case strings.ContainsFunc(body, unspeakable):
		return nil, api.Errorf("InvalidMessageContents", "Invalid characters found. Valid unicode characters are "+
			"#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF.")
	case fifo && !groupSet:
		return nil, api.Errorf("MissingParameter", "The request must contain the parameter MessageGroupId.")
	case !fifo && onceSet:
		return nil, invalid("The request include parameter that is not valid for this queue type")
	case groupSet && !groupID.MatchString(group):
		return nil, invalid("Value " + group + " for parameter MessageGroupId is invalid.")
	case onceSet && !groupID.MatchString(once):
		return nil, invalid("Value " + once + " for parameter MessageDeduplicationId is invalid.")
	case fifo && !onceSet && q.set["ContentBasedDeduplication"] != "true":
		return nil, invalid("The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId " +
			"provided explicitly")
	}
	if fifo && !onceSet {
		once = contentID(body)
	}
	return &message{body: body, group: group, once: once}, nil
}

// contentID is the deduplication id of a body.
func contentID(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

// unspeakable are the characters that no message may have.
func unspeakable(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
}

// put puts a message into a queue; one that a FIFO queue had within five minutes is the first one again.
func (m *messageStore) put(region *world.Region, q *queue, sent *message, delay time.Duration) *message {
	now := m.w.Now()
	if old, known := q.seen[sent.once]; q.set.fifo() && known && now.Sub(old.at) < deduplication {
		sent.id, sent.sequence = old.id, old.sequence
		return sent
	}
	sent.id, sent.sent, sent.hidden = region.NewUUID("message"), now, now.Add(delay)
	if q.set.fifo() {
		q.sequence++
		sent.sequence = fmt.Sprintf("%020d", q.sequence)
		q.seen[sent.once] = repeated{at: now, id: sent.id, sequence: sent.sequence}
	}
	q.messages = append(q.messages, sent)
	return sent
}

// forget drops what is older than the queue keeps.
func (q *queue) forget(now time.Time) {
	q.messages = slices.DeleteFunc(q.messages, func(each *message) bool {
		return now.Sub(each.sent) >= q.set.seconds("MessageRetentionPeriod")
	})
}

// receive hides and returns up to count messages that nobody holds. A FIFO queue gives nothing of a group of which
// somebody holds a message.
func (m *messageStore) receive(region *world.Region, q *queue, count int, visibility time.Duration) []*message {
	now := m.w.Now()
	q.forget(now)
	held := map[string]bool{}
	for _, each := range q.messages {
		held[each.group] = held[each.group] || q.set.fifo() && each.hidden.After(now)
	}
	var found []*message
	for _, each := range q.messages {
		if len(found) == count {
			break
		}
		if each.hidden.After(now) || held[each.group] {
			continue
		}
		each.received++
		if each.received == 1 {
			each.first = now
		}
		each.hidden, each.receipt = now.Add(visibility), region.NewUUID("receipt")
		q.receipts[each.receipt] = true
		found = append(found, each)
	}
	return found
}

// known refuses a handle that this queue never gave out.
func (q *queue) known(receipt string) error {
	if q.receipts[receipt] {
		return nil
	}
	return api.Errorf(
		"ReceiptHandleIsInvalid", "The input receipt handle \"%s\" is not a valid receipt handle.", receipt,
	)
}

// remove deletes the message of a handle; one that is gone, or that was received again since, is no error.
func (q *queue) remove(receipt string) error {
	if err := q.known(receipt); err != nil {
		return err
	}
	q.messages = slices.DeleteFunc(q.messages, func(each *message) bool { return each.receipt == receipt })
	return nil
}

// hide changes for how long the message of a handle is hidden.
func (q *queue) hide(receipt string, seconds int32, now time.Time) error {
	if seconds < 0 || seconds > 43200 {
		return api.Errorf(
			"InvalidParameterValue", "Value %d for parameter VisibilityTimeout is invalid. Reason: VisibilityTimeout must be "+
				"an integer between 0 and 43200.", seconds,
		)
	}
	if err := q.known(receipt); err != nil {
		return err
	}
	for _, each := range q.messages {
		if each.receipt == receipt && each.hidden.After(now) {
			each.hidden = now.Add(time.Duration(seconds) * time.Second)
			return nil
		}
	}
	return api.Errorf(
		"InvalidParameterValue", "Value %s for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not "+
			"available for visibility timeout change.", receipt,
	)
}

// attributes are what GetQueueAttributes tells.
func (q *queue) attributes(now time.Time) map[string]string {
	q.forget(now)
	visible, held, delayed := 0, 0, 0
	for _, each := range q.messages {
		switch {
		case !each.hidden.After(now):
			visible++
		case each.received == 0:
			delayed++
		default:
			held++
		}
	}
	told := map[string]string{
		"QueueArn": q.arn, "CreatedTimestamp": strconv.FormatInt(q.created.Unix(), 10),
		"LastModifiedTimestamp":       strconv.FormatInt(q.created.Unix(), 10),
		"ApproximateNumberOfMessages": strconv.Itoa(visible), "ApproximateNumberOfMessagesNotVisible": strconv.Itoa(held),
		"ApproximateNumberOfMessagesDelayed": strconv.Itoa(delayed),
	}
	for name := range numbers {
		told[name] = strconv.Itoa(q.set.number(name))
	}
	if q.policy != nil {
		told["Policy"] = q.policy.Text
	}
	if q.set.fifo() {
		told["FifoQueue"] = "true"
		told["ContentBasedDeduplication"] = strconv.FormatBool(q.set["ContentBasedDeduplication"] == "true")
	}
	return told
}
