package patch

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Method says how instances of a stage get what they lack.
type Method string

// The methods.
const (
	MethodPackages Method = "packages" // it is installed on each
	MethodImage    Method = "image"    // each gets a root volume of one image, in place
)

// StateOnRoot says what of worth the root volumes of a stage hold.
type StateOnRoot string

// StateNone declares that they hold nothing that the image does not have: it is lost.
const StateNone StateOnRoot = "none"

// ByImage reports whether the instances of the stage get their root volumes anew.
func (s Stage) ByImage() bool { return s.Method == MethodImage }

// ByImage is the same of a policy's stage.
func (p Policy) ByImage() bool { return p.Method == MethodImage }

// RootImage is an image of which root volumes are made, in one account and region, for groups of one baseline.
type RootImage struct {
	ID       string `json:"id"`
	Account  string `json:"account"` // its id
	Region   string `json:"region"`
	Baseline string `json:"baseline"`
	From     string `json:"from"` // for people: "i-1 of staging/ap-northeast-1/web", or "the parameter /aws/..."
	// Packages is MachineFacts.PackagesSHA256 of the machine that proved it: each machine of it has the same. "": none has
	// yet, and the first that gets it proves it.
	Packages string `json:"packages_sha256,omitempty"`
	// Kernel is what that machine ran: each machine of the image runs the same. "": as for Packages.
	Kernel string `json:"kernel,omitempty"`
	// Blocked is Blocks.Digest by which that machine was patched: what is blocked since may be on the image.
	Blocked    string `json:"blocked,omitempty"`
	SnapshotID string `json:"snapshot_id,omitempty"` // of its root, where it is ours
	// Ours: it was made for the wave, and expires with its backups. Else it is somebody's.
	Ours bool `json:"ours,omitempty"`
	// CopiedFrom is the image of the machine that From names, where that is elsewhere and this is a copy; nil: it is none.
	CopiedFrom *ImageSource `json:"copied_from,omitempty"`
}

// ImageSource is an image of ours of which a copy was made.
type ImageSource struct {
	ID         string `json:"id"`
	Account    string `json:"account"` // its id
	Region     string `json:"region"`
	SnapshotID string `json:"snapshot_id,omitempty"` // of its root
}

// Donor is a machine whose root volume may be given to an image, as its wave has proven it.
type Donor struct {
	Instance string
	Group    string // account/region/name
	Packages string // MachineFacts.PackagesSHA256 after its install
	Earlier  bool   // an earlier wave of the plan has proven it, not this one
}

// For reports whether the image is for a group that is judged by a baseline.
func (i RootImage) For(group Group, baseline string) bool {
	return i.Account == group.Account.ID && i.Region == group.Region && i.Baseline == baseline
}

// ProvenBy reports whether a machine proves it: it has the very packages, or, of a parameter's, is of the first that
// got it, in this wave. Nobody proves an image that is not there.
func (i *RootImage) ProvenBy(donor Donor) bool {
	return i != nil && (i.Packages == donor.Packages || i.Packages == "" && !donor.Earlier)
}

// Told says for people which image it is.
func (i RootImage) Told() string {
	if source := i.CopiedFrom; source != nil {
		return fmt.Sprintf("%s in %s/%s, a copy of %s in %s/%s, from %s", i.ID, i.Account, i.Region, source.ID,
			source.Account, source.Region, i.From)
	}
	return fmt.Sprintf("%s in %s/%s, from %s", i.ID, i.Account, i.Region, i.From)
}

// RootImageFor is the one of them that is for a group of the plan; nil: there is none.
func (p Plan) RootImageFor(images []RootImage, group Group) *RootImage {
	at := slices.IndexFunc(images, func(i RootImage) bool { return i.For(group, p.Of(group).Baseline) })
	if at < 0 {
		return nil
	}
	return &images[at]
}

// LosesRoot says what a stage loses whose instances get their root volumes anew; "" of any other.
func (s Stage) LosesRoot() string {
	if !s.ByImage() {
		return ""
	}
	return "each instance of " + s.Name + " that lacks a patch gets a root volume of an image in the place of its own, " +
		"and all that only lives on its root is lost to it: logs, what was deployed or configured by hand, host keys, " +
		"what an agent keeps there. It boots as if launched anew, so that user data may run once more. The old root " +
		"volume is kept as long as the plan keeps backups (state_on_root: none). What only lives on the root of the " +
		"machine that the image is made of comes with it: its configuration, credentials, identity and cron jobs are this " +
		"stage's then"
}

