package aws

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/patch"
)

// ReadImageLook reads what decides whether the root volumes of instances can be made of an image: the image and its
// snapshot's key, and the instances with their root volumes. Whether EC2 would take another account's snapshot nobody
// can ask without having it done, and is told.
func ReadImageLook(
	ctx context.Context, s *Services, group patch.Group, id string, instances map[string]ec2types.Instance,
) (*patch.ImageLook, error) {
	look := &patch.ImageLook{ID: id}
	image, err := FindImage(ctx, s, group.String(), id)
	switch {
	case err != nil:
		return nil, err
	case image == nil:
		look.Missing = "is not there, or is not shared with the account " + group.Account.ID
		return look, nil
	case image.State != ec2types.ImageStateAvailable:
		look.Missing = "is " + string(image.State)
		return look, nil
	}
	root := rootOf(*image)
	if root == nil {
		look.Missing = "has no root on EBS"
		return look, nil
	}
	look.Kind = patch.ImageKind{
		Architecture: string(image.Architecture), Virtualization: string(image.VirtualizationType),
		BootMode: string(image.BootMode), Platform: strings.ToLower(string(image.Platform)),
		Billing: Deref(image.UsageOperation), Products: productsOf(image.ProductCodes),
		ENA: Deref(image.EnaSupport), SRIOV: Deref(image.SriovNetSupport) != "", TPM: image.TpmSupport != "",
	}
	look.Machines = map[string]patch.ImageKind{}
	for id, machine := range instances {
		look.Machines[id] = patch.ImageKind{
			Architecture: string(machine.Architecture), Virtualization: string(machine.VirtualizationType),
			BootMode: string(machine.CurrentInstanceBootMode), AskedMode: string(machine.BootMode),
			Platform: strings.ToLower(string(machine.Platform)),
			Billing:  Deref(machine.UsageOperation), Products: productsOf(machine.ProductCodes),
			ENA: Deref(machine.EnaSupport), SRIOV: Deref(machine.SriovNetSupport) != "", TPM: Deref(machine.TpmSupport) != "",
		}
	}
	if owner := Deref(image.OwnerId); owner != group.Account.ID {
		if !Deref(image.Public) {
			look.Untried = append(look.Untried, fmt.Sprintf("whether EC2 may use the snapshot of the image %s, which is the "+
				"account %s's, nobody can ask without having it used", id, owner))
		}
		return look, nil
	}
	trouble, err := snapshotKey(ctx, s, group.String(), Deref(root.SnapshotId))
	switch {
	case err != nil:
		return nil, err
	case trouble.unproven:
		look.Untried = append(look.Untried, trouble.why)
	default:
		look.Key = trouble.why
	}
	return look, nil
}

// FindImage reads an image of whichever owner, as far as the account sees it; nil where it sees none.
func FindImage(ctx context.Context, s *Services, where, id string) (*ec2types.Image, error) {
	// By a filter, since a list that lags answers an id with an error.
	out, err := s.EC2.DescribeImages(ctx, &ec2.DescribeImagesInput{
		Filters: []ec2types.Filter{Filter("image-id", id)}, IncludeDeprecated: Ptr(true),
	})
	if err != nil {
		return nil, Wrap("look at the image "+id, where, err)
	}
	if len(out.Images) == 0 {
		return nil, nil //nolint:nilnil // a find
	}
	return &out.Images[0], nil
}

// rootOf is the root of an image; nil where that is not on EBS. What else it maps EC2 ignores here ("only the root
// volume of the AMI is used").
func rootOf(image ec2types.Image) *ec2types.EbsBlockDevice {
	if image.RootDeviceType != ec2types.DeviceTypeEbs {
		return nil
	}
	for _, mapping := range image.BlockDeviceMappings {
		if Deref(mapping.DeviceName) == Deref(image.RootDeviceName) {
			return mapping.Ebs
		}
	}
	return nil
}

// SnapshotOf is the snapshot of an image's root; "" where it has none.
func SnapshotOf(image ec2types.Image) string {
	if root := rootOf(image); root != nil {
		return Deref(root.SnapshotId)
	}
	return ""
}

func productsOf(codes []ec2types.ProductCode) []string {
	products := []string{}
	for _, code := range codes {
		products = append(products, Deref(code.ProductCodeId))
	}
	slices.Sort(products)
	return products
}

// snapshotKey is why the key of one of our snapshots may not serve, which EC2 has to read it with whatever key the new
// volume gets.
func snapshotKey(ctx context.Context, s *Services, where, id string) (none keyTrouble, err error) {
	if id == "" {
		return none, nil
	}
	found, _, err := ReadSnapshots(ctx, s, where, Filter("snapshot-id", id))
	switch {
	case err != nil:
		return none, err
	case len(found) == 0:
		return keyTrouble{why: "its snapshot " + id + " is not there"}, nil
	case !Deref(found[0].Encrypted):
		return none, nil
	}
	return readKey(ctx, s, where, Deref(found[0].KmsKeyId), "its snapshot "+id)
}
