package shapes

import (
	"bytes"
	"io"
	"net/http"
	"sync"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
)

// Transport checks every reply that passes through it. Requests must come from clients of the AWS SDK for Go v2, which put
// the names of service and operation into the request's context.
type Transport struct {
	Next   http.RoundTripper
	Models *Models
	// Report hears of each reply that does not conform.
	Report func(reply Reply, problems []string)

	mu   sync.Mutex
	seen map[string]int
}

// RoundTrip implements [http.RoundTripper].
func (t *Transport) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := t.Next.RoundTrip(request)
	if err != nil {
		return response, err
	}
	body, err := io.ReadAll(response.Body)
	response.Body = io.NopCloser(bytes.NewReader(body))
	if err != nil {
		return response, err
	}
	reply := Reply{
		Service: awsmiddleware.GetServiceID(request.Context()), Operation: awsmiddleware.GetOperationName(request.Context()),
		Status: response.StatusCode, Header: response.Header, Body: body,
	}
	if reply.Operation == "" {
		return response, nil // no SDK client: a page, or a presigned URL
	}
	problems, err := t.Models.Check(reply)
	if err != nil {
		problems = append(problems, err.Error())
	}
	if len(problems) > 0 {
		t.Report(reply, problems)
	}
	if response.StatusCode < http.StatusMultipleChoices {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.seen == nil {
			t.seen = map[string]int{}
		}
		t.seen[reply.Service+":"+reply.Operation]++
	}
	return response, nil
}

// Succeeded counts the replies of an operation that were successes, conforming or not.
func (t *Transport) Succeeded(serviceID, operation string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.seen[serviceID+":"+operation]
}
