package world

import (
	"slices"
	"strings"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// ImageCopy asks for a copy of an image in another region, or in another account.
type ImageCopy struct {
	Source, SourceRegion string // the image, and where it is
	Name, Description    string
	Encrypted            bool
	Key                  string // ARN, id or alias of the key of what is made; "": the account's default key
	Tags, SnapshotTags   Tags
}

// noSnapshotOf is the volume of a snapshot that was copied, which no volume has been.
const noSnapshotOf = "vol-ffffffff"

// CopyImage copies an image of the account's own, or one that is shared with it, into this region: the copy is the
// account's, has no tag of its source's, and is pending for a while. EC2 looks at keys later than it answers (API
// reference: "AWS authenticates the KMS key asynchronously"), and so does this: what may not be read, or is not shared
// any more by then, leaves a copy that failed.
func (r *Region) CopyImage(in ImageCopy) (*Image, error) {
	source, from := r.visible(in.Source, in.SourceRegion)
	switch {
	case source == nil:
		return nil, api.Errorf("InvalidAMIID.NotFound", "The image id '[%s]' does not exist", in.Source)
	case len(in.Name) < 3 || len(in.Name) > 128:
		return nil, api.Errorf("InvalidAMIName.Malformed", "AMI names must be between 3 and 128 characters long")
	case slices.ContainsFunc(r.images.all(), func(i *Image) bool { return i.Name == in.Name }):
		return nil, api.Errorf("InvalidAMIName.Duplicate", "AMI name %s is already in use", in.Name)
	case in.Key != "" && !in.Encrypted:
		return nil, api.Errorf("InvalidParameterDependency", "KmsKeyId requires Encrypted to be set.")
	case source.State() != "available":
		return nil, api.Errorf("InvalidAMIID.Unavailable", "The image ID '%s' is not yet available", in.Source)
	case !r.readsStorage(source, from):
		return nil, api.Errorf("InvalidRequest", "You do not have permission to access the storage of this ami")
	}
	key := source.Key
	if in.Encrypted || key != "" || r.EncryptsByDefault { // a copy of what is encrypted always is
		if key = in.Key; key == "" {
			key = r.EBSKey().ARN
		} else if known := r.Key(key); known != nil {
			key = known.ARN
		}
	}
	snapshot := &Snapshot{
		Region: r, ID: r.NewID("snap"), Volume: noSnapshotOf, State: "pending", Progress: "0%", Started: r.World.now,
		Description: "Copied for DestinationAmi from SourceAmi " + in.Source, Tags: in.SnapshotTags.Clone(), Key: key,
		disk: source.disk.Clone(),
	}
	image := &Image{
		ID: r.NewID("ami"), Name: in.Name, Description: in.Description, Created: r.World.now, Tags: in.Tags.Clone(),
		Owner: r.Account.ID, ImageKind: source.ImageKind, Key: key, Snapshot: snapshot.ID, Source: source.ID,
		SourceRegion: in.SourceRegion, made: snapshot, disk: source.disk.Clone(),
	}
	r.snapshots.put(snapshot.ID, snapshot)
	r.images.put(image.ID, image)
	r.Changed("snapshot", snapshot.ID, "pending")
	r.Changed("image", image.ID, "pending")
	r.World.After(2*r.World.Scenario.Durations.Snapshot.D(), func() {
		snapshot.State, snapshot.Progress, snapshot.Completed = "completed", "100%", r.World.now
		if known := r.Key(key); !r.readsStorage(source, from) || !r.readsKey(source.Key, from) ||
			key != "" && (known == nil || known.State != "Enabled" || !known.Serves("ec2")) {
			snapshot.State, snapshot.Progress = "error", "0%"
			image.Reason = "Given key ID is not accessible"
		}
		r.Changed("snapshot", snapshot.ID, snapshot.State)
		r.Changed("image", image.ID, image.State())
	})
	return image, nil
}

// visible finds an image of a region that is the account's own, or is shared with it, and where it is.
func (r *Region) visible(id, region string) (*Image, *Region) {
	own := r.Account.Region(region)
	if image, ok := own.images.get(id); ok {
		return image, own
	}
	for _, other := range r.elsewhere(region) {
		if image, ok := other.images.get(id); ok && slices.Contains(image.SharedWith, r.Account.ID) {
			return image, other
		}
	}
	return nil, nil
}

// elsewhere is a region in the other accounts, as far as anybody has named it there.
func (r *Region) elsewhere(name string) (regions []*Region) {
	for _, account := range r.World.Accounts() {
		if region, ok := account.regions[name]; ok && account != r.Account {
			regions = append(regions, region)
		}
	}
	return regions
}

// SharedImages are those of other accounts, in this region, that are shared with this one. Their tags are not.
func (r *Region) SharedImages() (shared []*Image) {
	for _, other := range r.elsewhere(r.Name) {
		for _, image := range other.images.all() {
			if image.Owner == other.Account.ID && slices.Contains(image.SharedWith, r.Account.ID) {
				seen := *image
				seen.Tags = Tags{}
				shared = append(shared, &seen)
			}
		}
	}
	return shared
}

// readsStorage reports whether the account may read the snapshot of an image.
func (r *Region) readsStorage(image *Image, from *Region) bool {
	if from.Account == r.Account || image.Snapshot == "" {
		return true
	}
	snapshot := from.Snapshot(image.Snapshot)
	return snapshot != nil && slices.Contains(snapshot.SharedWith, r.Account.ID)
}

// readsKey reports whether the account may use the key of what it reads elsewhere.
func (r *Region) readsKey(key string, from *Region) bool {
	known := from.Key(key)
	return key == "" || known != nil && known.State == "Enabled" && known.Lets(r.Account.ID)
}

// Lets reports whether a key may be used from an account: its own, or one that its policy names.
func (k *Key) Lets(account string) bool {
	return strings.Contains(k.ARN, ":"+account+":") || slices.Contains(k.Accounts, account)
}

// KeyAnywhere is the key of this region, or the one of another account in the same region that its ARN names; nil where
// there is none, or where that one's policy does not name this account: KMS does not tell the two apart.
func (r *Region) KeyAnywhere(idOrARN string) *Key {
	if key := r.Key(idOrARN); key != nil {
		return key
	}
	for _, other := range r.elsewhere(r.Name) {
		if key := other.Key(idOrARN); key != nil && key.ARN == idOrARN && key.Lets(r.Account.ID) {
			return key
		}
	}
	return nil
}

// ShareImage adds an account to those that see an image, or takes it off. Twice is as once.
func (r *Region) ShareImage(id, account string, add bool) error {
	image, ok := r.images.get(id)
	switch {
	case !ok:
		return api.Errorf("InvalidAMIID.NotFound", "The image id '[%s]' does not exist", id)
	case image.Owner != r.Account.ID:
		return api.Errorf("AuthFailure", "Not authorized for image:%s", id)
	case add && r.keyOfAWS(image.Key):
		return api.Errorf("InvalidParameter", "Snapshots encrypted with the AWS Managed CMK can't be shared. Specify "+
			"another snapshot.")
	}
	image.SharedWith = listed(image.SharedWith, account, add)
	r.Changed("image", id, "launch permissions changed")
	return nil
}

// ShareSnapshot does the same of a snapshot.
func (r *Region) ShareSnapshot(id, account string, add bool) error {
	snapshot := r.Snapshot(id)
	switch {
	case snapshot == nil:
		return api.Errorf("InvalidSnapshot.NotFound", "The snapshot '%s' does not exist.", id)
	case add && r.keyOfAWS(snapshot.Key):
		return api.Errorf("OperationNotPermitted", "Encrypted snapshots with EBS default key cannot be shared")
	}
	snapshot.SharedWith = listed(snapshot.SharedWith, account, add)
	r.Changed("snapshot", id, "create volume permissions changed")
	return nil
}

func (r *Region) keyOfAWS(key string) bool {
	known := r.Key(key)
	return key != "" && known != nil && known.Manager == "AWS"
}

func listed(accounts []string, account string, add bool) []string {
	rest := slices.DeleteFunc(slices.Clone(accounts), func(one string) bool { return one == account })
	if add {
		rest = append(rest, account)
	}
	return rest
}
