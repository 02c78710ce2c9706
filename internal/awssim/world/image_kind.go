package world

import "cmp"

// ImageKind is what EC2 tells of an image, and of the instances that come from it, beside what is on its root volume.
// An image that is made of an instance has what that one's image has, and a copy what its source has.
type ImageKind struct {
	ProductCode  string `yaml:"product_code"` // of the Marketplace; empty: it is none of its images
	Architecture string `yaml:"architecture"` // empty: x86_64
	// legacy-bios, uefi or uefi-preferred; empty: it was registered without one, and EC2 tells none
	BootMode string `yaml:"boot_mode"`
	Usage    string `yaml:"usage_operation"` // what it is billed as; empty: as its system is without further licences
	TPM      bool   `yaml:"tpm"`             // NitroTPM, version 2.0
	SRIOV    bool   `yaml:"sriov"`           // enhanced networking by the Intel 82599 VF interface
	NoENA    bool   `yaml:"no_ena"`          // it does not support enhanced networking by ENA, nor do its instances
}

// Arch is the architecture.
func (k ImageKind) Arch() string { return cmp.Or(k.Architecture, "x86_64") }

// BootsBy is what an instance boots by, whose type here always supports UEFI: without a mode x86 boots by legacy BIOS
// and arm64 by UEFI (EC2 User Guide, Boot modes).
func (k ImageKind) BootsBy() string {
	switch {
	case k.BootMode == "uefi-preferred", k.BootMode == "" && k.Arch() == "arm64":
		return "uefi"
	}
	return cmp.Or(k.BootMode, "legacy-bios")
}

// Billed is the usage operation: RunInstances, or RunInstances:0002 of Windows (EC2 User Guide, AMI billing information
// fields).
func (i *Image) Billed() string {
	if i.OS().Windows() {
		return cmp.Or(i.Usage, "RunInstances:0002")
	}
	return cmp.Or(i.Usage, "RunInstances")
}

// fits reports whether AWS makes a root volume of the image for an instance of another: "must have the same product
// code, billing information, architecture type, and virtualization type".
func (i *Image) fits(of *Image) bool {
	return i.ProductCode == of.ProductCode && i.Billed() == of.Billed() && i.Arch() == of.Arch() &&
		i.OS().Platform == of.OS().Platform
}
