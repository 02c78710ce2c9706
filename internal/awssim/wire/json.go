package wire

import (
	"bytes"
	"encoding/json"
	"math"
	"net/http"
	"reflect"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// jsonCodec speaks AWS JSON 1.1, and 1.0 for SQS: names as in the model, times as seconds since 1970, errors by
// "__type".
type jsonCodec struct {
	service string
	body    []byte
}

func (c jsonCodec) decode(into any) error {
	var tree any = map[string]any{}
	if len(bytes.TrimSpace(c.body)) > 0 {
		decoder := json.NewDecoder(bytes.NewReader(c.body))
		decoder.UseNumber()
		if err := decoder.Decode(&tree); err != nil {
			return api.Errorf("SerializationException", "the body is not JSON: %v", err)
		}
	}
	return assigner{jsonName}.assign(reflect.ValueOf(into).Elem(), tree, "")
}

func (c jsonCodec) encode(_ string, output any, requestID string) (Response, error) {
	if c.service != "sqs" {
		fillLists(output)
	}
	body, err := json.Marshal(namedTree(reflect.ValueOf(output), replyName, func(t time.Time) any {
		return math.Round(float64(t.UnixMilli())) / 1000
	}))
	return c.response(http.StatusOK, body, requestID), err
}

func (c jsonCodec) encodeError(failure *api.Error, requestID string) Response {
	// Both spellings: AWS's services differ, and clients look for either.
	body, _ := json.Marshal(
		map[string]string{"__type": failure.Code, "message": failure.Message, "Message": failure.Message},
	)
	response := c.response(failure.HTTPStatus(), body, requestID)
	response.Header.Set("X-Amzn-ErrorType", failure.Code)
	if older := olderQueueCodes[failure.Code]; c.service == "sqs" && older != "" {
		response.Header.Set("X-Amzn-Query-Error", older+";Sender") // SQS's codes of the time when it spoke the query protocol
	}
	return response
}

// olderQueueCodes are what clients of SQS look for besides the error's own code.
var olderQueueCodes = map[string]string{
	"QueueDoesNotExist": "AWS.SimpleQueueService.NonExistentQueue", "QueueNameExists": "QueueAlreadyExists",
	"ReceiptHandleIsInvalid": "ReceiptHandleIsInvalid", "AccessDeniedException": "AccessDenied",
	"RequestThrottled": "RequestThrottled", "InvalidAddress": "InvalidAddress",
	"EmptyBatchRequest":            "AWS.SimpleQueueService.EmptyBatchRequest",
	"TooManyEntriesInBatchRequest": "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
	"BatchEntryIdsNotDistinct":     "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
	"InvalidBatchEntryId":          "AWS.SimpleQueueService.InvalidBatchEntryId",
	"BatchRequestTooLong":          "AWS.SimpleQueueService.BatchRequestTooLong",
	"UnsupportedOperation":         "AWS.SimpleQueueService.UnsupportedOperation",
	"PurgeQueueInProgress":         "AWS.SimpleQueueService.PurgeQueueInProgress",
}

func (c jsonCodec) response(status int, body []byte, requestID string) Response {
	version := "1.1"
	if c.service == "sqs" {
		version = "1.0"
	}
	return Response{Status: status, Body: body, Header: http.Header{
		"Content-Type":     {"application/x-amz-json-" + version},
		"X-Amzn-Requestid": {requestID},
	}}
}

// plainTree turns an SDK value into maps, lists and scalars under the model's names. Times become what when makes of
// them.
func plainTree(v reflect.Value, when func(time.Time) any) any { return namedTree(v, plainName, when) }

// namedTree is plainTree under the names that name gives.
func namedTree(v reflect.Value, name namer, when func(time.Time) any) any {
	switch {
	case v.Type() == timeType:
		return when(v.Interface().(time.Time))
	case v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return namedTree(v.Elem(), name, when)
	case v.Kind() == reflect.Struct:
		tree := map[string]any{}
		for _, field := range members(v.Type()) {
			value := v.FieldByIndex(field.Index)
			if field.Type == readerType || absent(value) {
				continue
			}
			tree[name(v.Type(), field)] = namedTree(value, name, when)
		}
		return tree
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8:
		return v.Bytes()
	case v.Kind() == reflect.Slice:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = namedTree(v.Index(i), name, when)
		}
		return list
	case v.Kind() == reflect.Map:
		tree := map[string]any{}
		for _, key := range v.MapKeys() {
			tree[key.String()] = namedTree(v.MapIndex(key), name, when)
		}
		return tree
	}
	return v.Interface()
}

// Arguments renders an input as JSON for the event log: what was set, under the model's names, times as RFC 3339,
// streams left out.
func Arguments(input any) json.RawMessage {
	text, err := json.Marshal(
		plainTree(reflect.ValueOf(input), func(t time.Time) any { return t.UTC().Format(time.RFC3339) }),
	)
	if err != nil {
		return json.RawMessage(`{}`)
	}
	return text
}
