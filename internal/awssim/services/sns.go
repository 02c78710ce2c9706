package services

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

const (
	topicsPage   = 100
	largeMessage = 262_144 // bytes that SNS and SQS take
)

var badTopicToken = api.Errorf("InvalidParameter", "Invalid parameter: NextToken")

func registerSNS(r *api.Registry, m *messageStore) {
	registerSNSAttributes(r, m)
	api.Handle(r, "sns", "CreateTopic", []string{"Name", "Attributes", "Tags"}, m.createTopic)
	api.Handle(r, "sns", "DeleteTopic", []string{"TopicArn"}, m.deleteTopic)
	api.Handle(r, "sns", "ListTopics", []string{"NextToken"}, m.listTopics)
	api.Handle(
		r, "sns", "Subscribe", []string{"TopicArn", "Protocol", "Endpoint", "Attributes", "ReturnSubscriptionArn"},
		m.subscribe,
	)
	api.Handle(r, "sns", "Unsubscribe", []string{"SubscriptionArn"}, m.unsubscribe)
	api.Handle(r, "sns", "ListSubscriptionsByTopic", []string{"TopicArn", "NextToken"}, m.subscriptions)
	api.Handle(
		r, "sns", "Publish",
		[]string{
			"TopicArn", "TargetArn", "Message", "MessageStructure", "Subject", "MessageAttributes", "MessageGroupId",
			"MessageDeduplicationId",
		},
		m.publishCall,
	)
}

// topic finds a topic of the endpoint's region that the caller may use (API reference of Publish: "You can publish
// messages only to topics and endpoints in the same Amazon Web Services Region").
func (m *messageStore) topic(call api.Call, arn *string) (*topic, error) {
	parts := strings.Split(deref(arn), ":")
	switch {
	case len(parts) < 6:
		return nil, api.Errorf(
			"InvalidParameter", "Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not %d", len(parts),
		)
	case parts[0] != "arn" || parts[2] != "sns" || parts[3] != call.Region || len(parts) > 6:
		return nil, api.Errorf("InvalidParameter", "Invalid parameter: TopicArn")
	}
	found := m.topics[*arn]
	switch {
	case found != nil:
		return found, found.mayUse(call)
	case parts[4] != call.Account:
		return nil, notAuthorized(call, *arn, world.NotAllowed)
	}
	return nil, &api.Error{Code: "NotFound", Message: "Topic does not exist", Status: http.StatusNotFound}
}

// topicName is the pattern of the API reference of CreateTopic; a FIFO topic's name ends in .fifo.
var topicName = regexp.MustCompile(`^[\w-]{1,256}$`)

func (m *messageStore) createTopic(call api.Call, in *sns.CreateTopicInput) (*sns.CreateTopicOutput, error) {
	name := deref(in.Name)
	stem, named := strings.CutSuffix(name, ".fifo")
	fifo := in.Attributes["FifoTopic"] == "true"
	switch {
	case len(name) > 256 || !topicName.MatchString(stem), named && !fifo:
		return nil, api.Errorf("InvalidParameter", "Invalid parameter: Topic Name")
	case fifo && !named:
		return nil, api.Errorf("InvalidParameter", "Invalid parameter: Fifo Topic names must end with .fifo")
	}
	made := &topic{fifo: fifo, set: map[string]string{}}
	for _, key := range slices.Sorted(maps.Keys(in.Attributes)) {
		if key == "FifoTopic" {
			continue
		}
		if err := made.setAttribute(key, in.Attributes[key]); err != nil {
			return nil, err
		}
	}
	region := regionOf(m.w, call)
	if old := m.topics[region.ARN("sns", name)]; old != nil {
		for key, value := range made.set {
			if old.set[key] != value {
				return nil, api.Errorf("InvalidParameter", "Invalid parameter: Attributes Reason: Topic already exists with "+
					"different attributes")
			}
		}
		return &sns.CreateTopicOutput{TopicArn: &old.arn}, nil
	}
	tags, err := topicTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	created := m.addTopic(region, name, in.Attributes)
	created.set, created.policy, created.tags = made.set, made.policy, tags
	return &sns.CreateTopicOutput{TopicArn: &created.arn}, nil
}

