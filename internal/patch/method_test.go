package patch

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAnImageThatDoesNotFit(t *testing.T) {
	fits := ImageKind{
		Architecture: "x86_64", Virtualization: "hvm", BootMode: "uefi", AskedMode: "uefi", Billing: "RunInstances", Products: []string{},
		ENA: true,
	}
	for _, c := range []struct {
		name   string
		change func(machine, image *ImageKind, look *ImageLook, view *View)
		want   string // "": it fits
	}{
		{"the same", func(*ImageKind, *ImageKind, *ImageLook, *View) {}, ""},
		{"a machine without ENA", func(m, _ *ImageKind, _ *ImageLook, _ *View) { m.ENA = false }, ""},
		{"boots by UEFI where it can", func(_, i *ImageKind, _ *ImageLook, _ *View) { i.BootMode = "uefi-preferred" }, ""},
		{"boots by UEFI where it can, and has not", func(m, i *ImageKind, _ *ImageLook, _ *View) {
			m.BootMode, i.BootMode = "legacy-bios", "uefi-preferred"
		}, "booted by legacy-bios, and the image boots by uefi"},
		{"boots by UEFI where it can, as the image that it came from, and its type cannot", func(m, i *ImageKind, _ *ImageLook,
			_ *View,
		) {
			m.BootMode, m.AskedMode, i.BootMode = "legacy-bios", "uefi-preferred", "uefi-preferred"
		}, ""},
		{"no boot mode told, of x86 that has booted by UEFI", func(_, i *ImageKind, _ *ImageLook, _ *View) {
			i.BootMode = ""
		}, "booted by uefi, and the image boots by legacy-bios"},
		{"no boot mode told, of arm64", func(m, i *ImageKind, _ *ImageLook, _ *View) {
			m.Architecture, i.Architecture, i.BootMode = "arm64", "arm64", ""
		}, ""},
		{"no boot mode told of the machine", func(m, _ *ImageKind, _ *ImageLook, _ *View) { m.BootMode = "" }, ""},
		{"no billing told", func(m, _ *ImageKind, _ *ImageLook, _ *View) { m.Billing = "" }, ""},
		{"architecture", func(_, i *ImageKind, _ *ImageLook, _ *View) {
			i.Architecture = "arm64"
		}, "architecture is x86_64, the image's arm64"},
		{"virtualization", func(_, i *ImageKind, _ *ImageLook, _ *View) {
			i.Virtualization = "paravirtual"
		}, "virtualization type"},
		{"billing", func(_, i *ImageKind, _ *ImageLook, _ *View) { i.Billing = "RunInstances:0010" }, "billing information"},
		{"platform", func(_, i *ImageKind, _ *ImageLook, _ *View) { i.Platform = "windows" }, "platform"},
		{"product code", func(_, i *ImageKind, _ *ImageLook, _ *View) { i.Products = []string{"p"} }, "product codes"},
		{"boot mode", func(_, i *ImageKind, _ *ImageLook, _ *View) { i.BootMode = "legacy-bios" }, "booted by uefi"},
		{"no ENA", func(_, i *ImageKind, _ *ImageLook, _ *View) { i.ENA = false }, "ENA"},
		{"no SR-IOV", func(m, _ *ImageKind, _ *ImageLook, _ *View) { m.SRIOV = true }, "SR-IOV"},
		{"NitroTPM", func(m, i *ImageKind, _ *ImageLook, _ *View) { m.TPM, i.TPM = true, true }, "NitroTPM"},
		{"not there", func(_, _ *ImageKind, l *ImageLook, _ *View) { l.Missing = "is pending" }, "is pending"},
		{"its key", func(_, _ *ImageKind, l *ImageLook, _ *View) { l.Key = "the key k is Disabled" }, "is Disabled"},
		{"none was made, for nothing was due", func(_, _ *ImageKind, _ *ImageLook, v *View) { v.Policy.Root = nil }, ""},
		{"blocked since", func(_, _ *ImageKind, _ *ImageLook, v *View) {
			v.Around.Blocks = &KnownBlocks{Digest: "new"}
		}, "what is blocked has changed"},
		{"by packages", func(_, i *ImageKind, _ *ImageLook, v *View) {
			v.Policy.Method, i.Architecture = MethodPackages, "arm64"
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			machine, image := fits, fits
			look := &ImageLook{ID: "ami-1"}
			view := View{
				Group:    Group{Account: Account{ID: "1", Name: "a"}, Region: "r", AutoScalingGroup: "web"},
				Instance: "i-1", Around: &Interference{Image: look},
				Policy: Policy{Method: MethodImage, Root: &RootImage{ID: "ami-1", Packages: "p", Blocked: "old"}},
			}
			c.change(&machine, &image, look, &view)
			look.Kind, look.Machines = image, map[string]ImageKind{"i-1": machine, "i-2": {Architecture: "none"}}
			refused := firstOf(LevelInstance, view, "ImageDoesNotFit")
			if c.want == "" {
				require.Nil(t, refused)
				return
			}
			require.NotNil(t, refused)
			require.Contains(t, refused.What, c.want)
		})
	}
}