// RootsLost says of each stage of the plan whose root volumes are replaced what that loses.
func (p Plan) RootsLost() (lost []string) {
	for _, stage := range p.Stages {
		if said := stage.LosesRoot(); said != "" {
			lost = append(lost, said)
		}
	}
	return lost
}

// ImageKind is what EC2 tells of an image, and of a machine, that decides whether one's root volume can be made of the
// other. Each "" or 0 is not told.
type ImageKind struct {
	Architecture   string
	Virtualization string
	BootMode       string // of a machine the one it has booted by; of an image also uefi-preferred
	AskedMode      string // of a machine: the boot mode of the image that it came from
	Platform       string // "windows", or ""
	Billing        string // UsageOperation
	Products       []string
	ENA            bool
	SRIOV          bool
	TPM            bool
}

// ImageLook is what was read of the image that instances are to get, and of them.
type ImageLook struct {
	ID       string
	Missing  string // why it is not to be had: it is pending, or nobody shares it; "": it is
	Kind     ImageKind
	Machines map[string]ImageKind // by instance
	Key      string               // why the key of its snapshot may not serve; "": nothing is known against it
	// Untried is what nobody but EC2 can tell.
	Untried []string
}

// ImageFit is who may get a root volume of an image, as far as anybody but EC2 can tell.
type ImageFit struct {
	Unfit   []string // who may not, each with why, by id; one of the image alone is for all of them
	Untried []string // what nobody but EC2 can tell
}

// why is what keeps anybody from getting a root volume of it; "": nothing that is known.
func (l ImageLook) why() string {
	switch {
	case l.Missing != "":
		return "the image " + l.ID + " " + l.Missing
	case l.Key != "":
		return "the image " + l.ID + ": " + l.Key
	}
	return ""
}

// unfit is why a machine may not get a root volume of it; "": it may.
func (l ImageLook) unfit(machine ImageKind) string {
	if why := machine.unlike(l.Kind); len(why) > 0 {
		return "the image " + l.ID + " does not fit it: " + strings.Join(why, "; ")
	}
	return ""
}

// Fit is who may get a root volume of the image.
func (l ImageLook) Fit() *ImageFit {
	fit := &ImageFit{Untried: l.Untried}
	if why := l.why(); why != "" {
		fit.Unfit = []string{why}
		return fit
	}
	for _, id := range slices.Sorted(maps.Keys(l.Machines)) {
		if why := l.unfit(l.Machines[id]); why != "" {
			fit.Unfit = append(fit.Unfit, id+": "+why)
		}
	}
	return fit
}

// checkRootImage refuses an instance of which AWS would not replace the root volume by the image, or not as it was.
func checkRootImage(v View) []*Refusal {
	if !v.Policy.ByImage() {
		return nil
	}
	const anew = "let the wave end, and start another with an image that fits, or write method: packages"
	if v.Policy.Root == nil {
		return nil // it is made once the stages before have ended, where something is due: and asked for by the saga
	}
	look := v.Around.Image
	if look == nil {
		return nil
	}
	if why := look.why(); why != "" {
		return v.refuse(why, anew)
	}
	if blocks := v.Around.Blocks; blocks != nil && blocks.Digest != "" && v.Policy.Root.Packages != "" &&
		blocks.Digest != v.Policy.Root.Blocked {
		return v.refuse("what is blocked has changed since the image "+look.ID+" was made, which may hold it", anew)
	}
	var found []*Refusal
	for id, machine := range look.Machines {
		if !v.about(id) {
			continue
		}
		if why := look.unfit(machine); why != "" {
			found = append(found, v.refuseOf(id, why, anew)...)
		}
	}
	slices.SortFunc(found, func(a, b *Refusal) int { return cmp.Compare(a.Where, b.Where) })
	return found
}

// bootsBy is the boot mode that a machine would have of an image; "": it is not told, or is its type's affair. By
// uefi-preferred a type that supports UEFI boots by that; without one x86 boots by legacy BIOS, arm64 by UEFI (EC2 User
// Guide, Boot modes).
func (k ImageKind) bootsBy() string {
	switch {
	case k.BootMode == "uefi-preferred":
		return "uefi"
	case k.BootMode == "" && k.Architecture == "x86_64":
		return "legacy-bios"
	case k.BootMode == "" && k.Architecture == "arm64":
		return "uefi"
	}
	return k.BootMode
}

