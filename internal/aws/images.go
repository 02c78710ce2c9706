package aws

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// States of an image of ours: values of names.TagImageState.
const (
	ImageMaking = "making" // it is not tried yet
	ImageProven = "proven"
	ImageFailed = "failed" // in quarantine: kept to be looked at, until a newer one is proven
)

// ReadImages lists our account's images, those that are deprecated or disabled among them; the time is AWS's, of the
// answer.
func ReadImages(ctx context.Context, s *Services, where string, filters ...ec2types.Filter) (
	all []ec2types.Image, at time.Time, err error,
) {
	pages := ec2.NewDescribeImagesPaginator(s.EC2, &ec2.DescribeImagesInput{
		Owners: []string{"self"}, Filters: filters, IncludeDeprecated: Ptr(true), IncludeDisabled: Ptr(true),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, at, Wrap("look for images", where, err)
		}
		if at, err = TimeOf(page.ResultMetadata, where); err != nil {
			return nil, at, err
		}
		all = append(all, page.Images...)
	}
	return all, at, nil
}

// ImageTags say whose an image or a snapshot of it is, or a trial of it.
func ImageTags(group patch.Group, wave, token, plan string) []ec2types.Tag {
	return []ec2types.Tag{
		{Key: Ptr(names.TagImage), Value: Ptr(names.ImageOf(group))},
		{Key: Ptr(names.TagWave), Value: &wave},
		{Key: Ptr(names.TagPlan), Value: &plan},
		{Key: Ptr(names.TagAttempt + token), Value: Ptr("")},
	}
}

// mostOfName is the longest name that an image may have (API reference of CreateImage).
const mostOfName = 128

// ImageName is one that no other image has: of the group's name what may stand in an image's, and of the attempt.
func ImageName(group patch.Group, token string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
			strings.ContainsRune("()[] ./-'@_", r) {
			return r
		}
		return '-'
	}, group.AutoScalingGroup)
	return "patchtide-" + name[:min(len(name), mostOfName-len("patchtide--")-len(token))] + "-" + token
}

// WithoutData are the mappings by which an image of a machine has its root volume only: what else is attached is its
// own data, or comes from the launch template again. The root goes with who is launched from it, however the machine's
// own came to be attached.
func WithoutData(machine ec2types.Instance) (mappings []ec2types.BlockDeviceMapping) {
	if machine.RootDeviceName != nil {
		mappings = append(mappings, ec2types.BlockDeviceMapping{
			DeviceName: machine.RootDeviceName, Ebs: &ec2types.EbsBlockDevice{DeleteOnTermination: Ptr(true)},
		})
	}
	for _, device := range machine.BlockDeviceMappings {
		if Deref(device.DeviceName) != Deref(machine.RootDeviceName) {
			mappings = append(mappings, ec2types.BlockDeviceMapping{DeviceName: device.DeviceName, NoDevice: Ptr("")})
		}
	}
	return mappings
}

// FindDonor is the first of the instances that is in service in its group and runs; nil where none does.
func FindDonor(ctx context.Context, s *Services, in patch.Group, ids []string) (*ec2types.Instance, error) {
	group, err := ReadGroup(ctx, s, in)
	if err != nil {
		return nil, err
	}
	found, _, err := ReadInstances(ctx, s, in.String(), ids)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		member := FindMember(group, id)
		machine, known := found[id]
		if known && member != nil && string(member.LifecycleState) == patch.LifecycleInService &&
			StateOf(machine) == "running" {
			return &machine, nil
		}
	}
	return nil, nil //nolint:nilnil // a find
}

// ReadParameter is the value of a parameter of Systems Manager.
func ReadParameter(ctx context.Context, s *Services, where, name string) (string, error) {
	out, err := s.Parameters.GetParameter(ctx, &ssm.GetParameterInput{Name: &name})
	switch {
	case HasCode(err, "ParameterNotFound"):
		return "", Final(InvalidInput, "%s: there is no parameter %s; correct the plan's image", where, name)
	case err != nil:
		return "", Wrap("read the parameter "+name, where, err)
	case out.Parameter == nil:
		return "", MayPass("%s: Systems Manager gave no value of the parameter %s", where, name)
	}
	return Deref(out.Parameter.Value), nil
}

