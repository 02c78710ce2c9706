package services

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

const (
	topicsPage   = 100
	largeMessage = 262_144 // bytes that SNS and SQS take
)

var badTopicToken = api.Errorf("InvalidParameter", "Invalid parameter: NextToken")

func registerSNS(r *api.Registry, m *messageStore) {
	api.Handle(r, "sns", "CreateTopic", []string{"Name"}, m.createTopic)
	api.Handle(r, "sns", "DeleteTopic", []string{"TopicArn"}, m.deleteTopic)
	api.Handle(r, "sns", "ListTopics", []string{"NextToken"}, m.listTopics)
	api.Handle(r, "sns", "GetTopicAttributes", []string{"TopicArn"}, m.topicAttributes)
	api.Handle(
		r, "sns", "Subscribe", []string{"TopicArn", "Protocol", "Endpoint", "Attributes", "ReturnSubscriptionArn"},
		m.subscribe,
	)
	api.Handle(r, "sns", "Unsubscribe", []string{"SubscriptionArn"}, m.unsubscribe)
	api.Handle(r, "sns", "ListSubscriptionsByTopic", []string{"TopicArn", "NextToken"}, m.subscriptions)
	api.Handle(
		r, "sns", "Publish", []string{"TopicArn", "TargetArn", "Message", "MessageStructure", "Subject", "MessageAttributes"},
		m.publishCall,
	)
}

func (m *messageStore) topic(arn *string) (*topic, error) {
	if found := m.topics[deref(arn)]; found != nil {
		return found, nil
	}
	return nil, &api.Error{Code: "NotFound", Message: "Topic does not exist", Status: http.StatusNotFound}
}

func (m *messageStore) createTopic(call api.Call, in *sns.CreateTopicInput) (*sns.CreateTopicOutput, error) {
	name := deref(in.Name)
	if name == "" || len(name) > 256 || strings.ContainsAny(name, " .:/") {
		return nil, api.Errorf("InvalidParameter", "Invalid parameter: Topic Name")
	}
	return &sns.CreateTopicOutput{TopicArn: &m.addTopic(regionOf(m.w, call), name).arn}, nil
}

// deleteTopic succeeds for a topic that is gone, as SNS does.
func (m *messageStore) deleteTopic(_ api.Call, in *sns.DeleteTopicInput) (*sns.DeleteTopicOutput, error) {
	if m.topics[deref(in.TopicArn)] != nil {
		m.drop(*in.TopicArn)
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

func (m *messageStore) topicAttributes(
	call api.Call, in *sns.GetTopicAttributesInput,
) (*sns.GetTopicAttributesOutput, error) {
	found, err := m.topic(in.TopicArn)
	if err != nil {
		return nil, err
	}
	return &sns.GetTopicAttributesOutput{Attributes: map[string]string{
		"TopicArn": found.arn, "Owner": call.Account, "DisplayName": "", "SubscriptionsPending": "0",
	}}, nil
}

func (m *messageStore) subscribe(call api.Call, in *sns.SubscribeInput) (*sns.SubscribeOutput, error) {
	found, err := m.topic(in.TopicArn)
	if err != nil {
		return nil, err
	}
	if deref(in.Protocol) != "sqs" {
		return nil, api.NotModelled("protocol %q of sns:Subscribe", deref(in.Protocol))
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

func (m *messageStore) unsubscribe(_ api.Call, in *sns.UnsubscribeInput) (*sns.UnsubscribeOutput, error) {
	for _, t := range m.topics {
		t.subscriptions = slices.DeleteFunc(
			t.subscriptions, func(s *subscription) bool { return s.arn == deref(in.SubscriptionArn) },
		)
	}
	return nil, nil
}

func (m *messageStore) subscriptions(
	call api.Call, in *sns.ListSubscriptionsByTopicInput,
) (*sns.ListSubscriptionsByTopicOutput, error) {
	found, err := m.topic(in.TopicArn)
	if err != nil {
		return nil, err
	}
	list := []types.Subscription{}
	for _, s := range found.subscriptions {
		list = append(
			list,
			types.Subscription{
				SubscriptionArn: &s.arn, Protocol: &s.protocol, Endpoint: &s.endpoint, TopicArn: &found.arn, Owner: &call.Account,
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
	found, err := m.topic(arn)
	if err != nil {
		return nil, err
	}
	message, err := forQueues(*in.Message, in.MessageStructure)
	if err != nil {
		return nil, err
	}
	id := m.publish(regionOf(m.w, call), found, deref(in.Subject), message)
	return &sns.PublishOutput{MessageId: &id}, nil
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
