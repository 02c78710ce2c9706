package wavelog

import (
	"strings"

	commonpb "go.temporal.io/api/common/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/converter"

	"github.com/patchtide/patchtide/internal/names"
)

// decoded is the first payload; the zero value where it is none of ours, such as one written by a later release or
// encrypted.
func decoded[T any](payloads *commonpb.Payloads) T {
	var value T
	if len(payloads.GetPayloads()) > 0 {
		value = field[T](payloads.GetPayloads()[0])
	}
	return value
}

func field[T any](payload *commonpb.Payload) T {
	var value, none T
	if payload == nil || converter.GetDefaultDataConverter().FromPayload(payload, &value) != nil {
		return none
	}
	return value
}

// summary is what the Temporal UI shows an activity, a timer or a child to be for.
func summary(event *historypb.HistoryEvent) string {
	return field[string](event.GetUserMetadata().GetSummary())
}

// attribute is the text of one of our search attributes.
func attribute(event *historypb.HistoryEvent, name string) string {
	fields := event.GetUpsertWorkflowSearchAttributesEventAttributes().GetSearchAttributes().GetIndexedFields()
	return field[string](fields[name])
}

// cause is the innermost message of a failure, its author's own words, behind the code by which it is looked up.
func cause(failure *failurepb.Failure) string {
	for failure.GetCause() != nil {
		failure = failure.GetCause()
	}
	said, code := failure.GetMessage(), failure.GetApplicationFailureInfo().GetType()
	if code == "" || strings.HasPrefix(said, code+":") {
		return said
	}
	return code + ": " + said
}

// isOurs tells the workflows whose histories belong to a wave's.
func isOurs(workflow string) bool {
	return workflow == names.PatchGroup || workflow == names.PatchInstance || workflow == names.RestoreInstance
}
