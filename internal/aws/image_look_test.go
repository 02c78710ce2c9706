package aws_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/awssim/simtest"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
)

// otherImage is one beside those of the scenario.
const otherImage = "ami-0123456789abcdef9"

// whatItsImageIs is the one that production's machines come from.
func whatItsImageIs(s *world.Scenario) *world.ImageSpec {
	return &s.Images[slices.IndexFunc(s.Images, func(i world.ImageSpec) bool { return i.Name == "web-2.4" })]
}

// What EC2 tells of an image and of machines, as it comes over the wire, is what decides whether they fit.
func TestWhatAnImageAndMachinesAreOf(t *testing.T) {
	plain := patch.ImageKind{
		Architecture: "x86_64", Virtualization: "hvm", Billing: "RunInstances", Products: []string{}, ENA: true,
	}
	booted := plain
	booted.BootMode = "legacy-bios"
	with := func(kind patch.ImageKind, change func(*patch.ImageKind)) patch.ImageKind {
		change(&kind)
		return kind
	}
	for _, c := range []struct {
		name    string
		of      func(*world.Scenario, *world.ImageSpec) // changes an image
		image   patch.ImageKind                         // that one as it is told
		machine patch.ImageKind                         // one that came from it
	}{
		{"nothing is told of a boot mode", func(*world.Scenario, *world.ImageSpec) {}, plain, booted},
		{
			"boots by UEFI where it can", func(_ *world.Scenario, i *world.ImageSpec) { i.BootMode = "uefi-preferred" },
			with(plain, func(k *patch.ImageKind) { k.BootMode = "uefi-preferred" }),
			with(plain, func(k *patch.ImageKind) { k.BootMode, k.AskedMode = "uefi", "uefi-preferred" }),
		},
		{
			"boots by legacy BIOS", func(_ *world.Scenario, i *world.ImageSpec) { i.BootMode = "legacy-bios" },
			with(plain, func(k *patch.ImageKind) { k.BootMode = "legacy-bios" }),
			with(plain, func(k *patch.ImageKind) { k.BootMode, k.AskedMode = "legacy-bios", "legacy-bios" }),
		},
		{
			"another architecture", func(_ *world.Scenario, i *world.ImageSpec) { i.Architecture = "arm64" },
			with(plain, func(k *patch.ImageKind) { k.Architecture = "arm64" }),
			with(plain, func(k *patch.ImageKind) { k.Architecture, k.BootMode = "arm64", "uefi" }),
		},
		{
			"a product of the Marketplace", func(_ *world.Scenario, i *world.ImageSpec) { i.ProductCode = "abc" },
			with(plain, func(k *patch.ImageKind) { k.Products = []string{"abc"} }),
			with(booted, func(k *patch.ImageKind) { k.Products = []string{"abc"} }),
		},
		{
			"billed otherwise", func(_ *world.Scenario, i *world.ImageSpec) { i.Usage = "RunInstances:0010" },
			with(plain, func(k *patch.ImageKind) { k.Billing = "RunInstances:0010" }),
			with(booted, func(k *patch.ImageKind) { k.Billing = "RunInstances:0010" }),
		},
		{
			"NitroTPM", func(_ *world.Scenario, i *world.ImageSpec) { i.TPM, i.BootMode = true, "uefi" },
			with(plain, func(k *patch.ImageKind) { k.TPM, k.BootMode = true, "uefi" }),
			with(plain, func(k *patch.ImageKind) { k.TPM, k.BootMode, k.AskedMode = true, "uefi", "uefi" }),
		},
		{
			"the other enhanced networking", func(_ *world.Scenario, i *world.ImageSpec) { i.SRIOV, i.NoENA = true, true },
			with(plain, func(k *patch.ImageKind) { k.SRIOV, k.ENA = true, false }),
			with(booted, func(k *patch.ImageKind) { k.SRIOV, k.ENA = true, false }),
		},
		{
			"Windows", func(s *world.Scenario, i *world.ImageSpec) {
				at := slices.IndexFunc(s.OperatingSystems, func(os world.OperatingSystem) bool { return os.Name == i.OS })
				windows := s.OperatingSystems[at]
				windows.Name, windows.SSM, windows.Platform = "windows-server-2022", "WINDOWS", "Windows"
				windows.Product, windows.Packages = "WindowsServer2022", nil
				s.OperatingSystems = append(s.OperatingSystems, windows)
				i.OS = windows.Name
			},
			with(plain, func(k *patch.ImageKind) { k.Platform, k.Billing = "windows", "RunInstances:0002" }),
			with(booted, func(k *patch.ImageKind) { k.Platform, k.Billing = "windows", "RunInstances:0002" }),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			look := looked(t, func(s *world.Scenario, other *world.ImageSpec) { c.of(s, other) })
			require.Equal(t, c.image, look.Kind)
			require.NotEmpty(t, look.Machines)
			for id, kind := range look.Machines {
				require.Equal(t, booted, kind, id)
			}
			look = looked(t, func(s *world.Scenario, _ *world.ImageSpec) { c.of(s, whatItsImageIs(s)) })
			require.Equal(t, plain, look.Kind)
			for id, kind := range look.Machines {
				require.Equal(t, c.machine, kind, id)
			}
		})
	}
}

// looked is a look at another image for production's machines, in a fleet that is changed before.
func looked(t *testing.T, change func(s *world.Scenario, other *world.ImageSpec)) *patch.ImageLook {
	t.Helper()
	f := simtest.New(t, simtest.Options{Change: func(s *world.Scenario) {
		other := *whatItsImageIs(s)
		other.ID, other.Name = otherImage, "other"
		change(s, &other)
		s.Images = append(s.Images, other)
	}})
	services := f.Services(simtest.Production)
	machines := map[string]ec2types.Instance{}
	told, err := services.EC2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{
		Filters: []ec2types.Filter{aws.Filter("tag:aws:autoscaling:groupName", simtest.Production.AutoScalingGroup)},
	})
	require.NoError(t, err)
	for _, reservation := range told.Reservations {
		for _, machine := range reservation.Instances {
			machines[*machine.InstanceId] = machine
		}
	}
	look, err := aws.ReadImageLook(t.Context(), services, simtest.Production, otherImage, machines)
	require.NoError(t, err)
	require.Empty(t, look.Missing)
	require.Empty(t, look.Key)
	require.Len(t, look.Machines, len(machines))
	return look
}
