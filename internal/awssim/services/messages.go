package services

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// messageStore keeps SNS's topics and SQS's queues of all accounts and regions.
type messageStore struct {
	w      *world.World
	topics map[string]*topic // by ARN
	queues map[string]*queue // by URL
	order  []string          // ARNs and URLs in the order they were made
}

type topic struct {
	arn, name     string
	subscriptions []*subscription
}

type subscription struct {
	arn, protocol, endpoint string
	raw                     bool // the queue gets the message without SNS's envelope
}

type queue struct {
	queueTimes
	url, arn string
	created  time.Time
	messages []*message
}

// queueTimes are the attributes of a queue that can be set.
type queueTimes struct {
	visibility time.Duration // a message that was received is hidden so long
	wait       time.Duration // a receive that does not say waits so long for a message
}

type message struct {
	id, body string
	sent     time.Time
	hidden   time.Time // until then nobody receives it
	receipt  string    // of the last receive
	received int
	first    time.Time // of the first receive
}

// defaultVisibility is SQS's.
const defaultVisibility = 30 * time.Second

func newMessageStore(w *world.World) *messageStore {
	m := &messageStore{w: w, topics: map[string]*topic{}, queues: map[string]*queue{}}
	for _, account := range w.Accounts() {
		for _, spec := range account.Spec.Regions {
			region := account.Region(spec.Name)
			for _, name := range spec.Queues {
				m.addQueue(region, name, queueTimes{visibility: defaultVisibility})
			}
			for _, name := range spec.Topics {
				m.addTopic(region, name)
			}
		}
	}
	return m
}

func (m *messageStore) addTopic(region *world.Region, name string) *topic {
	arn := region.ARN("sns", name)
	if found := m.topics[arn]; found != nil {
		return found
	}
	made := &topic{arn: arn, name: name}
	m.topics[arn] = made
	m.order = append(m.order, arn)
	return made
}

func queueURL(region *world.Region, name string) string {
	return "https://sqs." + region.Name + ".amazonaws.com/" + region.Account.ID + "/" + name
}

func (m *messageStore) addQueue(region *world.Region, name string, times queueTimes) *queue {
	made := &queue{url: queueURL(region, name), arn: region.ARN("sqs", name), queueTimes: times, created: m.w.Now()}
	m.queues[made.url] = made
	m.order = append(m.order, made.url)
	return made
}

// drop forgets a topic or a queue.
func (m *messageStore) drop(name string) {
	delete(m.topics, name)
	delete(m.queues, name)
	m.order = slices.DeleteFunc(m.order, func(other string) bool { return other == name })
}

// send puts a message into a queue.
func (m *messageStore) send(region *world.Region, q *queue, body string, delay time.Duration) *message {
	sent := &message{id: region.NewUUID("message"), body: body, sent: m.w.Now(), hidden: m.w.Now().Add(delay)}
	q.messages = append(q.messages, sent)
	return sent
}

// publish gives a message to everything that subscribes to a topic. Only queues are modelled as subscribers.
func (m *messageStore) publish(region *world.Region, t *topic, subject, body string) string {
	id := region.NewUUID("notification")
	for _, s := range t.subscriptions {
		for _, q := range m.queues {
			if q.arn != s.endpoint {
				continue
			}
			text := body
			if !s.raw {
				envelope := map[string]string{
					"Type": "Notification", "MessageId": id, "TopicArn": t.arn, "Message": body,
					"Timestamp": m.w.Now().UTC().Format("2006-01-02T15:04:05.000Z"), "UnsubscribeURL": s.arn,
				}
				if subject != "" {
					envelope["Subject"] = subject
				}
				written, _ := json.Marshal(envelope) // texts always marshal
				text = string(written)
			}
			m.send(region, q, text, 0)
		}
	}
	return id
}

// receive hides and returns up to count messages that nobody holds.
func (m *messageStore) receive(region *world.Region, q *queue, count int, visibility time.Duration) []*message {
	now := m.w.Now()
	var found []*message
	for _, each := range q.messages {
		if len(found) == count {
			break
		}
		if each.hidden.After(now) {
			continue
		}
		each.received++
		if each.received == 1 {
			each.first = now
		}
		each.hidden, each.receipt = now.Add(visibility), region.NewUUID("receipt")
		found = append(found, each)
	}
	return found
}

// held finds the message that a receipt stands for.
func (q *queue) held(receipt string) (*message, error) {
	for _, each := range q.messages {
		if receipt != "" && each.receipt == receipt {
			return each, nil
		}
	}
	return nil, api.Errorf(
		"ReceiptHandleIsInvalid", "The input receipt handle \"%s\" is not a valid receipt handle.", receipt,
	)
}

// attributes are what GetQueueAttributes tells.
func (q *queue) attributes(now time.Time) map[string]string {
	visible, held := 0, 0
	for _, each := range q.messages {
		if each.hidden.After(now) {
			held++
		} else {
			visible++
		}
	}
	return map[string]string{
		"QueueArn": q.arn, "VisibilityTimeout": strconv.Itoa(int(q.visibility.Seconds())),
		"CreatedTimestamp":              strconv.FormatInt(q.created.Unix(), 10),
		"ReceiveMessageWaitTimeSeconds": strconv.Itoa(int(q.wait.Seconds())),
		"ApproximateNumberOfMessages":   strconv.Itoa(visible), "ApproximateNumberOfMessagesNotVisible": strconv.Itoa(held),
		"ApproximateNumberOfMessagesDelayed": "0",
	}
}

func digestOf(text string) *string {
	sum := md5.Sum([]byte(text))
	return ref(hex.EncodeToString(sum[:]))
}
