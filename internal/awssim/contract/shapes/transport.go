package shapes

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
)

// Transport checks every reply that passes through it. Requests must come from clients of the AWS SDK for Go v2, which
// put the names of service and operation into the request's context.
type Transport struct {
	Next   http.RoundTripper
	Models *Models
	// Report hears of each reply that does not conform; of equal ones once.
	Report func(reply Reply, problems []string)

	mu       sync.Mutex
	seen     map[string]int
	reported map[string]bool
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
	if len(problems) > 0 && t.first(reply.Operation+strings.Join(problems, "\n")) {
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

// first reports whether a finding is new.
func (t *Transport) first(finding string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.reported[finding] {
		return false
	}
	if t.reported == nil {
		t.reported = map[string]bool{}
	}
	t.reported[finding] = true
	return true
}

// Succeeded counts the replies of an operation that were successes, conforming or not.
func (t *Transport) Succeeded(serviceID, operation string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.seen[serviceID+":"+operation]
}
