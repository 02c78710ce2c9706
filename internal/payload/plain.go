package payload

import (
	commonpb "go.temporal.io/api/common/v1"

	"github.com/patchtide/patchtide/internal/plain"
)

// Plain is a Guard for who shows what it reads to people: no text in it holds what a terminal would obey.
type Plain struct{ *Guard }

// NewPlain is a Plain around Temporal's default converter.
func NewPlain() Plain { return Plain{NewGuard()} }

// FromPayload reads one value.
func (p Plain) FromPayload(read *commonpb.Payload, into any) error {
	err := p.Guard.FromPayload(read, into)
	plain.Strings(into)
	return err
}

// FromPayloads reads the arguments, or the results, of one call.
func (p Plain) FromPayloads(read *commonpb.Payloads, into ...any) error {
	err := p.Guard.FromPayloads(read, into...)
	for _, one := range into {
		plain.Strings(one)
	}
	return err
}
