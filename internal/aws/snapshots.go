package aws

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/names"
)

// ReadRestores lists replacements of root volumes; the time is AWS's, of the answer.
func ReadRestores(
	ctx context.Context, s *Services, where string, in *ec2.DescribeReplaceRootVolumeTasksInput,
) ([]ec2types.ReplaceRootVolumeTask, time.Time, error) {
	var all []ec2types.ReplaceRootVolumeTask
	var at time.Time
	pages := ec2.NewDescribeReplaceRootVolumeTasksPaginator(s.EC2, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, at, Wrap("describe the root volume's replacement", where, err)
		}
		if at, err = TimeOf(page.ResultMetadata, where); err != nil {
			return nil, at, err
		}
		all = append(all, page.ReplaceRootVolumeTasks...)
	}
	return all, at, nil
}

// BackupTags say whose a backup is and when it may go. Expiry is by AWS's clock.
func BackupTags(wave, token string, expires time.Time) []ec2types.Tag {
	return []ec2types.Tag{
		{Key: Ptr(names.TagWave), Value: &wave},
		{Key: Ptr(names.TagExpires), Value: Ptr(expires.UTC().Format(time.RFC3339))},
		{Key: Ptr(names.TagAttempt + token), Value: Ptr("")},
	}
}

// ReadSnapshots lists our account's snapshots; the time is AWS's, of the answer.
func ReadSnapshots(
	ctx context.Context, s *Services, where string, filters ...ec2types.Filter,
) ([]ec2types.Snapshot, time.Time, error) {
	var all []ec2types.Snapshot
	var at time.Time
	pages := ec2.NewDescribeSnapshotsPaginator(
		s.EC2, &ec2.DescribeSnapshotsInput{OwnerIds: []string{"self"}, Filters: filters},
	)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, at, Wrap("look for snapshots", where, err)
		}
		if at, err = TimeOf(page.ResultMetadata, where); err != nil {
			return nil, at, err
		}
		all = append(all, page.Snapshots...)
	}
	return all, at, nil
}
