package services

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

const (
	queuesPage  = 1000
	longestPoll = 20 // seconds that a receive may wait for a message
)

var badQueueToken = api.Errorf("InvalidParameterValue", "Value for parameter NextToken is invalid.")

// registerSQS registers standard queues.
func registerSQS(r *api.Registry, m *messageStore) {
	api.Handle(r, "sqs", "CreateQueue", []string{"QueueName", "Attributes"}, m.createQueue)
	api.Handle(r, "sqs", "DeleteQueue", []string{"QueueUrl"}, m.deleteQueue)
	api.Handle(r, "sqs", "GetQueueUrl", []string{"QueueName"}, m.getQueue)
	api.Handle(r, "sqs", "ListQueues", []string{"QueueNamePrefix", "MaxResults", "NextToken"}, m.listQueues)
	api.Handle(r, "sqs", "GetQueueAttributes", []string{"QueueUrl", "AttributeNames"}, m.queueAttributes)
	api.Handle(r, "sqs", "SendMessage", []string{"QueueUrl", "MessageBody", "DelaySeconds"}, m.sendMessage)
	api.Handle(r, "sqs", "ReceiveMessage", []string{
		"QueueUrl", "MaxNumberOfMessages", "VisibilityTimeout", "WaitTimeSeconds", "AttributeNames",
		"MessageSystemAttributeNames",
		"MessageAttributeNames",
	}, m.receiveMessage)
	api.Handle(r, "sqs", "DeleteMessage", []string{"QueueUrl", "ReceiptHandle"}, m.deleteMessage)
	api.Handle(
		r, "sqs", "ChangeMessageVisibility", []string{"QueueUrl", "ReceiptHandle", "VisibilityTimeout"}, m.changeVisibility,
	)
	api.Handle(r, "sqs", "PurgeQueue", []string{"QueueUrl"}, m.purge)
}

func (m *messageStore) queue(url *string) (*queue, error) {
	if found := m.queues[deref(url)]; found != nil {
		return found, nil
	}
	return nil, api.Errorf("QueueDoesNotExist", "The specified queue does not exist.")
}

func (m *messageStore) createQueue(call api.Call, in *sqs.CreateQueueInput) (*sqs.CreateQueueOutput, error) {
	region, name, wanted := regionOf(m.w, call), deref(in.QueueName), queueTimes{visibility: defaultVisibility}
	if name == "" || len(name) > 80 || strings.ContainsAny(name, " .:/") {
		return nil, api.Errorf(
			"InvalidParameterValue", "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
		)
	}
	for key, value := range in.Attributes {
		if err := wanted.set(key, value); err != nil {
			return nil, err
		}
	}
	if found := m.queues[queueURL(region, name)]; found != nil {
		if found.queueTimes != wanted {
			return nil, api.Errorf(
				"QueueNameExists", "A queue already exists with the same name and a different value for its attributes",
			)
		}
		return &sqs.CreateQueueOutput{QueueUrl: &found.url}, nil
	}
	return &sqs.CreateQueueOutput{QueueUrl: &m.addQueue(region, name, wanted).url}, nil
}

// set sets an attribute as SQS names it.
func (q *queueTimes) set(key, value string) error {
	of := map[string]struct {
		into *time.Duration
		most int
	}{"VisibilityTimeout": {&q.visibility, 43200}, "ReceiveMessageWaitTimeSeconds": {&q.wait, longestPoll}}[key]
	if of.into == nil {
		return api.NotModelled("attribute %s of sqs:CreateQueue", key)
	}
	seconds, err := strconv.Atoi(value)
	if err != nil || seconds < 0 || seconds > of.most {
		return api.Errorf("InvalidAttributeValue", "Invalid value for the parameter %s.", key)
	}
	*of.into = time.Duration(seconds) * time.Second
	return nil
}

