// Package wire decodes requests in the protocols that the AWS SDK and the AWS CLI speak, and encodes replies and
// errors, by reflection over the SDK's own input and output types: AWS JSON, AWS Query, EC2 Query, Smithy RPC v2 CBOR,
// S3's REST XML, and Lambda's REST JSON.
package wire

//go:generate go run ./ec2names
//go:generate go run ./limits

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// Request is one HTTP request of which the service, the protocol and the operation are known and the input is not yet
// read.
type Request struct {
	Service   string // SigV4 scope name
	Operation string
	codec     codec
}

// Response is what to write back.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// codec reads one request's input and writes its reply.
type codec interface {
	decode(into any) error
	encode(operation string, output any, requestID string) (Response, error)
	encodeError(failure *api.Error, requestID string) Response
}

// maxBody bounds a request's body; S3's objects are the largest that clients of this simulator send.
const maxBody = 64 << 20

// Read finds out which protocol a request to service speaks and which operation it asks for. It reads the body whole.
// Errors are *api.Error; the Request is usable for encoding them even so.
func Read(r *http.Request, service string) (*Request, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return &Request{Service: service, codec: fallback(service)}, api.Errorf(
			"RequestTimeout", "read the request's body: %v", err,
		)
	}
	if len(body) > maxBody {
		return &Request{Service: service, codec: fallback(service)}, api.NotModelled("a body over %d bytes", maxBody)
	}
	// In S3 an encoding is the object's; elsewhere the SDKs compress what they send.
	if service != "s3" && r.Header.Get("Content-Encoding") == "gzip" {
		if body, err = gunzip(body); err != nil {
			return &Request{Service: service, codec: fallback(service)}, api.Errorf(
				"SerializationException", "the body is not gzip: %v", err,
			)
		}
	}
	switch {
	case service == "s3":
		return readS3(r, body)
	case service == "lambda":
		return readLambda(r, body)
	case r.Header.Get("Smithy-Protocol") == "rpc-v2-cbor":
		return readCBOR(r, service, body)
	case r.Header.Get("X-Amz-Target") != "":
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		return &Request{Service: service, Operation: operation, codec: jsonCodec{service: service, body: body}}, nil
	}
	return readQuery(r, service, body)
}

// Decode reads the input into a pointer to the operation's input type. What the type does not have is NotModelled.
func (r *Request) Decode(into any) error { return r.codec.decode(into) }

// Encode writes a pointer to the operation's output type.
func (r *Request) Encode(output any, requestID string) (Response, error) {
	return r.codec.encode(r.Operation, output, requestID)
}

// EncodeError writes an error in the request's protocol.
func (r *Request) EncodeError(failure *api.Error, requestID string) Response {
	return r.codec.encodeError(failure, requestID)
}

// Fallback is a Request for answering with an error when not even the service could be told.
func Fallback() *Request { return &Request{codec: fallback("")} }

func fallback(service string) codec {
	switch service {
	case "s3":
		return s3Codec{}
	case "lambda":
		return lambdaCodec{}
	}
	return queryCodec{service: service, ec2: service == "ec2"}
}

func readQuery(r *http.Request, service string, body []byte) (*Request, error) {
	form, err := url.ParseQuery(string(body))
	if err == nil && len(body) == 0 {
		form, err = url.ParseQuery(r.URL.RawQuery)
	}
	request := &Request{
		Service: service, Operation: form.Get("Action"),
		codec: queryCodec{service: service, ec2: service == "ec2", form: form},
	}
	switch {
	case err != nil:
		return request, api.Errorf("MalformedQueryString", "the body is not a form: %v", err)
	case request.Operation == "":
		return request, &api.Error{
			Code: "MissingAction", Status: http.StatusBadRequest,
			Message: fmt.Sprintf("%s %s names no action by X-Amz-Target, Smithy path or Action", r.Method, r.URL.Path),
		}
	}
	return request, nil
}

func gunzip(body []byte) ([]byte, error) {
	reader, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(reader, maxBody))
}

// faultType tells whose fault an error is, as the query protocols say it.
func faultType(status int) string {
	if status >= http.StatusInternalServerError {
		return "Receiver"
	}
	return "Sender"
}
