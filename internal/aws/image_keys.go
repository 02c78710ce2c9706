package aws

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/patchtide/patchtide/internal/patch"
)

// ReadableElsewhere says why another account could not read an image of the machine, by the key of its root volume; "":
// nothing is known against it. there are that account's own clients in the machine's region. A snapshot by AWS's own
// key is shared with nobody, and one by a customer's key is read by whoever may use that (EBS guide, Share the KMS key
// used to encrypt a shared snapshot). Which of the key's actions that account may use only EC2 finds out; that it may
// not even describe it means that no policy names it.
func ReadableElsewhere(
	ctx context.Context, s, there *Services, in Instance, machine ec2types.Instance, account patch.Account,
) (why string, err error) {
	key, err := rootKey(ctx, s, in, machine)
	if err != nil || key == "" {
		return "", err
	}
	described, err := s.KMS.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &key})
	if err != nil && KindOf(err) != Denied {
		return "", Wrap("describe the key "+key, in.String(), err)
	}
	if err == nil && described.KeyMetadata != nil &&
		described.KeyMetadata.KeyManager == kmstypes.KeyManagerTypeAws {
		return fmt.Sprintf("its root volume is encrypted with AWS's own key %s, and a snapshot of that can be shared with "+
			"no other account: encrypt root volumes in %s with a key of your own that %s (%s) may use, or have a stage before "+
			"in %s itself", key, in.Group.Account.Name, account.Name, account.ID, account.Name), nil
	}
	described, err = there.KMS.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &key})
	switch {
	case KindOf(err) == Denied || IsNotFound(err):
		return fmt.Sprintf("its root volume is encrypted with the key %s, which the account %s (%s) may not use: let the "+
			"key's policy allow that account kms:DescribeKey, kms:CreateGrant, kms:Decrypt, "+
			"kms:GenerateDataKey* and kms:ReEncrypt*; Patchtide changes no key's policy", key, account.Name,
			account.ID), nil
	case err != nil:
		return "", Wrap("describe the key "+key+" from "+account.Name, in.String(), err)
	case described.KeyMetadata != nil && described.KeyMetadata.KeyState != kmstypes.KeyStateEnabled:
		return fmt.Sprintf("the key %s of its root volume is %s", key, described.KeyMetadata.KeyState), nil
	}
	return "", nil
}

// rootKey is the key of a machine's root volume; "": it is not encrypted.
func rootKey(ctx context.Context, s *Services, in Instance, machine ec2types.Instance) (string, error) {
	id := RootVolume(machine)
	out, err := s.EC2.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{Filters: []ec2types.Filter{Filter("volume-id", id)}})
	switch {
	case err != nil:
		return "", Wrap("describe its root volume", in.String(), err)
	case len(out.Volumes) != 1:
		return "", MayPass("%s: its root volume %s is not listed", in, id)
	case !Deref(out.Volumes[0].Encrypted):
		return "", nil
	}
	return Deref(out.Volumes[0].KmsKeyId), nil
}

// CopyKeyTrouble says why a key may not serve to encrypt a copy of an image; "": nothing is known against it. EC2
// itself looks only after it has answered (API reference of CopyImage).
func CopyKeyTrouble(ctx context.Context, s *Services, group patch.Group, key string) (why string, err error) {
	trouble, err := readKey(ctx, s, group.String(), key, "image_key")
	if err != nil || trouble.unproven || trouble.why == "" {
		return "", err
	}
	return fmt.Sprintf("%s in %s/%s: make it there, or correct image_key of the account", trouble.why, group.Account.Name,
		group.Region), nil
}
