package shapes

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// everywhere are codes that AWS documents as common to all actions of a service, or that its gateways give; the API
// descriptions do not list them.
var everywhere = []string{
	"AccessDenied", "AccessDeniedException", "ExpiredToken", "ExpiredTokenException", "InternalFailure", "InternalError",
	"InternalServerError", "InvalidAction", "InvalidClientTokenId", "MalformedQueryString", "MissingAction",
	"MissingAuthenticationToken", "RequestLimitExceeded", "SerializationException", "ServiceUnavailable", "Throttling",
	"ThrottlingException", "UnrecognizedClientException", "UnknownOperationException", "ValidationError",
	"ValidationException",
	// SQS's common errors, as its guide lists them.
	"InvalidParameterValue", "MissingParameter",
	// The simulator's own word for what it does not model is no AWS code, on purpose.
	"NotModelled",
}

// undeclared are services whose descriptions list few errors or none: their codes are in the guides only.
var undeclared = []string{"EC2", "S3"}

// failure checks an error reply: its form, and that the code is one that the operation may give.
func (c *checker) failure(r Reply, op operation) {
	code, problem := failureCode(r)
	if problem != "" {
		c.complain("error", "%s", problem)
		return
	}
	if slices.Contains(undeclared, r.Service) || slices.Contains(everywhere, code) {
		return
	}
	for _, declared := range op.Errors {
		shape := c.service.Shapes[declared.Shape]
		if declared.Shape == code || shape != nil && shape.Error.Code == code {
			return
		}
	}
	c.complain("error", "code %s is not one that %s gives", code, r.Operation)
}

func failureCode(r Reply) (code, problem string) {
	if len(r.Body) == 0 {
		if r.Service == "S3" { // replies to HEAD, and 304, have no body
			return http.StatusText(r.Status), ""
		}
		return "", "the body is empty"
	}
	switch kind := r.Header.Get("Content-Type"); {
	case kind == "application/json": // REST JSON tells the code in a header
		return r.Header.Get("X-Amzn-Errortype"), ""
	case strings.HasPrefix(kind, "application/x-amz-json-"):
		var body struct {
			Type    string `json:"__type"`
			Message string `json:"message"`
		}
		if err := json.Unmarshal(r.Body, &body); err != nil {
			return "", "the body is not JSON: " + err.Error()
		}
		if body.Type == "" || body.Message == "" {
			return "", "__type or message is missing"
		}
		return body.Type[strings.LastIndex(body.Type, "#")+1:], ""
	case kind == "application/cbor":
		tree, err := decodeCBOR(r.Body)
		if err != nil {
			return "", err.Error()
		}
		fields, _ := tree.(map[string]any)
		name, _ := fields["__type"].(string)
		if query, _, _ := strings.Cut(r.Header.Get("X-Amzn-Query-Error"), ";"); query != "" {
			name = query
		}
		if name == "" {
			return "", "__type is missing"
		}
		return name[strings.LastIndex(name, "#")+1:], ""
	}
	root, err := parseXML(r.Body)
	if err != nil {
		return "", err.Error()
	}
	holder := root // S3: <Error>; Query: <ErrorResponse><Error>; EC2: <Response><Errors><Error>
	if root.name == "Response" && root.child("Errors") != nil {
		holder = root.child("Errors").child("Error")
	} else if root.name == "ErrorResponse" {
		holder = root.child("Error")
	}
	if holder == nil || holder.name != "Error" || holder.child("Code") == nil || holder.child("Message") == nil {
		return "", "there is no <Error> with <Code> and <Message>"
	}
	return holder.child("Code").text, ""
}
