package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// canonical returns the one form of a JSON value that is signed and compared: keys sorted, no white space, numbers as
// they were written, no HTML escapes. Where a key occurs twice the last one counts, and only that one is kept, so that
// a reader of the canonical form can never see what the signature did not cover.
func canonical(document []byte) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(document))
	// Numbers stay text: a float64 would round the large ones.
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, fmt.Errorf("is not JSON: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("is not JSON: something follows the document")
	}
	return compact(value)
}

// canonicalOf returns the canonical form of a Go value's JSON.
func canonicalOf(value any) ([]byte, error) {
	document, err := compact(value)
	if err != nil {
		return nil, err
	}
	return canonical(document)
}

func compact(value any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, fmt.Errorf("cannot be written as JSON: %w", err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// readable lays canonical JSON out for people; it ends with a newline.
func readable(document []byte) ([]byte, error) {
	var out bytes.Buffer
	if err := json.Indent(&out, document, "", "  "); err != nil {
		return nil, fmt.Errorf("cannot be laid out: %w", err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}
