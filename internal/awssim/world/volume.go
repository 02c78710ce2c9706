package world

import (
	"slices"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// Volume is an EBS volume with its content.
type Volume struct {
	Region   *Region
	ID       string
	Zone     string
	Snapshot string // id of the snapshot it came from
	Created  time.Time
	Tags     Tags
	Attached string // instance id; empty: available
	Device   string // at which it is attached
	Key      string // ARN of the KMS key; empty: not encrypted
	Disk     *Disk
	Type     string // gp3

	IOPS, Throughput int32 // of a gp3 volume; throughput in MiB/s

	snapped time.Time // when CreateSnapshot was last called for it
}

// SizeGiB is the size of every root volume.
const SizeGiB = 8

// How fast a gp3 volume is where a request is silent.
const (
	baseIOPS       = 3000
	baseThroughput = 125
)

func (r *Region) newVolume(zone, snapshot string, disk *Disk) *Volume {
	volume := &Volume{
		Region: r, ID: r.NewID("vol"), Zone: zone, Snapshot: snapshot, Created: r.World.now, Tags: Tags{}, Disk: disk,
		Type: "gp3", IOPS: baseIOPS, Throughput: baseThroughput,
	}
	r.volumes.put(volume.ID, volume)
	return volume
}

// EBSKey is the key of EBS's encryption by default. AWS makes its own at the first use of its alias.
func (r *Region) EBSKey() *Key {
	const alias = "alias/aws/ebs"
	if r.DefaultKey != "" {
		return r.Key(r.DefaultKey)
	}
	if r.Key(alias) == nil {
		r.PutKey(&Key{ARN: r.ARN("kms", "key/"+r.NewUUID("ebs key")), State: "Enabled", Manager: "AWS", Alias: alias})
	}
	return r.Key(alias)
}

// keyOver is the key of a volume that is made of what has the given one, or none.
func (r *Region) keyOver(key string) string {
	if key == "" && r.EncryptsByDefault {
		return r.EBSKey().ARN
	}
	return key
}

func (v *Volume) attach(i *Instance) { v.Attached, v.Device = i.ID, RootDevice }

// Volume returns the volume with that id, or nil.
func (r *Region) Volume(id string) *Volume {
	volume, _ := r.volumes.get(id)
	return volume
}

// Volumes lists the region's volumes in the order they were made.
func (r *Region) Volumes() []*Volume { return r.volumes.all() }

// DeleteVolume deletes a volume that is attached to nothing.
func (r *Region) DeleteVolume(id string) error {
	volume := r.Volume(id)
	if volume == nil {
		return api.Errorf("InvalidVolume.NotFound", "The volume '%s' does not exist.", id)
	}
	if volume.Attached != "" {
		return api.Errorf("VolumeInUse", "Volume %s is currently attached to %s", id, volume.Attached)
	}
	r.volumes.drop(id)
	r.Changed("volume", id, "deleted")
	return nil
}

// Snapshot is a copy of a volume as it was when the snapshot was asked for.
type Snapshot struct {
	Region      *Region
	ID          string
	Volume      string
	State       string // pending, completed or error
	Progress    string
	Started     time.Time
	Completed   time.Time
	Description string
	Tags        Tags
	Key         string   // ARN of the KMS key; empty: not encrypted
	SharedWith  []string // ids of accounts that may make volumes of it

	disk *Disk
}

// What EBS takes of one volume: a CreateSnapshot in so long, by EC2's error codes, and so many pending snapshots, which
// is the quota of every type of volume but sc1 and st1.
const (
	snapshotPause    = 15 * time.Second
	pendingSnapshots = 5
)

// maySnapshot refuses a snapshot of a volume that has had its share.
func (r *Region) maySnapshot(volume *Volume) error {
	if !volume.snapped.IsZero() && r.World.now.Before(volume.snapped.Add(snapshotPause)) {
		return api.Errorf(
			"SnapshotCreationPerVolumeRateExceeded",
			"The maximum per volume CreateSnapshot request rate has been exceeded. Use an increasing or variable sleep "+
				"interval between requests.",
		)
	}
	pending := 0
	for _, snapshot := range r.snapshots.all() {
		if snapshot.Volume == volume.ID && snapshot.State == "pending" {
			pending++
		}
	}
	if pending >= pendingSnapshots {
		return api.Errorf(
			"ConcurrentSnapshotLimitExceeded", "Maximum allowed in-progress snapshots for a single volume exceeded.",
		)
	}
	volume.snapped = r.World.now
	return nil
}

// CreateSnapshot captures the volume as it is now; the snapshot is pending for a while all the same.
func (r *Region) CreateSnapshot(volumeID, description string, tags Tags) (*Snapshot, error) {
	volume := r.Volume(volumeID)
	if volume == nil {
		return nil, api.Errorf("InvalidVolume.NotFound", "The volume '%s' does not exist.", volumeID)
	}
	if err := r.maySnapshot(volume); err != nil {
		return nil, err
	}
	snapshot := &Snapshot{
		Region: r, ID: r.NewID("snap"), Volume: volumeID, State: "pending", Progress: "0%", Started: r.World.now,
		Description: description, Tags: tags.Clone(), Key: volume.Key, disk: volume.Disk.Clone(),
	}
	r.snapshots.put(snapshot.ID, snapshot)
	r.Changed("snapshot", snapshot.ID, "pending")
	fails := false
	if owner := r.Instance(volume.Attached); owner != nil {
		fails = r.World.faults.strikes(FaultSnapshotFails, owner)
	}
	r.World.After(r.World.Scenario.Durations.Snapshot.D(), func() {
		snapshot.State, snapshot.Progress, snapshot.Completed = "completed", "100%", r.World.now
		if fails {
			snapshot.State, snapshot.Progress = "error", "67%"
		}
		r.Changed("snapshot", snapshot.ID, snapshot.State)
	})
	return snapshot, nil
}

// Snapshot returns the snapshot with that id, or nil.
func (r *Region) Snapshot(id string) *Snapshot {
	snapshot, _ := r.snapshots.get(id)
	return snapshot
}

// Snapshots lists the region's snapshots in the order they were made.
func (r *Region) Snapshots() []*Snapshot { return r.snapshots.all() }

// DeleteSnapshot deletes a snapshot that no image needs.
func (r *Region) DeleteSnapshot(id string) error {
	if r.Snapshot(id) == nil {
		return api.Errorf("InvalidSnapshot.NotFound", "The snapshot '%s' does not exist.", id)
	}
	for _, task := range r.rootTasks.all() {
		if task.SnapshotID == id && !task.Ended() {
			return api.Errorf("InvalidSnapshot.InUse", "The snapshot %s is currently in use by %s", id, task.ID)
		}
	}
	for _, image := range r.images.all() {
		if image.Snapshot == id {
			return api.Errorf("InvalidSnapshot.InUse", "The snapshot %s is currently in use by %s", id, image.ID)
		}
	}
	r.snapshots.drop(id)
	r.Changed("snapshot", id, "deleted")
	return nil
}

// Image is a machine image.
type Image struct {
	ID      string
	Name    string
	Created time.Time
	Tags    Tags
	Key     string // ARN of the KMS key; empty: not encrypted
	Owner   string // account id; empty: the account that sees it

	ImageKind

	Description string
	Snapshot    string   // of an image made from an instance
	Data        []string // devices that it maps beside its root; what is launched here does not get them

	Source, SourceRegion string   // of a copy: the image that it was made from, and where that is
	SharedWith           []string // ids of accounts that see it
	Reason               string   // why it failed

	made *Snapshot
	disk *Disk
}

func (r *Region) setUpImages() {
	for n := range r.World.Scenario.Images {
		spec := &r.World.Scenario.Images[n]
		for k := range r.World.Scenario.OperatingSystems {
			if os := &r.World.Scenario.OperatingSystems[k]; os.Name == spec.OS {
				r.images.put(spec.ID, &Image{
					ID: spec.ID, Name: spec.Name, Created: r.World.start.AddDate(0, 0, -60), Tags: Tags{}, Key: spec.KMSKey,
					ImageKind: spec.ImageKind, disk: newDisk(os, *spec),
				})
			}
		}
	}
}

// Image finds an image by id or name; nil when there is none.
func (r *Region) Image(idOrName string) *Image {
	for _, image := range r.images.all() {
		if image.ID == idOrName || image.Name == idOrName {
			return image
		}
	}
	return nil
}

// Images lists the region's images.
func (r *Region) Images() []*Image { return r.images.all() }

// Disk is what a machine launched from the image has on its root volume.
func (i *Image) Disk() *Disk { return i.disk }

// OS is the operating system of the image.
func (i *Image) OS() *OperatingSystem { return i.disk.os }

// SecurityGroup is a security group.
type SecurityGroup struct {
	ID          string
	Name        string
	Description string
	VPC         string
	Tags        Tags
	In, Out     []SecurityRule
}

// VPC is the id of the region's only network.
func (r *Region) VPC() string { return "vpc-0" + r.Account.ID + "0000" }

func (r *Region) defaultSecurityGroup() string {
	for _, group := range r.securityGroups.all() {
		if group.Name == "default" {
			return group.ID
		}
	}
	group, err := r.CreateSecurityGroup("default", "default VPC security group", "")
	if err != nil {
		panic("a region without groups cannot hold a duplicate: " + err.Error())
	}
	return group.ID
}

// CreateSecurityGroup makes a security group; an empty vpc is the region's only one.
func (r *Region) CreateSecurityGroup(name, description, vpc string) (*SecurityGroup, error) {
	if vpc == "" {
		vpc = r.VPC()
	}
	if vpc != r.VPC() {
		return nil, api.Errorf("InvalidVpcID.NotFound", "The vpc ID '%s' does not exist", vpc)
	}
	if slices.ContainsFunc(r.securityGroups.all(), func(g *SecurityGroup) bool { return g.Name == name }) {
		return nil, api.Errorf("InvalidGroup.Duplicate", "The security group '%s' already exists for VPC '%s'", name, vpc)
	}
	group := &SecurityGroup{
		ID: r.NewID("sg"), Name: name, Description: description, VPC: vpc, Tags: Tags{}, Out: []SecurityRule{everything},
	}
	r.securityGroups.put(group.ID, group)
	return group, nil
}

// SecurityGroups lists the region's security groups.
func (r *Region) SecurityGroups() []*SecurityGroup {
	r.defaultSecurityGroup()
	return r.securityGroups.all()
}

// SecurityGroupName is the name of a security group; "" when there is none with that id.
func (r *Region) SecurityGroupName(id string) string {
	if group, ok := r.securityGroups.get(id); ok {
		return group.Name
	}
	return ""
}
