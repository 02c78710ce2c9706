package services

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

func registerSNSAttributes(r *api.Registry, m *messageStore) {
	api.Handle(r, "sns", "GetTopicAttributes", []string{"TopicArn"}, m.topicAttributes)
	api.Handle(
		r, "sns", "SetTopicAttributes", []string{"TopicArn", "AttributeName", "AttributeValue"}, m.setTopicAttributes,
	)
	api.Handle(r, "sns", "TagResource", []string{"ResourceArn", "Tags"}, m.tagTopic)
	api.Handle(r, "sns", "UntagResource", []string{"ResourceArn", "TagKeys"}, m.untagTopic)
	api.Handle(r, "sns", "ListTagsForResource", []string{"ResourceArn"}, m.topicTags)
	api.Handle(r, "sns", "GetSubscriptionAttributes", []string{"SubscriptionArn"}, m.subscriptionAttributes)
	api.Handle(
		r, "sns", "SetSubscriptionAttributes", []string{"SubscriptionArn", "AttributeName", "AttributeValue"},
		m.setSubscriptionAttributes,
	)
}

// longestDisplayName is how long a topic's display name may be (API reference of CreateTopic).
const longestDisplayName = 100

// otherTopicAttributes are those that SNS has and that are not modelled.
var otherTopicAttributes = []string{
	"KmsMasterKeyId", "TracingConfig", "ArchivePolicy", "FifoThroughputScope", "MaximumMessageSize",
}

// setAttribute sets one attribute of a topic, under SNS's name (API reference of SetTopicAttributes).
func (t *topic) setAttribute(name, value string) error {
	invalid := func(why string) error { return api.Errorf("InvalidParameter", "Invalid parameter: %s", why) }
	switch {
	case name == "Policy":
		policy, err := setPolicy(value, api.Errorf("InvalidParameter", "Invalid parameter: Policy Error: null"))
		if err != nil {
			return err
		}
		t.policy = policy
	case name == "DisplayName":
		if len([]rune(value)) > longestDisplayName {
			return invalid("DisplayName Reason: must be at most 100 characters long")
		}
	case name == "DeliveryPolicy": // of HTTP endpoints, which no subscription here is
		if value != "" && !json.Valid([]byte(value)) {
			return invalid("DeliveryPolicy: Reason: not valid JSON")
		}
	case name == "ContentBasedDeduplication":
		switch {
		case value != "true" && value != "false":
			return invalid("Attributes Reason: ContentBasedDeduplication is true or false")
		case !t.fifo && value == "true":
			return invalid("Attributes Reason: Content-based deduplication can only be set for FIFO topics")
		}
	case name == "SignatureVersion": // of the signature in the envelope, which is not made here
		if value != "1" && value != "2" {
			return invalid("SignatureVersion Reason: it is 1 or 2")
		}
	case slices.Contains(otherTopicAttributes, name), strings.HasSuffix(name, "FeedbackRoleArn"),
		strings.HasSuffix(name, "FeedbackSampleRate"):
		return api.NotModelled("attribute %s of a topic of SNS", name)
	default:
		return invalid("AttributeName")
	}
	t.set[name] = value
	return nil
}

// usualTopicPolicy is the policy of a topic that was given none: its account may use it.
func usualTopicPolicy(t *topic) string {
	actions := []string{
		"SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission", "SNS:RemovePermission", "SNS:DeleteTopic",
		"SNS:Subscribe", "SNS:ListSubscriptionsByTopic", "SNS:Publish",
	}
	text, _ := json.Marshal(map[string]any{ // texts always marshal
		"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": []any{map[string]any{
			"Sid": "__default_statement_ID", "Effect": "Allow", "Principal": map[string]string{"AWS": "*"}, "Action": actions,
			"Resource":  t.arn,
			"Condition": map[string]any{"StringEquals": map[string]string{"AWS:SourceOwner": t.account}},
		}},
	})
	return string(text)
}

func (m *messageStore) topicAttributes(
	call api.Call, in *sns.GetTopicAttributesInput,
) (*sns.GetTopicAttributesOutput, error) {
	found, err := m.topic(call, in.TopicArn)
	if err != nil {
		return nil, err
	}
	told := map[string]string{
		"TopicArn": found.arn, "Owner": found.account, "DisplayName": "", "Policy": usualTopicPolicy(found),
		"SubscriptionsConfirmed": strconv.Itoa(len(found.subscriptions)), "SubscriptionsPending": "0",
		"SubscriptionsDeleted": "0",
	}
	if found.fifo {
		told["FifoTopic"], told["ContentBasedDeduplication"] = "true", "false"
	}
	for name, value := range found.set {
		if value != "" {
			told[name] = value
		}
	}
	return &sns.GetTopicAttributesOutput{Attributes: told}, nil
}

