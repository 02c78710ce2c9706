package wire

import (
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// cborCodec speaks Smithy RPC v2 CBOR, as the SDK does to CloudWatch.
type cborCodec struct{ body []byte }

func readCBOR(r *http.Request, service string, body []byte) (*Request, error) {
	request := &Request{Service: service, codec: cborCodec{body: body}}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/") // service/{name}/operation/{name}
	if len(parts) != 4 || parts[0] != "service" || parts[2] != "operation" {
		return request, api.Errorf("UnknownOperationException", "path %s is not /service/NAME/operation/NAME", r.URL.Path)
	}
	request.Operation = parts[3]
	return request, nil
}

func (c cborCodec) decode(into any) error {
	var tree any = map[string]any{}
	if len(c.body) > 0 {
		value, err := cbor.Decode(c.body)
		if err != nil {
			return api.Errorf("SerializationException", "the body is not CBOR: %v", err)
		}
		tree = fromCBOR(value)
	}
	return assigner{plainName}.assign(reflect.ValueOf(into).Elem(), tree, "")
}

func (c cborCodec) encode(_ string, output any, requestID string) (Response, error) {
	fillLists(output)
	tree := plainTree(reflect.ValueOf(output), func(t time.Time) any { return t })
	return c.response(http.StatusOK, cbor.Encode(toCBOR(tree)), requestID), nil
}

func (c cborCodec) encodeError(failure *api.Error, requestID string) Response {
	body := cbor.Encode(cbor.Map{"__type": cbor.String(failure.Code), "message": cbor.String(failure.Message)})
	response := c.response(failure.HTTPStatus(), body, requestID)
	response.Header.Set("X-Amzn-Query-Error", failure.Code+";"+faultType(failure.HTTPStatus()))
	return response
}

func (c cborCodec) response(status int, body []byte, requestID string) Response {
	return Response{Status: status, Body: body, Header: http.Header{
		"Content-Type":     {"application/cbor"},
		"Smithy-Protocol":  {"rpc-v2-cbor"},
		"X-Amzn-Requestid": {requestID},
	}}
}

// epochTag marks a number as seconds since 1970 (RFC 8949, 3.4.2).
const epochTag = 1

func fromCBOR(value cbor.Value) any {
	switch value := value.(type) {
	case cbor.Uint:
		return int64(value)
	case cbor.NegInt:
		return -int64(value)
	case cbor.Float32:
		return float64(value)
	case cbor.Float64:
		return float64(value)
	case cbor.String:
		return string(value)
	case cbor.Bool:
		return bool(value)
	case cbor.Slice:
		return []byte(value)
	case cbor.List:
		list := make([]any, len(value))
		for i, item := range value {
			list[i] = fromCBOR(item)
		}
		return list
	case cbor.Map:
		tree := make(map[string]any, len(value))
		for key, item := range value {
			tree[key] = fromCBOR(item)
		}
		return tree
	case *cbor.Tag:
		inner := fromCBOR(value.Value)
		if value.ID != epochTag {
			return inner
		}
		switch seconds := inner.(type) {
		case int64:
			return time.Unix(seconds, 0).UTC()
		case float64:
			return epoch(seconds)
		}
		return inner
	}
	return nil
}

func toCBOR(node any) cbor.Value {
	v := reflect.ValueOf(node)
	switch node := node.(type) {
	case nil:
		return &cbor.Nil{}
	case time.Time:
		return &cbor.Tag{ID: epochTag, Value: cbor.Float64(float64(node.UnixMilli()) / 1000)}
	case []byte:
		return cbor.Slice(node)
	case []any:
		list := make(cbor.List, len(node))
		for i, item := range node {
			list[i] = toCBOR(item)
		}
		return list
	case map[string]any:
		tree := make(cbor.Map, len(node))
		for key, item := range node {
			tree[key] = toCBOR(item)
		}
		return tree
	}
	switch v.Kind() {
	case reflect.String:
		return cbor.String(v.String())
	case reflect.Bool:
		return cbor.Bool(v.Bool())
	case reflect.Float32, reflect.Float64:
		return cbor.Float64(v.Float())
	case reflect.Int32, reflect.Int64:
		if v.Int() < 0 {
			return cbor.NegInt(-v.Int())
		}
		return cbor.Uint(v.Int())
	}
	return &cbor.Nil{}
}
