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

// RootKeys are the keys of root volumes that may keep a snapshot of theirs from becoming a volume again.
type RootKeys struct {
	Locked   []patch.LockedRoot // keys that serve nobody
	Unproven []patch.LockedRoot // keys that we may not try: EC2 may be let use them for us all the same
}

// ReadRootKeys reads the keys of root volumes: EC2 finds out only after it has accepted a call that it cannot use one.
// Where an account encrypts by default, a volume that is made of a snapshot which is not encrypted gets the account's
// default key (EBS guide, encryption by default), be it that this was switched on after the instance was launched.
func ReadRootKeys(
	ctx context.Context, s *Services, group patch.Group, instances map[string]ec2types.Instance,
) (found RootKeys, err error) {
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
				return found, Wrap("describe root volumes", group.String(), err)
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
	if plain != "" {
		trouble, err := defaultKeyTrouble(ctx, s, group.String())
		if err != nil {
			return found, err
		}
		found.add(plain, trouble)
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		trouble, err := readKey(ctx, s, group.String(), key, "its root volume")
		if err != nil {
			return found, err
		}
		found.add(keys[key], trouble)
	}
	return found, nil
}

// keyTrouble is why a key may not serve; the zero one when nothing is known against it.
type keyTrouble struct {
	why      string
	unproven bool // nobody but EC2 can tell
}

func (k *RootKeys) add(instance string, trouble keyTrouble) {
	root := patch.LockedRoot{Instance: instance, Why: trouble.why}
	switch {
	case trouble.unproven:
		k.Unproven = append(k.Unproven, root)
	case trouble.why != "":
		k.Locked = append(k.Locked, root)
	}
}

// DefaultKeyTrouble says for a person why a volume that is not encrypted could not be made again where EBS encrypts by
// default; unproven is set where nobody but EC2 can tell. Both are zero where nothing is known against it.
func DefaultKeyTrouble(ctx context.Context, s *Services, where string) (why string, unproven bool, err error) {
	trouble, err := defaultKeyTrouble(ctx, s, where)
	return trouble.why, trouble.unproven, err
}

// defaultKeyTrouble says why a volume that is not encrypted could not be made again.
func defaultKeyTrouble(ctx context.Context, s *Services, where string) (none keyTrouble, err error) {
	encrypts, err := s.EC2.GetEbsEncryptionByDefault(ctx, &ec2.GetEbsEncryptionByDefaultInput{})
	if err != nil {
		return none, Wrap("read whether EBS encrypts by default", where, err)
	}
	if !Deref(encrypts.EbsEncryptionByDefault) {
		return none, nil
	}
	key, err := s.EC2.GetEbsDefaultKmsKeyId(ctx, &ec2.GetEbsDefaultKmsKeyIdInput{})
	if err != nil {
		return none, Wrap("read EBS's default key", where, err)
	}
	return readKey(ctx, s, where, Deref(key.KmsKeyId), "the account's encryption by default, which a restored root "+
		"volume gets")
}

// readKey says why a key may not serve. What has it is named for a person. A key of AWS's own (aws/ebs) is open to
// whoever may use EBS in the account and can be tried by nobody directly, so its state is all there is to ask. A
// customer's key is tried: a dry run of the one action among those that a restore needs which no condition about grants
// keeps from us. CreateGrant cannot be tried without making one. A key policy may let our role use a key where EC2 asks
// for it, and not where we do (kms:ViaService, as EBS's guide on key policies has it): what is denied to us proves
// nothing, and no call of EC2's tries a key without using it.
func readKey(ctx context.Context, s *Services, where string, key, of string) (none keyTrouble, err error) {
	locked := func(format string, args ...any) (keyTrouble, error) {
		return keyTrouble{why: fmt.Sprintf("the key %s of %s "+format, append([]any{key, of}, args...)...)}, nil
	}
	unproven := func(action string) (keyTrouble, error) {
		found, err := locked("denies our role %s, as one that only EC2 may use for us (kms:ViaService) does: "+
			"a restore is not proven", action)
		found.unproven = true
		return found, err
	}
	if key == "" {
		return keyTrouble{why: of + " has a key that EC2 does not name"}, nil
	}
	described, err := s.KMS.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &key})
	hidden := KindOf(err) == Denied
	switch {
	case IsNotFound(err):
		return locked("does not exist any more")
	case hidden: // its dry run may tell
	case err != nil:
		return none, Wrap("describe the key "+key, where, err)
	case described.KeyMetadata == nil:
		return locked("is described by nothing")
	case described.KeyMetadata.KeyState != kmstypes.KeyStateEnabled:
		return locked("is %s", described.KeyMetadata.KeyState)
	case described.KeyMetadata.KeyManager == kmstypes.KeyManagerTypeAws:
		return none, nil
	}
	_, err = s.KMS.GenerateDataKeyWithoutPlaintext(ctx, &kms.GenerateDataKeyWithoutPlaintextInput{
		KeyId: &key, KeySpec: kmstypes.DataKeySpecAes256, DryRun: Ptr(true),
	})
	switch {
	case err == nil || HasCode(err, CodeDryRun):
		return none, nil
	case KindOf(err) == Denied && hidden:
		return unproven("kms:DescribeKey")
	case KindOf(err) == Denied:
		return unproven("kms:GenerateDataKeyWithoutPlaintext")
	case KindOf(err) == Throttled, KindOf(err) == Passing:
		return none, Wrap("try the key "+key, where, err)
	}
	return locked("may not be used by our role: %v",
		Wrap("dry run of kms:GenerateDataKeyWithoutPlaintext", where, err))
}
