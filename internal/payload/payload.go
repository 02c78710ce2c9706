// Package payload keeps what goes through Temporal small. Temporal refuses a payload of more than 2 MiB, and a workflow
// whose own result or activity input is refused is tried again for ever: it stays Running and never tells what it did.
package payload

import (
	"fmt"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
)

// Most is what one payload may have: a quarter of what Temporal takes, since a history of 50 MiB has many.
const Most = 512 << 10

// Error is a payload that would be too large.
type Error struct {
	Holds string // the Go type of what it holds
	Size  int    // bytes
}

func (e *Error) Error() string {
	return fmt.Sprintf("a payload of %d bytes is too large for Temporal, %d are let through: it holds %s; "+
		"what has no bound belongs into the evidence", e.Size, Most, e.Holds)
}

// Guard converts as Temporal's default does, and refuses what is too large by the name of what it holds.
type Guard struct {
	converter.DataConverter

	// Measured hears of each payload; nil: nobody does.
	Measured func(holds any, size int)
}

// NewGuard is a guard around Temporal's default converter.
func NewGuard() *Guard { return &Guard{DataConverter: converter.GetDefaultDataConverter()} }

// ToPayload converts one value.
func (g *Guard) ToPayload(value any) (*commonpb.Payload, error) {
	made, err := g.DataConverter.ToPayload(value)
	if err != nil {
		return nil, err
	}
	return made, g.check(value, made)
}

// ToPayloads converts the arguments of one call, whose sizes add up.
func (g *Guard) ToPayloads(values ...any) (*commonpb.Payloads, error) {
	made, err := g.DataConverter.ToPayloads(values...)
	if err != nil {
		return nil, err
	}
	for i, one := range made.GetPayloads() {
		if err := g.check(values[i], one); err != nil {
			return nil, err
		}
	}
	return made, nil
}

func (g *Guard) check(value any, made *commonpb.Payload) error {
	size := len(made.GetData())
	if g.Measured != nil {
		g.Measured(value, size)
	}
	if size > Most {
		return &Error{Holds: fmt.Sprintf("%T", value), Size: size}
	}
	return nil
}
