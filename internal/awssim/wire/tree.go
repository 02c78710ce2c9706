package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// FromTree fills a pointer to an SDK input type from plain values under the model's names, which is how Automation's
// aws:executeAwsApi spells a request. What the type does not have is NotModelled.
func FromTree(into any, tree map[string]any) error {
	plain, err := normal(tree)
	if err != nil {
		return api.Errorf("SerializationException", "the request cannot be spelt as JSON: %v", err)
	}
	return assigner{plainName}.assign(reflect.ValueOf(into).Elem(), plain, "")
}

// ToTree spells a pointer to an SDK output type as plain maps, lists, texts and json.Number under the model's names;
// times become RFC 3339.
func ToTree(output any) (any, error) {
	return normal(plainTree(reflect.ValueOf(output), func(t time.Time) any { return t.UTC().Format(time.RFC3339) }))
}

func normal(tree any) (any, error) {
	text, err := json.Marshal(tree)
	if err != nil {
		return nil, fmt.Errorf("spell as JSON: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var plain any
	if err := decoder.Decode(&plain); err != nil {
		return nil, fmt.Errorf("read JSON: %w", err)
	}
	return plain, nil
}
