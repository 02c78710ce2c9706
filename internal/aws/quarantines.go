package aws

import (
	"context"

	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// Quarantines tells a quarantine from a tag that anybody may have put on.
type Quarantines interface {
	// Doubt is why the record that an instance's quarantine tag points to does not tell of a quarantine that goes on; ""
	// when it does. An error means that nobody can tell now.
	Doubt(ctx context.Context, pointer Journal, place patch.Place, instance string) (string, error)
}

// hides reports whether an instance that carries the quarantine's tag is to be left out, and what to tell of it. A
// record that cannot be asked for now leaves it hidden: nobody is touched for a lost reply, and an undo must not wait
// for the evidence store.
func (s *Services) hides(ctx context.Context, group patch.Group, instance ec2types.Instance) (hidden bool, why string) {
	id, value := Deref(instance.InstanceId), TagOf(instance.Tags, names.TagQuarantine)
	if value == "" {
		return false, ""
	}
	pointer, doubt := ParseQuarantine(value, names.JournalRecord(group, id))
	if doubt == "" && s.Quarantines != nil {
		var err error
		if doubt, err = s.Quarantines.Doubt(ctx, pointer, group.Place(), id); err != nil {
			return true, id + " may be in quarantine, by its tag: its record could not be read: " + err.Error()
		}
	}
	if doubt != "" {
		return false, doubt
	}
	return true, id + " is in quarantine since the wave " + pointer.WaveID + ", and no wave takes it: see `patchtide " +
		"quarantine list`"
}
