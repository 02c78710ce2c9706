package baselinesync

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patchtide/patchtide/baselines"
	"github.com/patchtide/patchtide/internal/aws"
)

// budget bounds one place: a region that does not answer keeps nobody else waiting.
const budget = 2 * time.Minute

// Place is an account and region in which plans use a baseline.
type Place struct {
	Account  string
	Region   string
	Baseline baselines.Baseline
	Plans    []string
	// Connect gives the services there.
	Connect func(context.Context) (*aws.Services, error)
	Blocks  Blocks // nil: nothing is blocked
}

// String is account/region.
func (p Place) String() string { return p.Account + "/" + p.Region }

// Condition is how a baseline stands in a place.
type Condition string

// The conditions.
const (
	Equal     Condition = "equal"
	Different Condition = "different"
	Missing   Condition = "missing" // a wave, a scan or sync makes it
	Unread    Condition = "unread"  // nobody knows; Error has the reason
)

// What sync has done in a place.
const (
	Made      = "made"
	Changed   = "changed"
	Unchanged = "unchanged"
	Failed    = "failed" // Error has the reason
)

// State is how a baseline stands in a place, and what sync has done there.
type State struct {
	Baseline    string                 `json:"baseline"`
	Name        string                 `json:"ssm_name"`
	Account     string                 `json:"account"`
	Region      string                 `json:"region"`
	Plans       []string               `json:"plans"`
	ID          string                 `json:"baseline_id,omitempty"`
	Condition   Condition              `json:"condition"`
	Differences []baselines.Difference `json:"differences"`
	Modified    *time.Time             `json:"modified,omitempty"`
	By          string                 `json:"by,omitempty"`         // who changed it last, by CloudTrail: an ARN
	ByUnknown   string                 `json:"by_unknown,omitempty"` // why that is not told
	Origin      string                 `json:"origin,omitempty"`
	// TakenBy is another baseline that has the patch group, which only a person can take from it.
	TakenBy string `json:"patch_group_taken_by,omitempty"`
	Error   string `json:"error,omitempty"`
	Done    string `json:"done,omitempty"`

	found Found
	file  baselines.Baseline // that it is compared with
}

// Where is account/region.
func (s State) Where() string { return s.Account + "/" + s.Region }

// Since is Drift's.
func (s State) Since() string {
	return Drift{Modified: s.Modified, Origin: s.Origin, By: s.By, ByUnknown: s.ByUnknown}.Since()
}

// Compare asks every place. One that cannot be asked is Unread and keeps no other from it.
func Compare(ctx context.Context, places []Place) []State {
	return aws.EachPlace(ctx, len(places), budget, func(ctx context.Context, i int) State {
		return places[i].compare(ctx)
	})
}

// Sync makes every place's baseline equal to its file where Compare has found it otherwise: only what was shown is
// changed. Where it has changed meanwhile nothing is done.
func Sync(ctx context.Context, places []Place, shown []State) []State {
	return aws.EachPlace(ctx, len(places), budget, func(ctx context.Context, i int) State {
		return places[i].sync(ctx, shown[i])
	})
}

func (p Place) state() State {
	return State{
		Baseline: p.Baseline.Name, Name: p.Baseline.SSMName(), Account: p.Account, Region: p.Region, Plans: p.Plans,
		Differences: []baselines.Difference{},
	}
}

func (p Place) compare(ctx context.Context) State {
	state, services, err := p.look(ctx)
	switch {
	case err != nil:
		state.Condition, state.Error = Unread, err.Error()
	case state.Condition == Different:
		drift := ReadDrift(ctx, services, state.file, &state.found)
		state.Modified, state.Origin, state.By, state.ByUnknown = drift.Modified, drift.Origin, drift.By, drift.ByUnknown
	}
	return state
}

