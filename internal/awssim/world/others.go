package world

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Others is what other people and services do in a region: what a careful client looks at before it changes anything.
// It is there to be found; nothing of it acts on the machines.
type Others struct {
	calendars    shelf[*Calendar]
	windows      shelf[*MaintenanceWindow]
	associations shelf[*Association]
	stacks       shelf[*Stack]
	deployments  shelf[*Deployment]
	keys         shelf[*Key]
	functions    shelf[*Function]
}

// Calendar is a Change Calendar.
type Calendar struct {
	Name    string
	State   string    // OPEN or CLOSED, until Changes
	Changes time.Time // when it becomes the other; zero: it does not
}

// MaintenanceWindow is one of Systems Manager, with one task on the instances that carry the tags.
type MaintenanceWindow struct {
	ID string
	MaintenanceSpec
	Next time.Time // its next execution; it runs for its whole duration. Zero: it has none
}

// Association is one of State Manager, on the instances that carry the tags.
type Association struct {
	ID string
	AssociationsSpec
}

// Stack is a CloudFormation stack.
type Stack struct {
	Name   string
	ID     string // ARN; PutStack gives one
	Status string // UPDATE_COMPLETE, UPDATE_IN_PROGRESS, ...
	Root   string // ARN of the outermost stack of a nested one

	Outputs   map[string]string
	Resources []StackResource
}

// StackResource is a resource that a stack made.
type StackResource struct {
	Logical, Physical string // its name in the template, and its id
	Type              string // AWS::AutoScaling::AutoScalingGroup, ...
}

// Deployment is one of CodeDeploy.
type Deployment struct {
	ID      string   // d-...
	Status  string   // Created, Queued, InProgress, Baking, Ready, Succeeded, Failed or Stopped
	Targets []string // instance ids
	Began   time.Time
}

// Key is a KMS key.
type Key struct {
	ARN     string
	State   string // Enabled, Disabled, PendingDeletion, ...
	Manager string // CUSTOMER or AWS
	Denied  bool   // its policy does not let callers use it, though they may describe it
	Via     string // its policy lets callers use it by this service only, "ec2" say (kms:ViaService); "": also directly
	Hidden  bool   // its policy lets nobody describe it directly either
	MAC     bool   // it makes and verifies authentication codes (HMAC_256); else it encrypts
	Alias   string // "alias/..." or ""

	Accounts []string // ids of other accounts that its policy lets use it
}

func (r *Region) buildOthers(spec RegionSpec) {
	for _, calendar := range spec.Calendars {
		made := &Calendar{Name: calendar.Name, State: calendar.State}
		if calendar.Changes > 0 {
			made.Changes = r.World.start.Add(calendar.Changes.D())
		}
		r.PutCalendar(made)
	}
	for _, window := range spec.Windows {
		r.AddMaintenanceWindow(window)
	}
	for _, association := range spec.Associations {
		r.AddAssociation(association)
	}
	for _, function := range spec.Functions {
		r.PutFunction(function)
	}
	for _, image := range r.World.Scenario.Images {
		if image.KMSKey != "" {
			r.PutKey(&Key{ARN: image.KMSKey, State: "Enabled", Manager: "CUSTOMER"})
		}
	}
}

// PutCalendar makes a calendar, or replaces the one of that name.
func (r *Region) PutCalendar(calendar *Calendar) { r.Others.calendars.put(calendar.Name, calendar) }

// Calendar finds a calendar by name or ARN, or nil.
func (r *Region) Calendar(nameOrARN string) *Calendar {
	calendar, _ := r.Others.calendars.get(strings.TrimPrefix(nameOrARN, r.ARN("ssm", "document/")))
	return calendar
}

// Open tells what the calendar says at a moment.
func (c *Calendar) Open(at time.Time) bool {
	return (c.State == "OPEN") != (!c.Changes.IsZero() && !at.Before(c.Changes))
}

// AddMaintenanceWindow makes a maintenance window.
func (r *Region) AddMaintenanceWindow(spec MaintenanceSpec) *MaintenanceWindow {
	window := &MaintenanceWindow{ID: fmt.Sprintf("mw-0%016x", len(r.Others.windows.ids)+1), MaintenanceSpec: spec}
	if spec.Opens > 0 {
		window.Next = r.World.start.Add(spec.Opens.D())
	}
	r.Others.windows.put(window.ID, window)
	return window
}

// MaintenanceWindows lists the maintenance windows in the order they were made.
func (r *Region) MaintenanceWindows() []*MaintenanceWindow { return r.Others.windows.all() }

// MaintenanceWindow finds one by id, or nil.
func (r *Region) MaintenanceWindow(id string) *MaintenanceWindow {
	window, _ := r.Others.windows.get(id)
	return window
}

// Running reports whether the window is executing at a moment.
func (m *MaintenanceWindow) Running(at time.Time) bool {
	return m.Enabled && !m.Next.IsZero() && !at.Before(m.Next) && at.Before(
		m.Next.Add(time.Duration(m.Duration)*time.Hour),
	)
}

// AddAssociation makes an association.
func (r *Region) AddAssociation(spec AssociationsSpec) *Association {
	association := &Association{
		ID: fmt.Sprintf("00000000-0000-4000-8000-%012x", len(r.Others.associations.ids)+1), AssociationsSpec: spec,
	}
	r.Others.associations.put(association.ID, association)
	return association
}

// Associations lists the associations in the order they were made.
func (r *Region) Associations() []*Association { return r.Others.associations.all() }

// Association finds one by id, or nil.
func (r *Region) Association(id string) *Association {
	association, _ := r.Others.associations.get(id)
	return association
}

// PutStack makes a stack, or replaces the one of that name; it returns its ARN.
func (r *Region) PutStack(stack Stack) string {
	stack.ID = r.ARN("cloudformation", "stack/"+stack.Name+"/00000000-0000-4000-8000-000000000000")
	r.Others.stacks.put(stack.Name, &stack)
	return stack.ID
}

// Stacks lists the stacks in the order they were made.
func (r *Region) Stacks() []*Stack { return r.Others.stacks.all() }

// PutDeployment makes a deployment, or replaces the one of that id.
func (r *Region) PutDeployment(deployment Deployment) {
	if deployment.Began.IsZero() {
		deployment.Began = r.World.now
	}
	r.Others.deployments.put(deployment.ID, &deployment)
}

// Deployments lists the deployments, the newest first.
func (r *Region) Deployments() []*Deployment {
	all := r.Others.deployments.all()
	slices.Reverse(all)
	return all
}

// Deployment finds one by id, or nil.
func (r *Region) Deployment(id string) *Deployment {
	deployment, _ := r.Others.deployments.get(id)
	return deployment
}

// PutKey makes a key, or replaces the one of that ARN.
func (r *Region) PutKey(key *Key) { r.Others.keys.put(key.ARN, key) }

// Key finds a key by ARN, id or alias, or nil.
func (r *Region) Key(idOrARN string) *Key {
	for _, key := range r.Others.keys.all() {
		alias := key.Alias != "" && (idOrARN == key.Alias || idOrARN == r.ARN("kms", key.Alias))
		if alias || key.ARN == idOrARN || strings.HasSuffix(key.ARN, ":key/"+idOrARN) {
			return key
		}
	}
	return nil
}

// Serves reports whether the key's policy lets a caller use it by a service, or directly by "".
func (k *Key) Serves(service string) bool { return !k.Denied && (k.Via == "" || k.Via == service) }

// keyOff reports whether a key is known and is not enabled.
func (r *Region) keyOff(arn string) bool {
	key := r.Key(arn)
	return key != nil && key.State != "Enabled"
}