// Trial is what launches an instance that tries an image.
type Trial struct {
	Version *ec2types.LaunchTemplateVersion // of the group's template, whose image is taken the place of
	Image   string
	Donor   ec2types.Instance // in whose subnet, and of whose type
	Token   string
	Tags    []ec2types.Tag
}

// Launch asks for just what the group would launch, but for the image, what would keep it from being terminated again,
// and the tags that its group gives. Where the template names network interfaces the subnet may stand in them only (API
// reference of RunInstances).
func (t Trial) Launch() *ec2.RunInstancesInput {
	in := &ec2.RunInstancesInput{
		LaunchTemplate: &ec2types.LaunchTemplateSpecification{
			LaunchTemplateId: t.Version.LaunchTemplateId, Version: Ptr(versionText(t.Version)),
		},
		ImageId: &t.Image, InstanceType: t.Donor.InstanceType, MinCount: Ptr(int32(1)), MaxCount: Ptr(int32(1)),
		ClientToken: &t.Token, SubnetId: t.Donor.SubnetId,
		TagSpecifications: []ec2types.TagSpecification{{ResourceType: ec2types.ResourceTypeInstance, Tags: t.Tags}},
	}
	var volumes []ec2types.Tag // not the wave's, by which its backups are found
	for _, tag := range t.Tags {
		if key := Deref(tag.Key); key == names.TagTrial || key == names.TagImage {
			volumes = append(volumes, tag)
		}
	}
	if len(volumes) > 0 {
		in.TagSpecifications = append(in.TagSpecifications,
			ec2types.TagSpecification{ResourceType: ec2types.ResourceTypeVolume, Tags: volumes})
	}
	data := t.Version.LaunchTemplateData
	if data == nil {
		return in
	}
	if Deref(data.DisableApiTermination) {
		in.DisableApiTermination = Ptr(false)
	}
	in.BlockDeviceMappings = goingWithIt(data.BlockDeviceMappings)
	if len(data.NetworkInterfaces) > 0 {
		in.SubnetId = nil
		type named = ec2types.LaunchTemplateInstanceNetworkInterfaceSpecification
		first := slices.IndexFunc(data.NetworkInterfaces, func(one named) bool { return Deref(one.DeviceIndex) == 0 })
		for i, one := range data.NetworkInterfaces {
			card := ec2types.InstanceNetworkInterfaceSpecification{
				DeviceIndex: Ptr(Deref(one.DeviceIndex)), NetworkCardIndex: one.NetworkCardIndex, Groups: one.Groups,
				AssociatePublicIpAddress: one.AssociatePublicIpAddress, DeleteOnTermination: Ptr(true),
				InterfaceType: one.InterfaceType,
			}
			if i == first {
				card.SubnetId = t.Donor.SubnetId
			} else {
				card.SubnetId = one.SubnetId
			}
			in.NetworkInterfaces = append(in.NetworkInterfaces, card)
		}
	}
	return in
}

// goingWithIt are a template's mappings of volumes, each whole, for a request's mapping stands in the template's place,
// but that none of them outlives the trial.
func goingWithIt(mapped []ec2types.LaunchTemplateBlockDeviceMapping) (mappings []ec2types.BlockDeviceMapping) {
	for _, one := range mapped {
		if one.Ebs == nil {
			continue
		}
		mappings = append(mappings, ec2types.BlockDeviceMapping{DeviceName: one.DeviceName, Ebs: &ec2types.EbsBlockDevice{
			DeleteOnTermination: Ptr(true), Encrypted: one.Ebs.Encrypted, Iops: one.Ebs.Iops, KmsKeyId: one.Ebs.KmsKeyId,
			Throughput: one.Ebs.Throughput, VolumeSize: one.Ebs.VolumeSize, VolumeType: one.Ebs.VolumeType,
		}})
	}
	return mappings
}
