package activities

import (
	"context"

	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
)

// AwaitSnapshotInput waits for a snapshot.
type AwaitSnapshotInput struct {
	Instance   Instance
	SnapshotID string
	Pace       Pace
}

// AwaitSnapshot waits until the snapshot is completed; SnapshotFailed (terminal) when it ended in error.
func (a *AWS) AwaitSnapshot(ctx context.Context, in AwaitSnapshotInput) (err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Instance.Group)
	if err != nil {
		return err
	}
	return a.waits().Look(ctx, in.Pace, func(ctx context.Context) (bool, string, error) {
		// By a filter, since a list that lags answers an id with an error.
		found, _, err := aws.ReadSnapshots(ctx, s, in.Instance.String(), aws.Filter("snapshot-id", in.SnapshotID))
		switch {
		case err != nil:
			return false, "", err
		case len(found) == 0:
			return false, "the snapshot " + in.SnapshotID + " to be listed", nil
		case found[0].State == ec2types.SnapshotStateError:
			return false, "", once.Final(
				ErrSnapshotFailed, "%s: the snapshot %s ended in error: %s", in.Instance, in.SnapshotID,
				aws.Deref(found[0].StateMessage),
			)
		case found[0].State == ec2types.SnapshotStateRecoverable:
			return false, "", once.Final(
				ErrSnapshotFailed, "%s: somebody deleted the snapshot %s, which is in the recycle bin; restore it from there "+
					"(aws ec2 restore-snapshot-from-recycle-bin --snapshot-id %s), then put the instance back by hand", in.Instance,
				in.SnapshotID, in.SnapshotID,
			)
		}
		return found[0].State == ec2types.SnapshotStateCompleted, "the snapshot " + in.SnapshotID + ", " +
			aws.Deref(found[0].Progress), nil
	})
}