func (m *messageStore) setTopicAttributes(
	call api.Call, in *sns.SetTopicAttributesInput,
) (*sns.SetTopicAttributesOutput, error) {
	found, err := m.topic(call, in.TopicArn)
	if err != nil {
		return nil, err
	}
	return nil, found.setAttribute(deref(in.AttributeName), deref(in.AttributeValue))
}

// topicTags are tags with others added.
func topicTags(old map[string]string, added []types.Tag) (map[string]string, error) {
	tags := map[string]string{}
	maps.Copy(tags, old)
	for _, tag := range added {
		key := deref(tag.Key)
		if strings.HasPrefix(strings.ToLower(key), "aws:") {
			return nil, api.Errorf("InvalidParameter", "Invalid parameter: Tag keys beginning with aws: are reserved")
		}
		tags[key] = deref(tag.Value)
	}
	if len(tags) > mostQueueTags {
		return nil, api.Errorf("TagLimitExceeded", "A topic has at most %d tags.", mostQueueTags)
	}
	return tags, nil
}

func (m *messageStore) tagTopic(call api.Call, in *sns.TagResourceInput) (*sns.TagResourceOutput, error) {
	found, err := m.topic(call, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	tags, err := topicTags(found.tags, in.Tags)
	if err != nil {
		return nil, err
	}
	found.tags = tags
	return nil, nil
}

func (m *messageStore) untagTopic(call api.Call, in *sns.UntagResourceInput) (*sns.UntagResourceOutput, error) {
	found, err := m.topic(call, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	for _, key := range in.TagKeys {
		delete(found.tags, key)
	}
	return nil, nil
}

func (m *messageStore) topicTags(
	call api.Call, in *sns.ListTagsForResourceInput,
) (*sns.ListTagsForResourceOutput, error) {
	found, err := m.topic(call, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	out := &sns.ListTagsForResourceOutput{Tags: []types.Tag{}}
	for _, key := range slices.Sorted(maps.Keys(found.tags)) {
		out.Tags = append(out.Tags, types.Tag{Key: ref(key), Value: ref(found.tags[key])})
	}
	return out, nil
}

// subscription finds one by its ARN, and its topic.
func (m *messageStore) subscription(call api.Call, arn *string) (*topic, *subscription, error) {
	name := deref(arn)
	at := strings.LastIndex(name, ":")
	if at < 0 {
		return nil, nil, api.Errorf("InvalidParameter", "Invalid parameter: SubscriptionArn")
	}
	of, err := m.topic(call, ref(name[:at]))
	if err != nil {
		return nil, nil, err
	}
	for _, s := range of.subscriptions {
		if s.arn == name {
			return of, s, nil
		}
	}
	return nil, nil, &api.Error{Code: "NotFound", Message: "Subscription does not exist", Status: 404}
}

func (m *messageStore) subscriptionAttributes(
	call api.Call, in *sns.GetSubscriptionAttributesInput,
) (*sns.GetSubscriptionAttributesOutput, error) {
	of, found, err := m.subscription(call, in.SubscriptionArn)
	if err != nil {
		return nil, err
	}
	return &sns.GetSubscriptionAttributesOutput{Attributes: map[string]string{
		"SubscriptionArn": found.arn, "TopicArn": of.arn, "Owner": of.account, "Protocol": found.protocol,
		"Endpoint": found.endpoint, "RawMessageDelivery": strconv.FormatBool(found.raw), "PendingConfirmation": "false",
		"ConfirmationWasAuthenticated": "true", "SubscriptionPrincipal": call.Caller,
	}}, nil
}

func (m *messageStore) setSubscriptionAttributes(
	call api.Call, in *sns.SetSubscriptionAttributesInput,
) (*sns.SetSubscriptionAttributesOutput, error) {
	_, found, err := m.subscription(call, in.SubscriptionArn)
	if err != nil {
		return nil, err
	}
	switch name, value := deref(in.AttributeName), deref(in.AttributeValue); {
	case name != "RawMessageDelivery":
		return nil, api.NotModelled("attribute %s of sns:SetSubscriptionAttributes", name)
	case value != "true" && value != "false":
		return nil, api.Errorf("InvalidParameter", "Invalid parameter: AttributeValue")
	default:
		found.raw = value == "true"
	}
	return nil, nil
}