// unlike says what AWS demands of an image for a machine and it does not have: "The AMI must have the same product
// code, billing information, architecture type, and virtualization type as the instance"; ENA and SR-IOV where the
// machine has them (EC2 User Guide, Replace the root volume using an AMI). Its size does not matter: the new root
// volume is as large as the larger of the two. What AWS would do and a root volume put back does not undo is refused as
// well: another boot mode "is propagated to the instance", by which keys and boot entries added by hand are lost, and
// the data of NitroTPM is reset. Where one of the two is not told, EC2 decides when it is asked.
func (k ImageKind) unlike(image ImageKind) (why []string) {
	for _, one := range []struct{ what, machine, image string }{
		{"architecture", k.Architecture, image.Architecture},
		{"virtualization type", k.Virtualization, image.Virtualization},
		{"billing information", k.Billing, image.Billing},
	} {
		if one.machine != "" && one.image != "" && one.machine != one.image {
			why = append(why, fmt.Sprintf("its %s is %s, the image's %s", one.what, one.machine, one.image))
		}
	}
	if k.Platform != image.Platform {
		why = append(why, fmt.Sprintf("its platform is %q, the image's %q", k.Platform, image.Platform))
	}
	if !slices.Equal(k.Products, image.Products) {
		why = append(why, fmt.Sprintf("its product codes are %v, the image's %v", k.Products, image.Products))
	}
	stays := k.AskedMode == image.BootMode // what its type made of that mode once it makes of it again
	if mode := image.bootsBy(); !stays && k.BootMode != "" && mode != "" && mode != k.BootMode {
		why = append(why, fmt.Sprintf("it has booted by %s, and the image boots by %s, which AWS would change it to",
			k.BootMode, mode))
	}
	if k.TPM {
		why = append(why, "it has NitroTPM, whose data is reset by that and not put back with the root volume: what is "+
			"sealed to it would be lost")
	}
	for _, one := range []struct {
		what           string
		machine, image bool
	}{{"ENA", k.ENA, image.ENA}, {"SR-IOV", k.SRIOV, image.SRIOV}} {
		if one.machine && !one.image {
			why = append(why, "it has "+one.what+", which the image does not support")
		}
	}
	return why
}

// ImagePass is one replacement of a root volume by an image, and what it is judged by.
type ImagePass struct {
	Image   RootImage
	Point   RestorePoint // of before
	Volume  string       // the root volume that it has now
	Facts   MachineFacts // as it answers now
	Blocked []string     // what it holds though it is blocked
	After   Scan         // of our own
}

// VerifyImage judges a machine that has the root volume of an image: it runs on another volume, has booted, is what the
// machine was that proved the image, and lacks nothing. What it lacks although it is just as that machine was published
// since, and is told.
func VerifyImage(pass ImagePass) Verdict {
	now, known := pass.Facts, pass.Image.Packages
	switch {
	case pass.Volume == "" || pass.Volume == pass.Point.VolumeID:
		return Verdict{Reason: "its root volume is still " + pass.Point.VolumeID}
	case now.BootID == "" || now.BootID == pass.Point.Facts.BootID:
		return Verdict{Reason: "its root volume was replaced and the boot id is as before"}
	case pass.Image.Kernel != "" && now.Kernel != pass.Image.Kernel:
		return Verdict{Reason: fmt.Sprintf("it runs the kernel %s, and the machine that proved the image %s ran %s",
			now.Kernel, pass.Image.ID, pass.Image.Kernel)}
	case known != "" && now.PackagesSHA256 != known:
		return Verdict{Reason: fmt.Sprintf("its packages (%.12s) are not those that the image %s was proven with (%.12s)",
			now.PackagesSHA256, pass.Image.ID, known)}
	case len(now.Broken) > 0:
		return Verdict{Reason: "installed by half: " + strings.Join(now.Broken, ", ")}
	case len(pass.Blocked) > 0:
		return Verdict{Reason: "it got what is blocked: " + theFirst(pass.Blocked, len(pass.Blocked))}
	case pass.After.Error != "":
		return Verdict{Reason: "scan after its root volume was replaced: " + pass.After.Error}
	case len(pass.After.Failed) > 0:
		return Verdict{Reason: "failed patches: " + strings.Join(pass.After.Failed, ", ")}
	case known == "" && pass.After.MissingNumber() > 0:
		return Verdict{Reason: "the image " + pass.Image.ID + " lacks what is approved: " +
			theFirst(pass.After.Missing, pass.After.MissingNumber())}
	}
	verdict := Verdict{Waits: pass.After.Waits(&now)}
	if pass.After.MissingNumber() > 0 {
		verdict.Notes = append(verdict.Notes, "not on the image, for it was published since: "+
			theFirst(pass.After.Missing, pass.After.MissingNumber()))
	}
	return verdict
}