func TestWhetherAMachineIsWhatItsImagePromises(t *testing.T) {
	good := func() ImagePass {
		return ImagePass{
			Image: RootImage{ID: "ami-1", Packages: "new", Kernel: "6.1"}, Volume: "vol-2",
			Point: RestorePoint{VolumeID: "vol-1", Facts: MachineFacts{BootID: "1", PackagesSHA256: "old"}},
			Facts: MachineFacts{BootID: "2", PackagesSHA256: "new", Kernel: "6.1"},
		}
	}
	for _, c := range []struct {
		name   string
		change func(*ImagePass)
		reason string // "": it is
		notes  int
	}{
		{"it is", func(*ImagePass) {}, "", 0},
		{"published since", func(p *ImagePass) { p.After.Missing = []string{"curl"} }, "", 1},
		{"the same volume", func(p *ImagePass) { p.Volume = "vol-1" }, "its root volume is still vol-1", 0},
		{"no volume", func(p *ImagePass) { p.Volume = "" }, "its root volume is still vol-1", 0},
		{"not booted", func(p *ImagePass) { p.Facts.BootID = "1" }, "the boot id is as before", 0},
		{"other packages", func(p *ImagePass) { p.Facts.PackagesSHA256 = "else" }, "are not those", 0},
		{"another kernel", func(p *ImagePass) { p.Facts.Kernel = "6.2" }, "it runs the kernel 6.2", 0},
		{"by half", func(p *ImagePass) { p.Facts.Broken = []string{"libc6"} }, "installed by half: libc6", 0},
		{"blocked", func(p *ImagePass) { p.Blocked = []string{"curl"} }, "it got what is blocked: curl", 0},
		{"not scanned", func(p *ImagePass) { p.After.Error = "no" }, "scan after its root volume was replaced: no", 0},
		{"failed", func(p *ImagePass) { p.After.Failed = []string{"curl"} }, "failed patches: curl", 0},
		{"nobody proved it, and it lacks something", func(p *ImagePass) {
			p.Image.Packages, p.After.Missing = "", []string{"curl"}
		}, "lacks what is approved: curl", 0},
		{"nobody proved it", func(p *ImagePass) { p.Image.Packages = "" }, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			pass := good()
			c.change(&pass)
			verdict := VerifyImage(pass)
			if c.reason == "" {
				require.True(t, verdict.Proven(), verdict.Reason)
			} else {
				require.Contains(t, verdict.Reason, c.reason)
			}
			require.Len(t, verdict.Notes, c.notes)
		})
	}
}

func TestWhichImageIsForAGroup(t *testing.T) {
	group := Group{Account: Account{ID: "1"}, Region: "r"}
	plan := Plan{Baseline: "al2023"}
	images := []RootImage{
		{ID: "a", Account: "2", Region: "r", Baseline: "al2023"},
		{ID: "b", Account: "1", Region: "s", Baseline: "al2023"},
		{ID: "c", Account: "1", Region: "r", Baseline: "debian"},
		{ID: "d", Account: "1", Region: "r", Baseline: "al2023"},
	}
	require.Equal(t, "d", plan.RootImageFor(images, group).ID)
	require.Nil(t, plan.RootImageFor(images[:3], group))
	group.Tier = &Tier{Baseline: "debian"}
	require.Equal(t, "c", plan.RootImageFor(images, group).ID)
}

// The root volume that an image gave is the wave's own, and no loss when it is rolled back.
func TestARollBackKnowsTheRootVolumeOfAnImage(t *testing.T) {
	view := RollBackView{
		Was: InstanceResult{
			Backup:        &RestorePoint{SnapshotID: "snap-1", VolumeID: "vol-1", Facts: MachineFacts{PackagesSHA256: "old"}},
			PackagesAfter: "new", RootVolume: "vol-2",
		},
		Member: Member{ID: "i-1", State: "running", RootVolumeID: "vol-2"}, Facts: &MachineFacts{PackagesSHA256: "new"},
		Snapshot: "completed",
	}
	require.Empty(t, JudgeRollBack(view, DefaultTiming().RollbackMaxAge).Losses)
	view.Member.RootVolumeID = "vol-3"
	require.Contains(t, JudgeRollBack(view, DefaultTiming().RollbackMaxAge).Losses[0], "vol-3 that somebody gave it")
	view.Facts.PackagesSHA256 = "old"
	require.Equal(t, PutBackAlready, JudgeRollBack(view, DefaultTiming().RollbackMaxAge).Verdict)
}

// An image that is used again, or copied, is proven by a machine that has just what it was proven with.
func TestWhoProvesAnImage(t *testing.T) {
	for _, c := range []struct {
		name  string
		image *RootImage
		donor Donor
		want  bool
	}{
		{"the very packages", &RootImage{Packages: "a"}, Donor{Packages: "a"}, true},
		{"of an earlier wave", &RootImage{Packages: "a"}, Donor{Packages: "a", Earlier: true}, true},
		{"others", &RootImage{Packages: "a"}, Donor{Packages: "b"}, false},
		{"the first that got a parameter's", &RootImage{}, Donor{Packages: "a"}, true},
		{"one that never got it", &RootImage{}, Donor{Packages: "a", Earlier: true}, false},
		{"there is none", nil, Donor{Packages: "a"}, false},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, c.image.ProvenBy(c.donor)) })
	}
}
