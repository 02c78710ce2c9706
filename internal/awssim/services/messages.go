package services

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

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
	account       string
	fifo          bool
	set           map[string]string // attributes, as SNS names them
	tags          map[string]string
	policy        *world.ResourcePolicy
	subscriptions []*subscription
	seen          map[string]repeated
}

type subscription struct {
	arn, protocol, endpoint string
	raw                     bool // the queue gets the message without SNS's envelope
}

// repeated is what was made of a message whose deduplication id came before.
type repeated struct {
	at           time.Time
	id, sequence string
}

// deduplication is how long FIFO queues and topics remember an id.
const deduplication = 5 * time.Minute

type queue struct {
	url, arn, account string
	created           time.Time
	set               queueAttributes
	policy            *world.ResourcePolicy
	tags              map[string]string
	messages          []*message
	receipts          map[string]bool // every handle that was given out
	seen              map[string]repeated
	sequence          int
}

type message struct {
	id, body string
	sent     time.Time
	hidden   time.Time // until then nobody receives it
	receipt  string    // of the last receive
	received int
	first    time.Time // of the first receive

	group, once, sequence, sender string
}

func newMessageStore(w *world.World) *messageStore {
	m := &messageStore{w: w, topics: map[string]*topic{}, queues: map[string]*queue{}}
	w.Grants = append(w.Grants, m.grants)
	for _, account := range w.Accounts() {
		for _, spec := range account.Spec.Regions {
			region := account.Region(spec.Name)
			for _, name := range spec.Queues {
				m.addQueue(region, name, queueAttributes{})
			}
			for _, name := range spec.Topics {
				m.addTopic(region, name, nil)
			}
		}
	}
	return m
}

func (m *messageStore) addTopic(region *world.Region, name string, attributes map[string]string) *topic {
	arn := region.ARN("sns", name)
	if found := m.topics[arn]; found != nil {
		return found
	}
	made := &topic{
		arn: arn, name: name, account: region.Account.ID, fifo: attributes["FifoTopic"] == "true",
		set: map[string]string{}, tags: map[string]string{}, seen: map[string]repeated{},
	}
	m.topics[arn] = made
	m.order = append(m.order, arn)
	return made
}

func queueURL(region *world.Region, name string) string {
	return "https://sqs." + region.Name + ".amazonaws.com/" + region.Account.ID + "/" + name
}

func (m *messageStore) addQueue(region *world.Region, name string, set queueAttributes) *queue {
	made := &queue{
		url: queueURL(region, name), arn: region.ARN("sqs", name), account: region.Account.ID, created: m.w.Now(), set: set,
		tags: map[string]string{}, receipts: map[string]bool{}, seen: map[string]repeated{},
	}
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

// publish gives a message to everything that subscribes to a topic. Only queues are modelled as subscribers. A queue
// whose policy does not let the topic send gets nothing, and nobody is told (SNS guide, "Subscribing an Amazon SQS
// queue to an Amazon SNS topic": the topic has to be given permission).
func (m *messageStore) publish(region *world.Region, t *topic, subject, body, group, once string) string {
	id := region.NewUUID("notification")
	for _, s := range t.subscriptions {
		for _, q := range m.queues {
			if q.arn != s.endpoint || !q.takesFrom(t) {
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
			m.put(region, q, &message{body: text, group: group, once: once, sender: "AIDAISDQCHPAEXAMPLE"}, 0)
		}
	}
	return id
}

func digestOf(text string) *string {
	sum := md5.Sum([]byte(text))
	return ref(hex.EncodeToString(sum[:]))
}
