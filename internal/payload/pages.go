package payload

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
)

// Inline is up to how many bytes a document travels as it is, readable in the Temporal UI; beyond, it goes in pages.
const Inline = Most / 2

// PageSize keeps a page under Most, as JSON writes bytes.
const PageSize = Most / 2

// largestDocument bounds what pages unfold to.
const largestDocument = 256 << 20

// Pages packs a document into pages, each small enough to be a payload; none where it is small enough by itself.
func Pages(document any) ([][]byte, error) {
	content, err := json.Marshal(document)
	if err != nil {
		return nil, fmt.Errorf("pack %T: %w", document, err)
	}
	if len(content) <= Inline {
		return nil, nil
	}
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	if _, err := writer.Write(content); err != nil {
		return nil, fmt.Errorf("pack %T: %w", document, err)
	}
	if err := writer.Close(); err != nil {
		return nil, fmt.Errorf("pack %T: %w", document, err)
	}
	var pages [][]byte
	for rest := packed.Bytes(); len(rest) > 0; {
		size := min(len(rest), PageSize)
		pages, rest = append(pages, rest[:size]), rest[size:]
	}
	return pages, nil
}

// Unpack reads a document from its pages into the value that into points at.
func Unpack(pages [][]byte, into any) error {
	reader, err := gzip.NewReader(bytes.NewReader(bytes.Join(pages, nil)))
	if err != nil {
		return fmt.Errorf("unpack %T: %w", into, err)
	}
	content, err := io.ReadAll(io.LimitReader(reader, largestDocument+1))
	switch {
	case err != nil:
		return fmt.Errorf("unpack %T: %w", into, err)
	case len(content) > largestDocument:
		return fmt.Errorf("unpack %T: it unfolds to more than %d bytes", into, largestDocument)
	}
	if err := json.Unmarshal(content, into); err != nil {
		return fmt.Errorf("unpack %T: %w", into, err)
	}
	return nil
}

// Sum is a page's SHA-256, by which whoever reads it later knows it again.
func Sum(page []byte) string {
	sum := sha256.Sum256(page)
	return hex.EncodeToString(sum[:])
}