// look reads a place; with it come the services there.
func (p Place) look(ctx context.Context) (State, *aws.Services, error) {
	state := p.state()
	services, err := p.Connect(ctx)
	if err != nil {
		return state, nil, err
	}
	found, err := Read(ctx, services, p.String(), p.Baseline)
	if err != nil {
		return state, nil, err
	}
	// Read behind it: whoever has it reject something has read that as blocked before.
	if found, state.file, err = found.Forgiving(ctx, p.Baseline, p.Blocks); err != nil {
		return state, nil, fmt.Errorf("which patches are blocked is not known, and so not what it should reject: %w", err)
	}
	state.found = *found
	state.ID, state.Condition = found.ID, Different
	switch {
	case found.Missing():
		state.Condition = Missing
	case found.Equal():
		state.Condition = Equal
		return state, services, nil
	default:
		state.Differences = found.Differences
	}
	return p.holder(ctx, services, state)
}

// holder adds who has the patch group that is not ours.
func (p Place) holder(ctx context.Context, services *aws.Services, state State) (State, *aws.Services, error) {
	ours := func(d baselines.Difference) bool { return d.What == baselines.PatchGroup }
	if state.Condition == Different && !slices.ContainsFunc(state.Differences, ours) {
		return state, services, nil
	}
	other, err := aws.ReadHolder(ctx, services, p.String(), aws.WantedBaseline{
		Name: p.Baseline.SSMName(), PatchGroup: p.Baseline.PatchGroup, System: p.Baseline.OperatingSystem,
	}, state.ID)
	if err != nil || other == nil {
		return state, services, err
	}
	state.TakenBy = fmt.Sprintf("%s (%s)", aws.Deref(other.Name), aws.Deref(other.BaselineId))
	for i, one := range state.Differences {
		if ours(one) {
			state.Differences[i].Found = "registered with " + state.TakenBy
		}
	}
	return state, services, nil
}

func (p Place) sync(ctx context.Context, shown State) State {
	fail := func(state State, format string, args ...any) State {
		state.Done, state.Error = Failed, fmt.Sprintf(format, args...)
		return state
	}
	switch {
	case shown.Condition == Unread:
		return fail(shown, "%s", shown.Error)
	case shown.Condition == Equal:
		shown.Done = Unchanged
		return shown
	case shown.TakenBy != "":
		return fail(shown, "the patch group %s is registered with %s; take it from that one (aws ssm "+
			"deregister-patch-baseline-for-patch-group), or write another patch_group in the baseline's file",
			p.Baseline.PatchGroup, shown.TakenBy)
	}
	now, services, err := p.look(ctx)
	switch {
	case err != nil:
		return fail(shown, "%s", err)
	case now.Condition == Equal: // by somebody else, or an earlier try whose reply was lost
		now.Done = Unchanged
		return now
	case now.Condition != shown.Condition || now.ID != shown.ID || now.said() != shown.said():
		return fail(now, "somebody changed it since it was shown; nothing was done here: look again with `patchtide "+
			"baseline diff %s`", p.Baseline.Name)
	}
	failed := p.apply(ctx, services)
	after, _, err := p.look(ctx)
	switch {
	case err == nil && after.Condition == Equal:
		after.Done, after.Differences = Changed, shown.Differences
		if shown.Condition == Missing {
			after.Done = Made
		}
		return after
	case failed != nil:
		return fail(shown, "%s", failed)
	case err != nil:
		return fail(shown, "it was changed, and could not be read again: %s", err)
	}
	return fail(after, "Systems Manager took the change, and differs still: %s", after.said())
}

// replies is how many replies to changes may be lost: one to each of making, changing and registering.
const replies = 3

// apply makes it equal, and keeps what is blocked among what it rejects. After a change whose reply was lost it looks
// what there is, and goes on from there.
func (p Place) apply(ctx context.Context, services *aws.Services) (err error) {
	for range 1 + replies {
		var found *Found
		if found, err = Read(ctx, services, p.String(), p.Baseline); err != nil {
			return err
		}
		var wanted baselines.Baseline
		if found, wanted, err = found.Forgiving(ctx, p.Baseline, p.Blocks); err != nil {
			return err
		}
		if _, err = Apply(ctx, services, p.String(), wanted, found); err == nil || !aws.MayHaveActed(err) {
			return err
		}
	}
	return err
}

// said is all differences, to compare them.
func (s State) said() string {
	var all []string
	for _, one := range s.Differences {
		all = append(all, one.String())
	}
	return strings.Join(all, "; ")
}
