package wire

import (
	"encoding/json"
	"net/http"
	"reflect"
	"regexp"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// lambdaCodec speaks Lambda's REST JSON as far as Invoke goes: the function is in the path, what is asked of it in the
// query and in headers, and a body is an event, or what a function returns, as it is.
type lambdaCodec struct {
	function string
	request  *http.Request
	body     []byte
}

var invocations = regexp.MustCompile(`^/2015-03-31/functions/([^/]+)/invocations$`)

func readLambda(r *http.Request, body []byte) (*Request, error) {
	match := invocations.FindStringSubmatch(r.URL.Path)
	if match == nil || r.Method != http.MethodPost {
		return &Request{Service: "lambda", codec: lambdaCodec{}}, api.NotModelled(
			"lambda request %s %s", r.Method, r.URL.Path,
		)
	}
	return &Request{
		Service: "lambda", Operation: "Invoke", codec: lambdaCodec{function: match[1], request: r, body: body},
	}, nil
}

// invokeHeaders are the headers of Invoke, by the members that they are (its API reference).
var invokeHeaders = map[string]string{
	"InvocationType": "X-Amz-Invocation-Type", "LogType": "X-Amz-Log-Type", "ClientContext": "X-Amz-Client-Context",
	"DurableExecutionName": "X-Amz-Durable-Execution-Name", "TenantId": "X-Amz-Tenant-Id",
}

func (c lambdaCodec) decode(into any) error {
	tree := map[string]any{"FunctionName": c.function}
	for member, header := range invokeHeaders {
		if value := c.request.Header.Get(header); value != "" {
			tree[member] = value
		}
	}
	for name, values := range c.request.URL.Query() {
		if name != "Qualifier" {
			return api.NotModelled("parameter %s of lambda:Invoke", name)
		}
		tree[name] = values[0]
	}
	value := reflect.ValueOf(into).Elem()
	if payload := value.FieldByName("Payload"); payload.IsValid() && len(c.body) > 0 {
		payload.SetBytes(c.body)
	}
	return assigner{plainName}.assign(value, tree, "")
}

func (c lambdaCodec) encode(_ string, output any, requestID string) (Response, error) {
	out, ok := output.(*lambda.InvokeOutput)
	if !ok {
		return Response{}, api.NotModelled("the reply %T of Lambda", output)
	}
	response := c.response(int(out.StatusCode), out.Payload, requestID)
	for header, value := range map[string]*string{
		"X-Amz-Function-Error": out.FunctionError, "X-Amz-Log-Result": out.LogResult,
		"X-Amz-Executed-Version": out.ExecutedVersion,
	} {
		if value != nil {
			response.Header.Set(header, *value)
		}
	}
	return response, nil
}

func (c lambdaCodec) encodeError(failure *api.Error, requestID string) Response {
	said := map[string]string{"Type": "User", "Message": failure.Message, "message": failure.Message}
	if failure.HTTPStatus() >= http.StatusInternalServerError {
		said["Type"] = "Service"
	}
	for name, value := range failure.Details {
		said[name] = value
	}
	body, _ := json.Marshal(said) // texts always marshal
	response := c.response(failure.HTTPStatus(), body, requestID)
	response.Header.Set("X-Amzn-Errortype", failure.Code)
	for name, value := range failure.Headers {
		response.Header.Set(name, value)
	}
	return response
}

func (c lambdaCodec) response(status int, body []byte, requestID string) Response {
	return Response{Status: status, Body: body, Header: http.Header{
		"Content-Type":     {"application/json"},
		"Content-Length":   {strconv.Itoa(len(body))},
		"X-Amzn-Requestid": {requestID},
	}}
}
