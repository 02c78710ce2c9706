package services

import (
	"errors"
	"maps"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// mostBatched is how many entries a batch of SQS has.
const mostBatched = 10

var entryID = regexp.MustCompile(`^[\w-]{1,80}$`)

func registerSQSBatches(r *api.Registry, m *messageStore) {
	entries := []string{"QueueUrl", "Entries"}
	api.Handle(r, "sqs", "SendMessageBatch", entries, m.sendBatch)
	api.Handle(r, "sqs", "DeleteMessageBatch", entries, m.deleteBatch)
	api.Handle(r, "sqs", "ChangeMessageVisibilityBatch", entries, m.changeBatch)
	api.Handle(r, "sqs", "SetQueueAttributes", []string{"QueueUrl", "Attributes"}, m.setAttributes)
	api.Handle(r, "sqs", "TagQueue", []string{"QueueUrl", "Tags"}, m.tagQueue)
	api.Handle(r, "sqs", "UntagQueue", []string{"QueueUrl", "TagKeys"}, m.untagQueue)
	api.Handle(r, "sqs", "ListQueueTags", []string{"QueueUrl"}, m.queueTags)
}

// checkEntries refuses a batch as a whole, before any entry is looked at.
func checkEntries[T any](entries []T, id func(T) *string) error {
	switch {
	case len(entries) == 0:
		return api.Errorf("EmptyBatchRequest", "There should be at least one entry in the request.")
	case len(entries) > mostBatched:
		return api.Errorf(
			"TooManyEntriesInBatchRequest", "Maximum number of entries per request are %d. You have sent %d.", mostBatched,
			len(entries),
		)
	}
	seen := map[string]bool{}
	for _, entry := range entries {
		switch name := deref(id(entry)); {
		case !entryID.MatchString(name):
			return api.Errorf("InvalidBatchEntryId", "A batch entry id can only contain alphanumeric characters, hyphens and "+
				"underscores. It can be at most 80 letters long.")
		case seen[name]:
			return api.Errorf("BatchEntryIdsNotDistinct", "Id %s repeated.", name)
		default:
			seen[name] = true
		}
	}
	return nil
}

// failedEntry is what a batch tells of an entry that failed.
func failedEntry(id *string, err error) types.BatchResultErrorEntry {
	var refusal *api.Error
	errors.As(err, &refusal)
	return types.BatchResultErrorEntry{Id: id, Code: &refusal.Code, Message: &refusal.Message, SenderFault: true}
}

func (m *messageStore) sendBatch(call api.Call, in *sqs.SendMessageBatchInput) (*sqs.SendMessageBatchOutput, error) {
	found, err := m.queue(call, in.QueueUrl)
	if err == nil {
		err = checkEntries(in.Entries, func(e types.SendMessageBatchRequestEntry) *string { return e.Id })
	}
	if err != nil {
		return nil, err
	}
	size := 0
	for _, entry := range in.Entries {
		size += len(deref(entry.MessageBody))
		if len(entry.MessageAttributes) > 0 || len(entry.MessageSystemAttributes) > 0 {
			return nil, api.NotModelled("message attributes of sqs:SendMessageBatch")
		}
	}
	if size > largestQueued {
		return nil, api.Errorf(
			"BatchRequestTooLong", "Batch requests cannot be longer than %d bytes. You have sent %d bytes.", largestQueued, size,
		)
	}
	out := &sqs.SendMessageBatchOutput{
		Successful: []types.SendMessageBatchResultEntry{}, Failed: []types.BatchResultErrorEntry{},
	}
	for _, entry := range in.Entries {
		sent, err := m.accept(call, found, &sqs.SendMessageInput{
			MessageBody: entry.MessageBody, DelaySeconds: entry.DelaySeconds, MessageGroupId: entry.MessageGroupId,
			MessageDeduplicationId: entry.MessageDeduplicationId,
		})
		if err != nil {
			out.Failed = append(out.Failed, failedEntry(entry.Id, err))
			continue
		}
		out.Successful = append(out.Successful, types.SendMessageBatchResultEntry{
			Id: entry.Id, MessageId: &sent.id, MD5OfMessageBody: digestOf(sent.body), SequenceNumber: given(sent.sequence),
		})
	}
	return out, nil
}

func (m *messageStore) deleteBatch(
	call api.Call, in *sqs.DeleteMessageBatchInput,
) (*sqs.DeleteMessageBatchOutput, error) {
	found, err := m.queue(call, in.QueueUrl)
	if err == nil {
		err = checkEntries(in.Entries, func(e types.DeleteMessageBatchRequestEntry) *string { return e.Id })
	}
	if err != nil {
		return nil, err
	}
	out := &sqs.DeleteMessageBatchOutput{
		Successful: []types.DeleteMessageBatchResultEntry{}, Failed: []types.BatchResultErrorEntry{},
	}
	for _, entry := range in.Entries {
		if err := found.remove(deref(entry.ReceiptHandle)); err != nil {
			out.Failed = append(out.Failed, failedEntry(entry.Id, err))
			continue
		}
		out.Successful = append(out.Successful, types.DeleteMessageBatchResultEntry{Id: entry.Id})
	}
	return out, nil
}

func (m *messageStore) changeBatch(
	call api.Call, in *sqs.ChangeMessageVisibilityBatchInput,
) (*sqs.ChangeMessageVisibilityBatchOutput, error) {
	found, err := m.queue(call, in.QueueUrl)
	if err == nil {
		err = checkEntries(in.Entries, func(e types.ChangeMessageVisibilityBatchRequestEntry) *string { return e.Id })
	}
	if err != nil {
		return nil, err
	}
	out := &sqs.ChangeMessageVisibilityBatchOutput{
		Successful: []types.ChangeMessageVisibilityBatchResultEntry{}, Failed: []types.BatchResultErrorEntry{},
	}
	for _, entry := range in.Entries {
		if err := found.hide(deref(entry.ReceiptHandle), entry.VisibilityTimeout, call.Time); err != nil {
			out.Failed = append(out.Failed, failedEntry(entry.Id, err))
			continue
		}
		out.Successful = append(out.Successful, types.ChangeMessageVisibilityBatchResultEntry{Id: entry.Id})
	}
	return out, nil
}

func (m *messageStore) setAttributes(
	call api.Call, in *sqs.SetQueueAttributesInput,
) (*sqs.SetQueueAttributesOutput, error) {
	found, err := m.queue(call, in.QueueUrl)
	if err == nil {
		err = checkAttributes(found.set.fifo(), in.Attributes)
	}
	if err != nil {
		return nil, err
	}
	if _, given := in.Attributes["Policy"]; given {
		policy, err := queuePolicy(in.Attributes)
		if err != nil {
			return nil, err
		}
		found.policy = policy
	}
	for key, value := range in.Attributes {
		found.set[key] = value
	}
	return nil, nil
}

// mostQueueTags is how many tags a queue has.
const mostQueueTags = 50

func (m *messageStore) tagQueue(call api.Call, in *sqs.TagQueueInput) (*sqs.TagQueueOutput, error) {
	found, err := m.queue(call, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	merged := maps.Clone(found.tags)
	maps.Copy(merged, in.Tags)
	if len(merged) > mostQueueTags {
		return nil, api.Errorf("InvalidParameterValue", "Too many tags added for queue")
	}
	found.tags = merged
	return nil, nil
}

func (m *messageStore) untagQueue(call api.Call, in *sqs.UntagQueueInput) (*sqs.UntagQueueOutput, error) {
	found, err := m.queue(call, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	for _, key := range in.TagKeys {
		delete(found.tags, key)
	}
	return nil, nil
}

func (m *messageStore) queueTags(call api.Call, in *sqs.ListQueueTagsInput) (*sqs.ListQueueTagsOutput, error) {
	found, err := m.queue(call, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	return &sqs.ListQueueTagsOutput{Tags: found.tags}, nil
}
