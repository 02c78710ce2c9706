package wire

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

func (c s3Codec) decodeBody(into any) error {
	switch input := into.(type) {
	case *s3.PutObjectInput:
		length := int64(len(c.body))
		input.Body, input.ContentLength = bytes.NewReader(c.body), &length
	case *s3.UploadPartInput:
		length := int64(len(c.body))
		input.Body, input.ContentLength = bytes.NewReader(c.body), &length
	case *s3.CompleteMultipartUploadInput:
		input.MultipartUpload = &types.CompletedMultipartUpload{}
		return c.document(input.MultipartUpload, "Part", "Parts")
	case *s3.DeleteObjectsInput:
		input.Delete = &types.Delete{}
		return c.document(input.Delete, "Object", "Objects")
	case *s3.PutBucketPolicyInput:
		text := string(c.body)
		input.Policy = &text
	case *s3.PutPublicAccessBlockInput:
		input.PublicAccessBlockConfiguration = &types.PublicAccessBlockConfiguration{}
		return c.document(input.PublicAccessBlockConfiguration, "", "")
	case *s3.PutBucketEncryptionInput:
		input.ServerSideEncryptionConfiguration = &types.ServerSideEncryptionConfiguration{}
		return c.document(input.ServerSideEncryptionConfiguration, "Rule", "Rules")
	case *s3.CreateBucketInput:
		if len(c.body) == 0 {
			return nil
		}
		input.CreateBucketConfiguration = &types.CreateBucketConfiguration{}
		return c.document(input.CreateBucketConfiguration, "Tag", "Tags")
	default:
		if len(bytes.TrimSpace(c.body)) > 0 {
			return api.NotModelled("a body of this S3 request")
		}
	}
	return nil
}

// malformedXML is S3's answer to a body that its schema does not allow.
var malformedXML = api.Errorf(
	"MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema",
)

// document reads the body into an SDK structure; the elements named item are the list that the SDK calls list. Elements
// that the structure lacks are refused.
func (c s3Codec) document(into any, item, list string) error {
	tree, err := xmlTree(c.body)
	if err != nil {
		return malformedXML
	}
	if items, ok := tree[item]; ok {
		if _, several := items.([]any); !several {
			items = []any{items}
		}
		delete(tree, item)
		tree[list] = items
	}
	return assigner{plainName}.assign(reflect.ValueOf(into).Elem(), tree, "")
}

// xmlTree reads a document's root: texts, structures, and a list where an element comes several times.
func xmlTree(body []byte) (map[string]any, error) {
	decoder := xml.NewDecoder(bytes.NewReader(body))
	for {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		if start, ok := token.(xml.StartElement); ok {
			node, err := xmlNode(decoder, start)
			if err != nil {
				return nil, err
			}
			if tree, ok := node.(map[string]any); ok {
				return tree, nil
			}
			return map[string]any{}, nil
		}
	}
}

func xmlNode(decoder *xml.Decoder, start xml.StartElement) (any, error) {
	var text []byte
	tree := map[string]any{}
	for {
		token, err := decoder.Token()
		switch {
		case errors.Is(err, io.EOF):
			return nil, malformedXML
		case err != nil:
			return nil, err
		}
		switch token := token.(type) {
		case xml.CharData:
			text = append(text, token...)
		case xml.StartElement:
			child, err := xmlNode(decoder, token)
			if err != nil {
				return nil, err
			}
			switch before := tree[token.Name.Local].(type) {
			case nil:
				tree[token.Name.Local] = child
			case []any:
				tree[token.Name.Local] = append(before, child)
			default:
				tree[token.Name.Local] = []any{before, child}
			}
		case xml.EndElement:
			if len(tree) > 0 {
				return tree, nil
			}
			return string(text), nil
		}
	}
}