// deleteTopic succeeds for a topic that is gone, as SNS does.
func (m *messageStore) deleteTopic(call api.Call, in *sns.DeleteTopicInput) (*sns.DeleteTopicOutput, error) {
	var refusal *api.Error
	found, err := m.topic(call, in.TopicArn)
	switch {
	case errors.As(err, &refusal) && refusal.Code == "NotFound":
	case err != nil:
		return nil, err
	default:
		m.drop(found.arn)
	}
	return nil, nil
}

func (m *messageStore) listTopics(call api.Call, in *sns.ListTopicsInput) (*sns.ListTopicsOutput, error) {
	mine := regionOf(m.w, call).ARN("sns", "")
	found := []types.Topic{}
	for _, name := range m.order {
		if t := m.topics[name]; t != nil && strings.HasPrefix(t.arn, mine) {
			found = append(found, types.Topic{TopicArn: &t.arn})
		}
	}
	found, next, err := page(found, in.NextToken, nil, topicsPage, badTopicToken)
	return &sns.ListTopicsOutput{Topics: found, NextToken: next}, err
}

func (m *messageStore) subscribe(call api.Call, in *sns.SubscribeInput) (*sns.SubscribeOutput, error) {
	found, err := m.topic(call, in.TopicArn)
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(deref(in.Endpoint), ".fifo") && !found.fifo {
		return nil, api.Errorf("InvalidParameter", "Invalid parameter: Invalid parameter: Endpoint Reason: FIFO SQS Queues "+
			"can not be subscribed to standard SNS topics")
	}
	if deref(in.Protocol) != "sqs" {
		return nil, api.NotModelled("protocol %q of sns:Subscribe", deref(in.Protocol))
	}
	switch parts := strings.Split(deref(in.Endpoint), ":"); {
	case len(parts) != 6 || parts[0] != "arn" || parts[2] != "sqs":
		return nil, api.Errorf("InvalidParameter", "Invalid parameter: SQS endpoint ARN")
	case parts[4] != call.Account:
		return nil, api.NotModelled("sns:Subscribe of another account's queue, whose owner has to confirm it")
	}
	for name := range in.Attributes {
		if name != "RawMessageDelivery" {
			return nil, api.NotModelled("attribute %s of sns:Subscribe", name)
		}
	}
	for _, s := range found.subscriptions {
		if s.endpoint == deref(in.Endpoint) {
			return &sns.SubscribeOutput{SubscriptionArn: &s.arn}, nil
		}
	}
	made := &subscription{
		arn: found.arn + ":" + regionOf(m.w, call).NewUUID("subscription"), protocol: "sqs", endpoint: deref(in.Endpoint),
		raw: in.Attributes["RawMessageDelivery"] == "true",
	}
	found.subscriptions = append(found.subscriptions, made)
	return &sns.SubscribeOutput{SubscriptionArn: &made.arn}, nil
}

// unsubscribe succeeds for a subscription that is gone, as SNS does.
func (m *messageStore) unsubscribe(call api.Call, in *sns.UnsubscribeInput) (*sns.UnsubscribeOutput, error) {
	var refusal *api.Error
	of, found, err := m.subscription(call, in.SubscriptionArn)
	switch {
	case errors.As(err, &refusal) && refusal.Code == "NotFound":
		return nil, nil
	case err != nil:
		return nil, err
	}
	of.subscriptions = slices.DeleteFunc(of.subscriptions, func(s *subscription) bool { return s == found })
	return nil, nil
}

func (m *messageStore) subscriptions(
	call api.Call, in *sns.ListSubscriptionsByTopicInput,
) (*sns.ListSubscriptionsByTopicOutput, error) {
	found, err := m.topic(call, in.TopicArn)
	if err != nil {
		return nil, err
	}
	list := []types.Subscription{}
	for _, s := range found.subscriptions {
		list = append(
			list,
			types.Subscription{
				SubscriptionArn: &s.arn, Protocol: &s.protocol, Endpoint: &s.endpoint, TopicArn: &found.arn, Owner: &found.account,
			},
		)
	}
	list, next, err := page(list, in.NextToken, nil, topicsPage, badTopicToken)
	return &sns.ListSubscriptionsByTopicOutput{Subscriptions: list, NextToken: next}, err
}