func (m *messageStore) deleteQueue(_ api.Call, in *sqs.DeleteQueueInput) (*sqs.DeleteQueueOutput, error) {
	found, err := m.queue(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	m.drop(found.url)
	return nil, nil
}

func (m *messageStore) getQueue(call api.Call, in *sqs.GetQueueUrlInput) (*sqs.GetQueueUrlOutput, error) {
	found, err := m.queue(ref(queueURL(regionOf(m.w, call), deref(in.QueueName))))
	if err != nil {
		return nil, err
	}
	return &sqs.GetQueueUrlOutput{QueueUrl: &found.url}, nil
}

func (m *messageStore) listQueues(call api.Call, in *sqs.ListQueuesInput) (*sqs.ListQueuesOutput, error) {
	mine := queueURL(regionOf(m.w, call), deref(in.QueueNamePrefix))
	found := slices.DeleteFunc(
		slices.Clone(m.order), func(name string) bool { return m.queues[name] == nil || !strings.HasPrefix(name, mine) },
	)
	found, next, err := page(found, in.NextToken, in.MaxResults, queuesPage, badQueueToken)
	return &sqs.ListQueuesOutput{QueueUrls: found, NextToken: next}, err
}

func (m *messageStore) queueAttributes(
	_ api.Call, in *sqs.GetQueueAttributesInput,
) (*sqs.GetQueueAttributesOutput, error) {
	found, err := m.queue(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	all, chosen := found.attributes(m.w.Now()), map[string]string{}
	for _, name := range in.AttributeNames {
		if name == types.QueueAttributeNameAll {
			chosen = all
			break
		}
		value, ok := all[string(name)]
		if !ok {
			return nil, api.NotModelled("attribute %s of sqs:GetQueueAttributes", name)
		}
		chosen[string(name)] = value
	}
	return &sqs.GetQueueAttributesOutput{Attributes: chosen}, nil
}

func (m *messageStore) sendMessage(call api.Call, in *sqs.SendMessageInput) (*sqs.SendMessageOutput, error) {
	found, err := m.queue(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	switch body := deref(in.MessageBody); {
	case body == "":
		return nil, api.Errorf("MissingParameter", "The request must contain the parameter MessageBody.")
	case len(body) > largeMessage:
		return nil, api.Errorf(
			"InvalidParameterValue", "One or more parameters are invalid. Reason: Message must be shorter than 262144 bytes.",
		)
	case in.DelaySeconds < 0 || in.DelaySeconds > 900:
		return nil, api.Errorf(
			"InvalidParameterValue",
			"Value %d for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.", in.DelaySeconds,
		)
	}
	sent := m.send(regionOf(m.w, call), found, *in.MessageBody, time.Duration(in.DelaySeconds)*time.Second)
	return &sqs.SendMessageOutput{MessageId: &sent.id, MD5OfMessageBody: digestOf(sent.body)}, nil
}

func (m *messageStore) receiveMessage(call api.Call, in *sqs.ReceiveMessageInput) (*sqs.ReceiveMessageOutput, error) {
	found, err := m.queue(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	count := int(in.MaxNumberOfMessages)
	if count == 0 {
		count = 1
	}
	if count < 1 || count > 10 || in.WaitTimeSeconds < 0 || in.WaitTimeSeconds > longestPoll {
		return nil, api.Errorf("InvalidParameterValue", "MaxNumberOfMessages must be 1 to 10 and WaitTimeSeconds 0 to 20.")
	}
	visibility := found.visibility
	if in.VisibilityTimeout > 0 {
		visibility = time.Duration(in.VisibilityTimeout) * time.Second
	}
	out := &sqs.ReceiveMessageOutput{}
	for _, each := range m.receive(regionOf(m.w, call), found, count, visibility) {
		out.Messages = append(out.Messages, types.Message{
			MessageId: &each.id, Body: &each.body, MD5OfBody: digestOf(each.body), ReceiptHandle: &each.receipt,
			Attributes: systemAttributes(in, each),
		})
	}
	if patience := cmp.Or(
		time.Duration(in.WaitTimeSeconds)*time.Second, found.wait,
	); len(out.Messages) == 0 && patience > 0 {
		return nil, &api.NotYet{Patience: patience, Empty: out}
	}
	return out, nil
}

// systemAttributes are those of the message that a receive asks for, by either of the two parameters that do.
func systemAttributes(in *sqs.ReceiveMessageInput, each *message) map[string]string {
	asked := map[string]bool{}
	for _, name := range in.MessageSystemAttributeNames {
		asked[string(name)] = true
	}
	for _, name := range in.AttributeNames { //nolint:staticcheck // deprecated, and older clients send nothing else
		asked[string(name)] = true
	}
	chosen := map[string]string{}
	for name, value := range map[string]string{
		"ApproximateReceiveCount": strconv.Itoa(each.received), "SentTimestamp": strconv.FormatInt(each.sent.UnixMilli(), 10),
		"ApproximateFirstReceiveTimestamp": strconv.FormatInt(each.first.UnixMilli(), 10),
	} {
		if asked[name] || asked["All"] {
			chosen[name] = value
		}
	}
	if len(chosen) == 0 {
		return nil
	}
	return chosen
}

// deleteMessage succeeds for a message that is gone, as SQS does.
func (m *messageStore) deleteMessage(_ api.Call, in *sqs.DeleteMessageInput) (*sqs.DeleteMessageOutput, error) {
	found, err := m.queue(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	found.messages = slices.DeleteFunc(
		found.messages, func(each *message) bool { return each.receipt != "" && each.receipt == deref(in.ReceiptHandle) },
	)
	return nil, nil
}

func (m *messageStore) changeVisibility(
	_ api.Call, in *sqs.ChangeMessageVisibilityInput,
) (*sqs.ChangeMessageVisibilityOutput, error) {
	found, err := m.queue(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	held, err := found.held(deref(in.ReceiptHandle))
	if err != nil {
		return nil, err
	}
	if in.VisibilityTimeout < 0 || in.VisibilityTimeout > 43200 {
		return nil, api.Errorf("InvalidParameterValue", "VisibilityTimeout must be 0 to 43200.")
	}
	held.hidden = m.w.Now().Add(time.Duration(in.VisibilityTimeout) * time.Second)
	return nil, nil
}

func (m *messageStore) purge(_ api.Call, in *sqs.PurgeQueueInput) (*sqs.PurgeQueueOutput, error) {
	found, err := m.queue(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	found.messages = nil
	return nil, nil
}
