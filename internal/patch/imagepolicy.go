package patch

import "slices"

// ImageFrom says from what a group's next image is made.
type ImageFrom string

// From what it is made.
const (
	ImageNone    ImageFrom = "none"             // it is not: what is stale is told
	ImagePatched ImageFrom = "patched_instance" // one of the group's that the wave has patched and proven
	ImageNamed   ImageFrom = "parameter"        // the one that a parameter of Systems Manager names
)

// ImagePromote says what becomes of a proven image.
type ImagePromote string

// What becomes of it.
const (
	// PromoteDefault makes a new version of the launch template with it, and that the template's default, or where the
	// group names a version by its number, the one that it names.
	PromoteDefault ImagePromote = "default"
	// PromoteLatest makes a new version, and leaves the default as it is.
	PromoteLatest ImagePromote = "latest"
	// PromoteNone changes no template: a person does.
	PromoteNone ImagePromote = "none"
)

// ImagePolicy is how the image is renewed that a group launches its next instance from, once a wave has patched the
// group whole.
type ImagePolicy struct {
	From      ImageFrom    `json:"from"`
	Parameter string       `json:"parameter,omitempty"` // of ImageNamed
	Promote   ImagePromote `json:"promote"`
	Keep      int          `json:"keep"`            // how many images of ours a group keeps, the newest among them
	Force     bool         `json:"force,omitempty"` // also where a template is others', or serves other groups
}

// Asked reports whether an image is to be renewed.
func (p *ImagePolicy) Asked() bool { return p != nil && p.From != ImageNone }

// notWhole says why a group's image is not renewed though its wave asks for that: somebody of it may lack what the
// others got. "" where all are patched or had nothing due.
func (r GroupResult) notWhole() string {
	switch {
	case len(r.Gaps) > 0:
		return Missed("not all of it was patched", r.Gaps)
	case r.Outcome != Succeeded:
		return "it ended " + r.Outcome.Words()
	}
	return ""
}

// Donors are the instances that may give their root volume to an image, the one that was proven last at first: patched,
// or where none was, with nothing due; awaiting no reboot, and always in service.
func (r GroupResult) Donors() (ids []string, why string) {
	if why := r.notWhole(); why != "" {
		return nil, why
	}
	has := Patched
	if CountPatched(r.Instances) == 0 {
		has = AlreadyCompliant
	}
	patched := slices.Clone(r.Instances)
	slices.SortStableFunc(patched, func(a, b InstanceResult) int { return b.Ended.Compare(a.Ended) })
	for _, one := range patched {
		if one.Outcome == has && !one.WasStopped && len(one.RebootPending) == 0 {
			ids = append(ids, one.ID)
		}
	}
	if len(ids) == 0 {
		why = "none of its instances that are " + has.Words() + " runs without waiting for a reboot"
	}
	return ids, why
}