func (m *messageStore) publishCall(call api.Call, in *sns.PublishInput) (*sns.PublishOutput, error) {
	arn := in.TopicArn
	if arn == nil {
		arn = in.TargetArn
	}
	switch {
	case deref(in.Message) == "":
		return nil, api.Errorf("InvalidParameter", "Invalid parameter: Empty message")
	case len(*in.Message) > largeMessage:
		return nil, api.Errorf("InvalidParameter", "Invalid parameter: Message too long")
	case len(deref(in.Subject)) > 100 || strings.ContainsAny(deref(in.Subject), "\n\r"):
		return nil, api.Errorf("InvalidParameter", "Invalid parameter: Subject")
	}
	found, err := m.topic(call, arn)
	if err != nil {
		return nil, err
	}
	message, err := forQueues(*in.Message, in.MessageStructure)
	if err != nil {
		return nil, err
	}
	once := deref(in.MessageDeduplicationId)
	if err := found.takes(in); err != nil {
		return nil, err
	}
	if !found.fifo {
		id := m.publish(regionOf(m.w, call), found, deref(in.Subject), message, deref(in.MessageGroupId), "")
		return &sns.PublishOutput{MessageId: &id}, nil
	}
	if once == "" {
		once = contentID(*in.Message)
	}
	if old, known := found.seen[once]; known && call.Time.Sub(old.at) < deduplication {
		return &sns.PublishOutput{MessageId: &old.id, SequenceNumber: &old.sequence}, nil
	}
	id := m.publish(regionOf(m.w, call), found, deref(in.Subject), message, *in.MessageGroupId, once)
	first := repeated{at: call.Time, id: id, sequence: fmt.Sprintf("%020d", len(found.seen)+1)}
	found.seen[once] = first
	return &sns.PublishOutput{MessageId: &id, SequenceNumber: &first.sequence}, nil
}

// takes refuses FIFO parameters that a topic does not take, and their absence where it needs them (API reference of
// Publish).
func (t *topic) takes(in *sns.PublishInput) error {
	group, once := deref(in.MessageGroupId), deref(in.MessageDeduplicationId)
	invalid := func(why string) error { return api.Errorf("InvalidParameter", "Invalid parameter: %s", why) }
	switch {
	case t.fifo && in.MessageGroupId == nil:
		return invalid("The MessageGroupId parameter is required for FIFO topics")
	case in.MessageGroupId != nil && !groupID.MatchString(group):
		return invalid("MessageGroupId Reason: it has 1 to 128 letters, digits and punctuation")
	case in.MessageDeduplicationId != nil && !t.fifo:
		return invalid("The request includes MessageDeduplicationId parameter that is not valid for this topic type")
	case in.MessageDeduplicationId != nil && !groupID.MatchString(once):
		return invalid("MessageDeduplicationId Reason: it has 1 to 128 letters, digits and punctuation")
	case t.fifo && once == "" && t.set["ContentBasedDeduplication"] != "true":
		return invalid("The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided " +
			"explicitly")
	}
	return nil
}

// forQueues picks the text for subscribers of the protocol sqs, the only ones modelled. With the structure json a
// message is a JSON object with one text for each protocol, and `default` for the others (API reference of Publish).
func forQueues(message string, structure *string) (string, error) {
	switch {
	case structure == nil:
		return message, nil
	case *structure != "json":
		return "", api.Errorf("InvalidParameter", "Invalid parameter: MessageStructure")
	}
	var texts map[string]string
	if err := json.Unmarshal([]byte(message), &texts); err != nil {
		return "", api.Errorf("InvalidParameter", "Invalid parameter: Message Structure - JSON message body failed to parse")
	}
	text, found := texts["default"]
	if !found {
		return "", api.Errorf(
			"InvalidParameter", "Invalid parameter: Message Structure - No default entry in JSON message body",
		)
	}
	if own, found := texts["sqs"]; found {
		text = own
	}
	return text, nil
}
