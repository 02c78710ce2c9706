package aws

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/patchtide/patchtide/internal/patch"
)

// ReadLockedRoots reads the keys of root volumes and tells those that we may not be able to use, so that a snapshot of
// theirs could not become a volume again: EC2 finds that out only after it has accepted the call. Where an account
// encrypts by default, a volume that is made of a snapshot which is not encrypted gets the account's default key (EBS
// guide, encryption by default), be it that this was switched on after the instance was launched.
func ReadLockedRoots(
	ctx context.Context, s *Services, group patch.Group, instances map[string]ec2types.Instance,
) ([]patch.LockedRoot, error) {
	byVolume := map[string]string{}
	for _, id := range slices.Sorted(maps.Keys(instances)) {
		if volume := RootVolume(instances[id]); volume != "" {
			byVolume[volume] = id
		}
	}
	keys, plain := map[string]string{}, "" // to an instance that needs it; one whose root volume is not encrypted
	for chunk := range slices.Chunk(slices.Sorted(maps.Keys(byVolume)), filterValues) {
		pages := ec2.NewDescribeVolumesPaginator(
			s.EC2, &ec2.DescribeVolumesInput{Filters: []ec2types.Filter{Filter("volume-id", chunk...)}},
		)
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, Wrap("describe root volumes", group.String(), err)
			}
			for _, volume := range page.Volumes {
				instance := byVolume[Deref(volume.VolumeId)]
				key := Deref(volume.KmsKeyId)
				switch {
				case !Deref(volume.Encrypted) && plain == "":
					plain = instance
				case Deref(volume.Encrypted) && keys[key] == "":
					keys[key] = instance
				}
			}
		}
	}
	var locked []patch.LockedRoot
	if plain != "" {
		why, err := defaultKeyTrouble(ctx, s, group)
		if err != nil {
			return nil, err
		}
		if why != "" {
			locked = append(locked, patch.LockedRoot{Instance: plain, Why: why})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		why, err := keyTrouble(ctx, s, group, key, "its root volume")
		if err != nil {
			return nil, err
		}
		if why != "" {
			locked = append(locked, patch.LockedRoot{Instance: keys[key], Why: why})
		}
	}
	return locked, nil
}

// defaultKeyTrouble says why a volume that is not encrypted could not be made again; "" when it can.
func defaultKeyTrouble(ctx context.Context, s *Services, group patch.Group) (string, error) {
	encrypts, err := s.EC2.GetEbsEncryptionByDefault(ctx, &ec2.GetEbsEncryptionByDefaultInput{})
	if err != nil {
		return "", Wrap("read whether EBS encrypts by default", group.String(), err)
	}
	if !Deref(encrypts.EbsEncryptionByDefault) {
		return "", nil
	}
	key, err := s.EC2.GetEbsDefaultKmsKeyId(ctx, &ec2.GetEbsDefaultKmsKeyIdInput{})
	if err != nil {
		return "", Wrap("read EBS's default key", group.String(), err)
	}
	return keyTrouble(ctx, s, group, Deref(key.KmsKeyId), "the account's encryption by default, which a restored root "+
		"volume gets")
}

// keyTrouble says why a key may not serve; "" when it does. What has it is named for a person. A key of AWS's own
// (aws/ebs) is open to whoever may use EBS in the account and can be tried by nobody directly, so its state is all
// there is to ask. A customer's key is tried: a dry run of the one action among those that a restore needs which no
// condition about grants keeps from us. CreateGrant cannot be tried without making one.
func keyTrouble(ctx context.Context, s *Services, group patch.Group, key, of string) (string, error) {
	if key == "" {
		return of + " has a key that EC2 does not name", nil
	}
	described, err := s.KMS.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &key})
	switch {
	case IsNotFound(err):
		return fmt.Sprintf("the key %s of %s does not exist any more", key, of), nil
	case KindOf(err) == Denied:
		return fmt.Sprintf("the key %s of %s may not be described by our role", key, of), nil
	case err != nil:
		return "", Wrap("describe the key "+key, group.String(), err)
	}
	metadata := described.KeyMetadata
	if metadata == nil || metadata.KeyState != kmstypes.KeyStateEnabled {
		state := kmstypes.KeyState("")
		if metadata != nil {
			state = metadata.KeyState
		}
		return fmt.Sprintf("the key %s of %s is %s", key, of, state), nil
	}
	if metadata.KeyManager == kmstypes.KeyManagerTypeAws {
		return "", nil
	}
	_, err = s.KMS.GenerateDataKeyWithoutPlaintext(ctx, &kms.GenerateDataKeyWithoutPlaintextInput{
		KeyId: &key, KeySpec: kmstypes.DataKeySpecAes256, DryRun: Ptr(true),
	})
	switch {
	case err == nil || HasCode(err, CodeDryRun):
		return "", nil
	case KindOf(err) == Throttled, KindOf(err) == Passing:
		return "", Wrap("try the key "+key, group.String(), err)
	}
	return fmt.Sprintf(
		"the key %s of %s may not be used by our role: %v", key, of,
		Wrap("dry run of kms:GenerateDataKeyWithoutPlaintext", group.String(), err),
	), nil
}
