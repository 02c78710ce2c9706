package services

import (
	"cmp"
	"regexp"
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

// registerSQS registers queues, standard and FIFO.
func registerSQS(r *api.Registry, m *messageStore) {
	api.Handle(r, "sqs", "CreateQueue", []string{"QueueName", "Attributes", "Tags"}, m.createQueue)
	api.Handle(r, "sqs", "DeleteQueue", []string{"QueueUrl"}, m.deleteQueue)
	api.Handle(r, "sqs", "GetQueueUrl", []string{"QueueName", "QueueOwnerAWSAccountId"}, m.getQueue)
	api.Handle(r, "sqs", "ListQueues", []string{"QueueNamePrefix", "MaxResults", "NextToken"}, m.listQueues)
	api.Handle(r, "sqs", "GetQueueAttributes", []string{"QueueUrl", "AttributeNames"}, m.queueAttributes)
	api.Handle(r, "sqs", "SendMessage", []string{
		"QueueUrl", "MessageBody", "DelaySeconds", "MessageGroupId", "MessageDeduplicationId",
	}, m.sendMessage)
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
	registerSQSBatches(r, m)
}

// queue finds a queue of the endpoint's region that the caller may use.
func (m *messageStore) queue(call api.Call, url *string) (*queue, error) {
	found := m.queues[deref(url)]
	if found == nil || !strings.HasPrefix(found.arn, "arn:aws:sqs:"+call.Region+":") {
		return nil, api.Errorf("QueueDoesNotExist", "The specified queue does not exist.")
	}
	return found, found.mayUse(call)
}

// queueName is the pattern of the API reference of CreateQueue; a FIFO queue's name ends in .fifo.
var queueName = regexp.MustCompile(`^[\w-]{1,80}$`)

func (m *messageStore) createQueue(call api.Call, in *sqs.CreateQueueInput) (*sqs.CreateQueueOutput, error) {
	region, name := regionOf(m.w, call), deref(in.QueueName)
	stem, named := strings.CutSuffix(name, ".fifo")
	wanted := queueAttributes{}
	for key, value := range in.Attributes {
		wanted[key] = value
	}
	switch {
	case len(name) > 80 || !queueName.MatchString(stem):
		return nil, api.Errorf(
			"InvalidParameterValue", "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
		)
	case named && !wanted.fifo():
		return nil, api.Errorf(
			"InvalidParameterValue", "The name of a FIFO queue can only include alphanumeric characters, hyphens, or "+
				"underscores, must end with .fifo suffix and be 1 to 80 in length, and FifoQueue must be true",
		)
	case !named && wanted.fifo():
		return nil, api.Errorf("InvalidParameterValue", "The name of a FIFO queue must end with the .fifo suffix")
	}
	if err := checkAttributes(named, in.Attributes); err != nil {
		return nil, err
	}
	policy, err := queuePolicy(in.Attributes)
	if err != nil {
		return nil, err
	}
	if found := m.queues[queueURL(region, name)]; found != nil {
		if !wanted.same(found.set) {
			return nil, api.Errorf(
				"QueueNameExists", "A queue already exists with the same name and a different value for its attributes",
			)
		}
		return &sqs.CreateQueueOutput{QueueUrl: &found.url}, nil
	}
	made := m.addQueue(region, name, wanted)
	made.policy = policy
	for key, value := range in.Tags {
		made.tags[key] = value
	}
	return &sqs.CreateQueueOutput{QueueUrl: &made.url}, nil
}

func (m *messageStore) deleteQueue(call api.Call, in *sqs.DeleteQueueInput) (*sqs.DeleteQueueOutput, error) {
	found, err := m.queue(call, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	m.drop(found.url)
	return nil, nil
}

func (m *messageStore) getQueue(call api.Call, in *sqs.GetQueueUrlInput) (*sqs.GetQueueUrlOutput, error) {
	region := regionOf(m.w, call)
	if owner := m.w.Account(deref(in.QueueOwnerAWSAccountId)); in.QueueOwnerAWSAccountId != nil && owner != nil {
		region = owner.Region(call.Region)
	}
	found, err := m.queue(call, ref(queueURL(region, deref(in.QueueName))))
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
	call api.Call, in *sqs.GetQueueAttributesInput,
) (*sqs.GetQueueAttributesOutput, error) {
	found, err := m.queue(call, in.QueueUrl)
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
	found, err := m.queue(call, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	sent, err := m.accept(call, found, in)
	if err != nil {
		return nil, err
	}
	return &sqs.SendMessageOutput{
		MessageId: &sent.id, MD5OfMessageBody: digestOf(sent.body), SequenceNumber: given(sent.sequence),
	}, nil
}

// accept puts what a client sends into a queue.
func (m *messageStore) accept(call api.Call, q *queue, in *sqs.SendMessageInput) (*message, error) {
	sent, err := q.prepare(
		deref(in.MessageBody), deref(in.MessageGroupId), deref(in.MessageDeduplicationId), in.MessageGroupId != nil,
		in.MessageDeduplicationId != nil,
	)
	switch {
	case err != nil:
		return nil, err
	case in.DelaySeconds < 0 || in.DelaySeconds > 900:
		return nil, api.Errorf(
			"InvalidParameterValue",
			"Value %d for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.", in.DelaySeconds,
		)
	case in.DelaySeconds > 0 && q.set.fifo():
		return nil, api.Errorf(
			"InvalidParameterValue", "Value %d for parameter DelaySeconds is invalid. Reason: The request include parameter "+
				"that is not valid for this queue type.", in.DelaySeconds,
		)
	}
	delay := cmp.Or(time.Duration(in.DelaySeconds)*time.Second, q.set.seconds("DelaySeconds"))
	sent.sender = "AIDA" + call.Account
	return m.put(regionOf(m.w, call), q, sent, delay), nil
}

func (m *messageStore) receiveMessage(call api.Call, in *sqs.ReceiveMessageInput) (*sqs.ReceiveMessageOutput, error) {
	found, err := m.queue(call, in.QueueUrl)
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
	visibility := found.set.seconds("VisibilityTimeout")
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
		time.Duration(in.WaitTimeSeconds)*time.Second, found.set.seconds("ReceiveMessageWaitTimeSeconds"),
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
		"ApproximateFirstReceiveTimestamp": strconv.FormatInt(each.first.UnixMilli(), 10), "SenderId": each.sender,
		"MessageGroupId": each.group, "MessageDeduplicationId": each.once, "SequenceNumber": each.sequence,
	} {
		if value != "" && (asked[name] || asked["All"]) {
			chosen[name] = value
		}
	}
	if len(chosen) == 0 {
		return nil
	}
	return chosen
}

// deleteMessage succeeds for a message that is gone, as SQS does.
func (m *messageStore) deleteMessage(call api.Call, in *sqs.DeleteMessageInput) (*sqs.DeleteMessageOutput, error) {
	found, err := m.queue(call, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	return nil, found.remove(deref(in.ReceiptHandle))
}

func (m *messageStore) changeVisibility(
	call api.Call, in *sqs.ChangeMessageVisibilityInput,
) (*sqs.ChangeMessageVisibilityOutput, error) {
	found, err := m.queue(call, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	return nil, found.hide(deref(in.ReceiptHandle), in.VisibilityTimeout, m.w.Now())
}

func (m *messageStore) purge(call api.Call, in *sqs.PurgeQueueInput) (*sqs.PurgeQueueOutput, error) {
	found, err := m.queue(call, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	found.messages = nil
	return nil, nil
}
