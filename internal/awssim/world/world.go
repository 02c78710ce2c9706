// Package world is what stands behind the simulated AWS: accounts, regions, small machines, their volumes, the patch
// catalogue and the passing of time. It owns no timer, no goroutine and no lock: the server holds one lock, plays the
// world forward with [World.Advance] before each request, and then calls the world's methods.
//
// Every duration and every time in this package is AWS time. The server's clock may run faster than the wall's.
package world

import (
	"container/heap"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// World holds everything the simulated AWS knows. The same scenario, start time and order of calls give the same ids
// and the same order of events.
type World struct {
	Scenario *Scenario

	// ReadObject reads an object of the simulated S3 as a machine of that region does; nil when there is no S3.
	ReadObject func(r *Region, bucket, key string) ([]byte, error)

	// WriteObject writes an object into the simulated S3 as a machine of that region does; nil when there is no S3.
	WriteObject func(r *Region, bucket, key, text string)

	// Grants tell what the policies of resources say to a caller of their own account, whom IAM's need not allow then.
	Grants []func(Asker, Ask) Verdict

	// Call makes a call that AWS makes itself and returns its reply under the model's names; nil when there are no
	// services.
	Call func(InsideCall) (any, error)
	// Allow tells whether IAM lets its caller make a call; nil when there is no IAM.
	Allow func(InsideCall) error

	start, now time.Time
	queue      eventQueue
	scheduled  uint64 // how many events were ever scheduled: the order of those due at the same moment
	counters   map[string]uint64
	accounts   []*Account
	observers  []func(Change)
	faults     faultBook
	happenings []*happening
	ownedByAWS []ownedRunbook
}

// Change says that something in the world is different now. It is handed to observers after the fact; which fields
// changed is for the observer to read.
type Change struct {
	Time   time.Time
	Region *Region
	Kind   string // instance, volume, snapshot, root_replacement, command, automation, group, target, alarm
	ID     string
	What   string // one readable phrase: "running", "rebooting", "application unhealthy"
}

// New builds the scenario's accounts and fleet at start: its instances are running, their agents online and their
// applications up, as if they had been launched a day before.
func New(s *Scenario, start time.Time) (*World, error) {
	w := &World{Scenario: s, start: start, now: start, counters: map[string]uint64{}}
	w.faults = newFaultBook(s.Faults.World)
	w.ownedByAWS = readOwnedRunbooks()
	specs := append([]AccountSpec{{ID: s.Home.ID, Name: s.Home.Name}}, s.Accounts...)
	for _, spec := range specs {
		account := &Account{World: w, ID: spec.ID, Name: spec.Name, Spec: spec, regions: map[string]*Region{}}
		if err := account.buildPolicies(); err != nil {
			return nil, fmt.Errorf("account %s: %w", account.Name, err)
		}
		w.accounts = append(w.accounts, account)
	}
	for _, account := range w.accounts {
		for _, spec := range account.Spec.Regions {
			if err := account.Region(spec.Name).build(spec); err != nil {
				return nil, fmt.Errorf("account %s, region %s: %w", account.Name, spec.Name, err)
			}
		}
	}
	w.awaitHappenings()
	return w, nil
}

// Start is the moment the scenario began.
func (w *World) Start() time.Time { return w.start }

// Now is the world's present, in AWS time.
func (w *World) Now() time.Time { return w.now }

// Accounts lists all accounts, the home account first, then in the scenario's order.
func (w *World) Accounts() []*Account { return w.accounts }

// Account returns the account with that 12-digit id, or nil.
func (w *World) Account(id string) *Account {
	for _, account := range w.accounts {
		if account.ID == id {
			return account
		}
	}
	return nil
}

// OnChange registers an observer that hears of every change, in order, at its moment. Observers must not change the
// world.
func (w *World) OnChange(observe func(Change)) { w.observers = append(w.observers, observe) }

func (w *World) changed(r *Region, kind, id, what string) {
	change := Change{Time: w.now, Region: r, Kind: kind, ID: id, What: what}
	for _, observe := range w.observers {
		observe(change)
	}
}

// Event is something that will happen, unless it is stopped before.
type Event struct {
	at      time.Time
	seq     uint64
	do      func()
	stopped bool
}

// Stop keeps the event from happening; on a nil or past event it does nothing.
func (e *Event) Stop() {
	if e != nil {
		e.stopped = true
	}
}

// After schedules do for d from now. Events due at the same moment happen in the order they were scheduled.
func (w *World) After(d time.Duration, do func()) *Event {
	w.scheduled++
	event := &Event{at: w.now.Add(max(d, 0)), seq: w.scheduled, do: do}
	heap.Push(&w.queue, event)
	return event
}

// Advance plays every event that is due until to, each at its own moment, and then makes to the present. Time never
// goes back: an earlier to changes nothing.
func (w *World) Advance(to time.Time) {
	for len(w.queue) > 0 && !w.queue[0].at.After(to) {
		event := heap.Pop(&w.queue).(*Event)
		if event.stopped {
			continue
		}
		if event.at.After(w.now) {
			w.now = event.at
		}
		event.do()
	}
	if to.After(w.now) {
		w.now = to
	}
}

// Next is when the next event is due; ok is false when none is.
func (w *World) Next() (at time.Time, ok bool) {
	for len(w.queue) > 0 && w.queue[0].stopped {
		heap.Pop(&w.queue)
	}
	if len(w.queue) == 0 {
		return time.Time{}, false
	}
	return w.queue[0].at, true
}

type eventQueue []*Event

func (q eventQueue) Len() int { return len(q) }
func (q eventQueue) Less(i, j int) bool {
	if !q[i].at.Equal(q[j].at) {
		return q[i].at.Before(q[j].at)
	}
	return q[i].seq < q[j].seq
}
func (q eventQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *eventQueue) Push(x any)   { *q = append(*q, x.(*Event)) }
func (q *eventQueue) Pop() any {
	old := *q
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	return last
}

// digest derives stable bytes from the seed, a scope and how often that scope was asked, so that an id depends on what
// it names and not on unrelated calls that happened to come before.
func (w *World) digest(scope string) [32]byte {
	n := w.counters[scope]
	w.counters[scope] = n + 1
	buffer := binary.BigEndian.AppendUint64(nil, w.Scenario.Seed)
	buffer = binary.BigEndian.AppendUint64(buffer, n)
	return sha256.Sum256(append(buffer, scope...))
}

// Draw returns a number in [0, 1) from the seed, for the named purpose.
func (w *World) Draw(purpose string) float64 {
	sum := w.digest("draw/" + purpose)
	return float64(binary.BigEndian.Uint64(sum[:8])>>11) / (1 << 53)
}

// NewID makes an id as EC2 does: the prefix, a hyphen and 17 hexadecimal digits.
func (r *Region) NewID(prefix string) string {
	sum := r.World.digest(r.Account.ID + "/" + r.Name + "/" + prefix)
	return prefix + "-" + hex.EncodeToString(sum[:])[:17]
}

// NewUUID makes a UUID for the named kind of thing.
func (r *Region) NewUUID(kind string) string {
	sum := r.World.digest(r.Account.ID + "/" + r.Name + "/uuid/" + kind)
	id, err := uuid.FromBytes(sum[:16])
	if err != nil {
		panic(fmt.Sprintf("16 bytes are always a UUID: %v", err))
	}
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return id.String()
}
