package services_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
)

// copies is one account that has made an image, and another that wants a copy of it.
type copies struct {
	*account
	donor, target   *ec2.Client
	image, snapshot string
}

const (
	donorAccount  = "222233334444"
	targetAccount = "111122223333"
	tokyo         = "ap-northeast-1"
)

// newCopies makes an image of a machine whose root volume has the given key; nil: it is not encrypted.
func newCopies(t *testing.T, key *world.Key) copies {
	c := copies{account: staging(t, "healthy")}
	c.donor = ec2.NewFromConfig(c.config)
	other := c.config.Copy()
	other.Credentials = c.assumed("arn:aws:iam::"+targetAccount+":role/patchtide", 12*time.Hour)
	c.target = ec2.NewFromConfig(other)
	id := ""
	c.sim.Inspect(func(w *world.World) {
		region := w.Account(donorAccount).Region(tokyo)
		instance := region.Instances()[0]
		if id = instance.ID; key != nil {
			region.PutKey(key)
			region.Volume(instance.RootVolume).Key = key.ARN
		}
	})
	made, err := c.donor.CreateImage(ctx, &ec2.CreateImageInput{
		InstanceId: &id, Name: aws.String("made"), NoReboot: aws.Bool(true), TagSpecifications: []types.TagSpecification{
			{ResourceType: types.ResourceTypeImage, Tags: []types.Tag{{Key: aws.String("Owner"), Value: aws.String("web")}}},
		},
	})
	require.NoError(t, err)
	c.image = *made.ImageId
	c.now = c.now.Add(time.Hour)
	listed, err := c.donor.DescribeImages(ctx, &ec2.DescribeImagesInput{ImageIds: []string{c.image}})
	require.NoError(t, err)
	c.snapshot = *listed.Images[0].BlockDeviceMappings[0].Ebs.SnapshotId
	return c
}

func (c copies) shareImage(account string, add bool) error {
	permission, change := []types.LaunchPermission{{UserId: &account}}, &types.LaunchPermissionModifications{}
	if change.Add = permission; !add {
		change.Add, change.Remove = nil, permission
	}
	_, err := c.donor.ModifyImageAttribute(ctx, &ec2.ModifyImageAttributeInput{
		ImageId: &c.image, LaunchPermission: change,
	})
	return err
}

func (c copies) shareSnapshot(account string, add bool) error {
	permission, change := []types.CreateVolumePermission{{UserId: &account}}, &types.CreateVolumePermissionModifications{}
	if change.Add = permission; !add {
		change.Add, change.Remove = nil, permission
	}
	_, err := c.donor.ModifySnapshotAttribute(ctx, &ec2.ModifySnapshotAttributeInput{
		SnapshotId: &c.snapshot, Attribute: types.SnapshotAttributeNameCreateVolumePermission,
		CreateVolumePermission: change,
	})
	return err
}

func (c copies) copyTo(client *ec2.Client, change func(*ec2.CopyImageInput)) (string, error) {
	in := &ec2.CopyImageInput{
		SourceImageId: &c.image, SourceRegion: aws.String(tokyo), Name: aws.String("copied"), Encrypted: aws.Bool(true),
		ClientToken: aws.String("once"),
	}
	if change != nil {
		change(in)
	}
	out, err := client.CopyImage(ctx, in)
	if err != nil {
		return "", err
	}
	return *out.ImageId, nil
}

func (c copies) ends(client *ec2.Client, id string) types.Image {
	c.now = c.now.Add(time.Hour)
	listed, err := client.DescribeImages(ctx, &ec2.DescribeImagesInput{ImageIds: []string{id}})
	require.NoError(c.t, err)
	return listed.Images[0]
}

