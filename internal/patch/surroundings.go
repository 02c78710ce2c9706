package patch

import "time"

// Interference are what others do, or are about to do, to a group and some of its instances, read at one moment, and
// whether those instances' root volumes can be made again.
type Interference struct {
	At    time.Time // AWS's clock
	Until time.Time // by AWS's clock: an instance that is begun now is likely to be done by then

	Calendars   []Calendar
	Stacks      []string // CloudFormation stacks under way: "web (UPDATE_IN_PROGRESS)"
	Deployments []Deployment
	Unasked     string // why nobody could be asked for them, and none are taken to be there; "": they were
	StopAlarms  []StopAlarm
	Patchers    []Patcher
	Unjudged    []string // what acts on the instances, and may install patches for all that anybody can tell
	LockedRoots []LockedRoot
	// UnprovenRoots are those whose key AWS lets nobody but itself try. They refuse nothing, and are told.
	UnprovenRoots []LockedRoot
	GateAlarms    []AlarmObservation // those that are to judge the stage
	Judges        *Judges            // which baseline judges them; nil: not asked
	Hooks         []string           // what the hooks of the instances need and cannot run, with why
	Blocks        *KnownBlocks       // of patches; nil: not asked, as where nothing is to be installed
	Image         *ImageLook         // that is to replace their root volumes; nil: none is
}

// Calendar is what a Change Calendar says.
type Calendar struct {
	Name    string
	Open    bool
	Changes time.Time // when it becomes the other; zero: not known
	Error   string    // why it gave no answer
}

// Deployment is one of CodeDeploy that is under way.
type Deployment struct {
	ID       string
	Instance string // one of ours that it is about; "": it has not begun, and nobody can tell yet
}

// StopAlarm is a CloudWatch alarm that stops, terminates, reboots or recovers an instance.
type StopAlarm struct {
	Name     string
	Action   string // stop, terminate, reboot, recover
	Instance string
}

// Patcher installs packages on an instance without us.
type Patcher struct {
	Name     string // for a person: maintenance window "monthly" (mw-...)
	Instance string
	Acts     time.Time // when it will next; zero: at any moment
}

// LockedRoot is a root volume whose encryption key cannot be used, or may be unusable; of those with one key, one.
type LockedRoot struct {
	Instance string
	Why      string
}

// Untried says what nobody could ask, or try before a restore needs it. It refuses nothing, and is told.
func (i Interference) Untried() []string {
	var told []string
	if i.Unasked != "" {
		told = append(told, i.Unasked)
	}
	told = append(told, i.Unjudged...)
	if i.Image != nil {
		told = append(told, i.Image.Untried...)
	}
	for _, root := range i.UnprovenRoots {
		told = append(told, root.Why)
	}
	return told
}

// place names an instance of a group; with "" the group.
func place(group Group, instance string) string {
	if instance == "" {
		return group.String()
	}
	return group.String() + "/" + instance
}
