package shapes

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
)

// Reply is one reply as it came over the wire.
type Reply struct {
	Service   string // the SDK's service id: "Auto Scaling"
	Operation string
	Status    int
	Header    http.Header
	Body      []byte
}

// Check returns what is wrong with a reply, one sentence each; nothing means that it conforms. An error means that the
// reply could not be compared at all.
func (m *Models) Check(r Reply) ([]string, error) {
	s, err := m.service(r.Service)
	if err != nil {
		return nil, err
	}
	op, ok := s.Operations[r.Operation]
	if !ok {
		return nil, fmt.Errorf("%s has no operation %s", r.Service, r.Operation)
	}
	c := &checker{service: s}
	switch {
	case r.Status >= http.StatusMultipleChoices:
		c.failure(r, op)
	case op.Output.Shape == "":
		// There is nothing to look at but the status.
	case s.Metadata.Protocol == "rest-xml", s.Metadata.Protocol == "rest-json": // of whose bodies only payloads are read
		c.restXML(r, op)
	default:
		tree, problem := c.decode(r, op)
		if problem != nil {
			return []string{problem.Error()}, nil
		}
		c.check(op.Output.Shape, tree, "")
	}
	return c.problems, nil
}

func (c *checker) decode(r Reply, op operation) (any, error) {
	switch kind := r.Header.Get("Content-Type"); {
	case kind == "application/cbor":
		return decodeCBOR(r.Body)
	case strings.HasPrefix(kind, "application/x-amz-json-"):
		return decodeJSON(r.Body)
	}
	root, err := parseXML(r.Body)
	if err != nil {
		return nil, err
	}
	if want := r.Operation + "Response"; root.name != want {
		return nil, fmt.Errorf("the root element is <%s> and should be <%s>", root.name, want)
	}
	if c.service.Metadata.Protocol == "ec2" {
		if root.child("requestId") == nil {
			return nil, fmt.Errorf("<requestId> is missing")
		}
		root.children = slices.DeleteFunc(root.children, func(e *element) bool { return e.name == "requestId" })
		return c.service.tree(op.Output.Shape, root), nil
	}
	if metadata := root.child("ResponseMetadata"); metadata == nil || metadata.child("RequestId") == nil {
		return nil, fmt.Errorf("<ResponseMetadata> with <RequestId> is missing")
	}
	result := root.child(op.Output.ResultWrapper)
	if result == nil {
		return nil, fmt.Errorf("<%s> is missing", op.Output.ResultWrapper)
	}
	return c.service.tree(op.Output.Shape, result), nil
}

func decodeJSON(body []byte) (any, error) {
	var tree any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&tree); err != nil {
		return nil, fmt.Errorf("the body is not JSON: %w", err)
	}
	return tree, nil
}

func decodeCBOR(body []byte) (any, error) {
	if len(body) == 0 {
		return map[string]any{}, nil
	}
	value, err := cbor.Decode(body)
	if err != nil {
		return nil, fmt.Errorf("the body is not CBOR: %w", err)
	}
	return plain(value), nil
}

func plain(value cbor.Value) any {
	switch value := value.(type) {
	case cbor.String:
		return string(value)
	case cbor.Bool:
		return bool(value)
	case cbor.Uint:
		return int64(value)
	case cbor.NegInt:
		return -int64(value)
	case cbor.Float32:
		return float64(value)
	case cbor.Float64:
		return float64(value)
	case cbor.Slice:
		return []byte(value)
	case cbor.List:
		items := make([]any, len(value))
		for i, item := range value {
			items[i] = plain(item)
		}
		return items
	case cbor.Map:
		tree := map[string]any{}
		for key, item := range value {
			tree[key] = plain(item)
		}
		return tree
	case *cbor.Tag:
		if seconds, ok := plain(value.Value).(float64); ok && value.ID == 1 {
			return time.UnixMilli(int64(seconds * 1000))
		}
		if seconds, ok := plain(value.Value).(int64); ok && value.ID == 1 {
			return time.Unix(seconds, 0)
		}
	}
	return nil
}

// restXML checks headers and, where there is one that is no stream, the document.
func (c *checker) restXML(r Reply, op operation) {
	shape := c.service.Shapes[op.Output.Shape]
	inBody := false
	for name, member := range shape.Members {
		switch {
		case member.Location == "header":
			if text := r.Header.Get(member.LocationName); text != "" {
				c.header(member, text, name)
			} else if slices.Contains(shape.Required, name) {
				c.complain(name, "required header %s is missing", member.LocationName)
			}
		case member.Location == "" && name != shape.Payload:
			inBody = true
		}
	}
	if !inBody || shape.Payload != "" {
		return
	}
	root, err := parseXML(r.Body)
	if err != nil {
		c.complain("", "%v", err)
		return
	}
	if op.Output.Shape == "GetBucketLocationOutput" { // the root element is the only member itself
		root = &element{children: []*element{root}}
	}
	c.check(op.Output.Shape, c.service.tree(op.Output.Shape, root), "")
}

func (c *checker) header(m *member, text, path string) {
	if c.service.Shapes[m.Shape].Type == "timestamp" {
		if _, err := http.ParseTime(text); err != nil {
			c.complain(path, "%q is no HTTP date", text)
		}
		return
	}
	c.check(m.Shape, text, path)
}