func TestAnImageIsCopiedToAnotherAccountOnlyWhileAllOfItIsShared(t *testing.T) {
	c := newCopies(t, nil)
	_, err := c.copyTo(c.target, nil)
	require.Equal(t, "InvalidAMIID.NotFound", code(t, err))
	require.NoError(t, c.shareImage(targetAccount, true))
	seen, err := c.target.DescribeImages(ctx, &ec2.DescribeImagesInput{ImageIds: []string{c.image}})
	require.NoError(t, err)
	require.Equal(t, donorAccount, *seen.Images[0].OwnerId)
	require.Empty(t, seen.Images[0].Tags, "tags are not shared")
	_, err = c.copyTo(c.target, nil)
	require.Equal(t, "InvalidRequest", code(t, err))
	require.ErrorContains(t, err, "You do not have permission to access the storage of this ami")
	require.NoError(t, c.shareSnapshot(targetAccount, true))
	require.NoError(t, c.shareSnapshot(targetAccount, true), "twice is as once")
	id, err := c.copyTo(c.target, nil)
	require.NoError(t, err)
	again, err := c.copyTo(c.target, nil)
	require.NoError(t, err)
	require.Equal(t, id, again, "the same client token")
	_, err = c.copyTo(c.target, func(in *ec2.CopyImageInput) { in.Name = aws.String("other") })
	require.Equal(t, "IdempotentParameterMismatch", code(t, err))
	_, err = c.copyTo(c.target, func(in *ec2.CopyImageInput) { in.ClientToken = nil })
	require.Equal(t, "InvalidAMIName.Duplicate", code(t, err))
	copied := c.ends(c.target, id)
	require.Equal(t, types.ImageStateAvailable, copied.State)
	require.Equal(t, targetAccount, *copied.OwnerId)
	require.Empty(t, copied.Tags)
	require.NoError(t, c.shareImage(targetAccount, false))
	seen, err = c.target.DescribeImages(ctx, &ec2.DescribeImagesInput{
		Filters: []types.Filter{{Name: aws.String("image-id"), Values: []string{c.image}}},
	})
	require.NoError(t, err)
	require.Empty(t, seen.Images)
	_, err = c.target.ModifyImageAttribute(ctx, &ec2.ModifyImageAttributeInput{
		ImageId: &c.image, LaunchPermission: &types.LaunchPermissionModifications{
			Add: []types.LaunchPermission{{UserId: aws.String(targetAccount)}},
		},
	})
	require.Equal(t, "InvalidAMIID.NotFound", code(t, err))
}

func TestACopyFailsWhereItsSourceMayNotBeReadAnyMore(t *testing.T) {
	arn := "arn:aws:kms:ap-northeast-1:" + donorAccount + ":key/11112222-3333-4444-5555-666677778888"
	for _, test := range []struct {
		name    string
		key     *world.Key
		unshare bool
		region  string
		to      string
		in      func(*ec2.CopyImageInput)
		want    types.ImageState
	}{
		{name: "a customer's key that names nobody else", key: &world.Key{ARN: arn, State: "Enabled", Manager: "CUSTOMER"}},
		{
			name: "a customer's key that names the account", want: types.ImageStateAvailable,
			key: &world.Key{ARN: arn, State: "Enabled", Manager: "CUSTOMER", Accounts: []string{targetAccount}},
		},
		{name: "what was shared is taken back meanwhile", unshare: true},
		{name: "a key that is not there", in: func(in *ec2.CopyImageInput) { in.KmsKeyId = aws.String("alias/none") }},
		{name: "in another region", region: "us-east-1", want: types.ImageStateAvailable},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCopies(t, test.key)
			require.NoError(t, c.shareImage(targetAccount, true))
			require.NoError(t, c.shareSnapshot(targetAccount, true))
			client := c.target
			if test.region != "" {
				client = ec2.New(c.target.Options(), func(o *ec2.Options) { o.Region = test.region })
			}
			id, err := c.copyTo(client, test.in)
			require.NoError(t, err)
			if test.unshare {
				require.NoError(t, c.shareSnapshot(targetAccount, false))
			}
			want := test.want
			if want == "" {
				want = types.ImageStateFailed
			}
			require.Equal(t, want, c.ends(client, id).State)
		})
	}
}

func TestWhatTheKeyOfAWSEncryptsIsNotShared(t *testing.T) {
	c := newCopies(t, &world.Key{
		ARN:   "arn:aws:kms:ap-northeast-1:" + donorAccount + ":key/11112222-3333-4444-5555-666677778888",
		State: "Enabled", Manager: "AWS", Alias: "alias/aws/ebs",
	})
	err := c.shareImage(targetAccount, true)
	require.Equal(t, "InvalidParameter", code(t, err))
	require.ErrorContains(t, err, "Snapshots encrypted with the AWS Managed CMK can't be shared")
	require.Equal(t, "OperationNotPermitted", code(t, c.shareSnapshot(targetAccount, true)))
}
