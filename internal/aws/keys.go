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

// ReadLockedRoots reads the keys of encrypted root volumes and tells those that we may not be able to use, so that a
// snapshot of theirs could not become a volume again: EC2 finds that out only after it has accepted the call.
func ReadLockedRoots(
	ctx context.Context, s *Services, group patch.Group, instances map[string]ec2types.Instance,
) ([]patch.LockedRoot, error) {
	byVolume := map[string]string{}
	for _, id := range slices.Sorted(maps.Keys(instances)) {
		if volume := RootVolume(instances[id]); volume != "" {
			byVolume[volume] = id
		}
	}
	keys := map[string]string{} // to an instance that needs it
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
				if key := Deref(volume.KmsKeyId); Deref(volume.Encrypted) && keys[key] == "" {
					keys[key] = byVolume[Deref(volume.VolumeId)]
				}
			}
		}
	}
	var locked []patch.LockedRoot
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		why, err := keyTrouble(ctx, s, group, key)
		if err != nil {
			return nil, err
		}
		if why != "" {
			locked = append(locked, patch.LockedRoot{Instance: keys[key], Why: why})
		}
	}
	return locked, nil
}

// keyTrouble says why a key may not serve; "" when it does. A key of AWS's own (aws/ebs) is open to whoever may use EBS
// in the account and can be tried by nobody directly, so its state is all there is to ask. A customer's key is tried: a
// dry run of the one action among those that a restore needs which no condition about grants keeps from us. CreateGrant
// cannot be tried without making one.
func keyTrouble(ctx context.Context, s *Services, group patch.Group, key string) (string, error) {
	if key == "" {
		return "its root volume is encrypted with a key that EC2 does not name", nil
	}
	described, err := s.KMS.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &key})
	switch {
	case IsNotFound(err):
		return fmt.Sprintf("the key %s of its root volume does not exist any more", key), nil
	case KindOf(err) == Denied:
		return fmt.Sprintf("the key %s of its root volume may not be described by our role", key), nil
	case err != nil:
		return "", Wrap("describe the key "+key, group.String(), err)
	}
	metadata := described.KeyMetadata
	if metadata == nil || metadata.KeyState != kmstypes.KeyStateEnabled {
		state := kmstypes.KeyState("")
		if metadata != nil {
			state = metadata.KeyState
		}
		return fmt.Sprintf("the key %s of its root volume is %s", key, state), nil
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
		"the key %s of its root volume may not be used by our role: %v", key,
		Wrap("dry run of kms:GenerateDataKeyWithoutPlaintext", group.String(), err),
	), nil
}
