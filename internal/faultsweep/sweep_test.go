package faultsweep

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

const (
	slice      = 110 // cases with one call in trouble that go test runs; some bring a pair along
	shortSlice = 12  // under -short: the race detector makes a case ten times as slow, and looks for other things
	sweepers   = 2   // cases at a time: each has its own Temporal and its own AWS
	tellEvery  = 500
)

// TestFaultSweep reruns a wave once for each case. The whole takes long (`make sweep`, which sets PATCHTIDE_SWEEP=1/4 to 4/4);
// go test runs a fixed slice of it, and the cases kept. PATCHTIDE_SWEEP_TROUBLE names one kind of trouble and
// PATCHTIDE_SWEEP_FLEET one fleet; PATCHTIDE_SWEEP_CASE is one case, as a violation prints it.
func TestFaultSweep(t *testing.T) {
	// Much is made and little kept: a fifth of the time is spent otherwise on looking through it.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(memoryLimit))
	part, parts := partOf(t, os.Getenv("PATCHTIDE_SWEEP"))
	whole := parts > 0
	s := &sweep{undisturbed: map[string][]call{}, patched: map[string]map[string]string{}, began: time.Now(), tells: whole}
	var cases []sweepCase
	turns := map[string]int{}
	for _, fleet := range fleets {
		only := os.Getenv("PATCHTIDE_SWEEP_FLEET")
		if only != "" && fleet.name != only || fleet.whole && !whole {
			continue
		}
		calls, patched := recordCalls(t, fleet.name)
		again, _ := recordCalls(t, fleet.name)
		s.patched[fleet.name] = patched
		if fleet.several || fleet.image || fleet.copied { // two groups of one account are looked at at once there
			calls = slices.DeleteFunc(calls, func(one placedCall) bool { return !slices.Contains(again, one) })
			again = calls
		}
		require.Equal(t, calls, again, "waves must be deterministic, or a case would not be what it says")
		for _, c := range calls {
			s.undisturbed[fleet.name] = append(s.undisturbed[fleet.name], c.call)
		}
		tried, asks := regexp.MustCompile(fleet.tried), regexp.MustCompile(fleet.asks)
		calls = slices.DeleteFunc(calls, func(one placedCall) bool {
			return !tried.MatchString(one.activity) || !asks.MatchString(one.operation)
		})
		require.NotEmpty(t, calls, fleet.name)
		cases = append(cases, singles(fleet.name, calls, turns)...)
	}
	if !whole {
		cases = some(cases)
	}
	// Changes first: they can do most harm.
	slices.SortStableFunc(cases, func(a, b sweepCase) int { return rank(a) - rank(b) })
	if only := trouble(os.Getenv("PATCHTIDE_SWEEP_TROUBLE")); only != "" {
		cases = slices.DeleteFunc(cases, func(c sweepCase) bool { return c.trouble != only })
	}
	if only := os.Getenv("PATCHTIDE_SWEEP_CASE"); only != "" {
		c, err := parseCase(only)
		require.NoError(t, err)
		cases = []sweepCase{c}
	} else {
		cases = append(cases, slices.DeleteFunc(keptCases(t), func(c sweepCase) bool {
			return s.undisturbed[c.fleet] == nil
		})...)
	}
	if whole {
		for i := range cases {
			if i%parts == part-1 {
				cases[i/parts] = cases[i]
			}
		}
		cases = cases[:(len(cases)-part)/parts+1]
	}
	work := make(chan sweepCase)
	t.Run("cases", func(t *testing.T) {
		for n := range sweepers {
			t.Run(fmt.Sprint("sweeper-", n), func(t *testing.T) {
				t.Parallel()
				for c := range work {
					s.try(t, c)
				}
			})
		}
		go func() {
			defer close(work)
			for _, c := range cases {
				work <- c
			}
		}()
	})
	fmt.Printf("fault sweep: %d cases, %d violations\n", s.ran, s.violated)
	require.NotZero(t, s.ran)
}

// memoryLimit keeps a whole sweep within a machine's memory: each case leaves some of Temporal's test environment.
const memoryLimit = 6 << 30

// partOf reads which part of the whole sweep is wanted: "2/4", or "all" in one; none of it where nothing is. In one
// process the last of the cases are slow, for what is left of those before them fills the memory.
func partOf(t *testing.T, wanted string) (part, parts int) {
	t.Helper()
	if wanted == "" {
		return 0, 0
	}
	if wanted == "all" {
		return 1, 1
	}
	_, err := fmt.Sscanf(wanted, "%d/%d", &part, &parts)
	require.NoError(t, err, "PATCHTIDE_SWEEP is all, or a part of it as in 2/4")
	require.True(t, part >= 1 && part <= parts, "PATCHTIDE_SWEEP: there is no part %s", wanted)
	return part, parts
}

func rank(c sweepCase) int {
	if isRead(c.at.operation) {
		return 1
	}
	return 0
}

// some are every nth of the cases, n not a divisor of how the kinds of trouble follow each other.
func some(cases []sweepCase) []sweepCase {
	many := slice
	if testing.Short() {
		many = shortSlice
	}
	n := max(len(cases)/many, 1)
	for n%2 == 0 || n%3 == 0 || n%5 == 0 || n%7 == 0 {
		n--
	}
	var few []sweepCase
	for i := 0; i < len(cases); i += n {
		few = append(few, cases[i])
	}
	return few
}

// sweep counts what has been run.
type sweep struct {
	undisturbed map[string][]call            // by fleet
	patched     map[string]map[string]string // by fleet: each instance's packages
	began       time.Time
	tells       bool

	mu            sync.Mutex
	ran, violated int
}

// try runs a case, and the pairs that come of it.
func (s *sweep) try(t *testing.T, c sweepCase) {
	found, made := s.run(t, c)
	s.count(t, c, found)
	if len(found) > 0 || c.then != nil {
		return // a pair would only show the same with more
	}
	for _, pair := range pairs(c, s.undisturbed[c.fleet], made) {
		found, _ := s.run(t, pair)
		s.count(t, pair, found)
	}
}

// count tells a violation, with the shortest case that shows one.
func (s *sweep) count(t *testing.T, c sweepCase, found []string) {
	s.mu.Lock()
	s.ran++
	if len(found) > 0 {
		s.violated++
	}
	if s.tells && s.ran%tellEvery == 0 {
		fmt.Printf("... %d cases, %d violations, %s\n", s.ran, s.violated, time.Since(s.began).Round(time.Second))
	}
	s.mu.Unlock()
	if len(found) == 0 {
		return
	}
	shortest := c
	for _, less := range simpler(c) {
		// It must show something of the same: a shorter case may only have missed the call.
		if again, _ := s.run(t, less); slices.ContainsFunc(again, func(one string) bool {
			return slices.Contains(found, one)
		}) {
			shortest, found = less, again
			break
		}
	}
	t.Errorf("%s\n  %s\nreproduce: PATCHTIDE_SWEEP_CASE='%s' go test ./internal/faultsweep -run '^TestFaultSweep$' -v", c,
		strings.Join(found, "\n  "), shortest)
}

// recordCalls runs a wave without trouble, and lists its calls and the packages it leaves.
func recordCalls(t *testing.T, fleet string) ([]placedCall, map[string]string) {
	scene := sweepScene(t, fleet)
	var mu sync.Mutex
	var calls []placedCall
	activity := ""
	intercept(scene, func(info awssim.CallInfo) awssim.Fault {
		calls = append(calls, placedCall{callOf(info), activity})
		return awssim.Fault{}
	})
	scene.Wire.Through(func(request *http.Request, next http.RoundTripper) (*http.Response, error) {
		mu.Lock()
		defer mu.Unlock()
		if by, ok := request.Context().Value(attemptKey{}).(*attempt); ok {
			activity = by.activity
		}
		return next.RoundTrip(request)
	})
	before := fleetOf(scene, fleet)
	result, err := scene.Run(workflows.WaveRequest{Plan: "web"})
	require.NoError(t, err)
	if fleetNamed(fleet).dropped {
		require.Equal(t, patch.SucceededWithSkips, result.Outcome, result.Reason)
	} else {
		require.Equal(t, patch.Succeeded, result.Outcome, result.Reason)
	}
	scene.Sim.SetInterceptor(nil)
	before.served(scene)
	require.Empty(t, violations(scene, before, tellings{}))
	require.Empty(t, lies(scene, before, result))
	packages := packagesOf(scene)
	for id, held := range packages { // else every case would take the unproven for what a good wave leaves
		require.NotContains(t, held, unproven, id)
	}
	return inTurn(calls), packages
}

// inTurn orders calls by the account that they are about: groups are looked at all at once, and which account's comes
// first is chance.
func inTurn(calls []placedCall) []placedCall {
	about := func(c placedCall) string {
		if c.operation == "AssumeRole" {
			return c.account + c.resource
		}
		return c.account
	}
	slices.SortStableFunc(calls, func(a, b placedCall) int { return strings.Compare(about(a), about(b)) })
	return calls
}

// run runs one case and returns what is wrong afterwards, and the calls that were made.
func (s *sweep) run(t *testing.T, c sweepCase) ([]string, []call) {
	scene := sweepScene(t, c.fleet)
	before := fleetOf(scene, c.fleet)
	before.patched = s.patched[c.fleet]
	held := scene.Packages()
	scene.Decide = slices.Clone(c.decide)
	inject := &injector{scene: scene, c: c}
	scene.Sim.Inspect(func(w *world.World) { inject.world = w })
	intercept(scene, inject.decide)
	scene.Wire.Through(inject.roundTrip)
	scene.Impatient = true
	scene.GivesUp = inject.givesUp
	ear, progress := scene.Overhear(), scene.Watch()
	scene.OnLook = func(status patch.WaveStatus) {
		ear.Looked(status)
		progress.Looked(status, func() int { return len(scene.Mutations(wavetest.Production)) })
	}
	scene.OnDecision = progress.Decided
	var found []string
	scene.OnHold = func(status patch.WaveStatus) {
		found = append(found, leftAtHold(scene, before, tellingsAt(status))...)
		of := fleetNamed(c.fleet)
		if (of.image || of.copied) && len(scene.Decide) > 0 && !slices.Contains(status.Verbs, scene.Decide[0]) {
			// No image can be had, and nothing is there to be skipped or put back.
			scene.Decide[0] = patch.Abort
		}
	}
	result, err := scene.Run(workflows.WaveRequest{Plan: "web"})
	scene.Sim.SetInterceptor(nil)
	scene.Wire.Through(nil)
	before.served(scene)
	told := tellingsOf(scene, result, err)
	found = append(found, scene.Untrue(result)...)
	found = append(found, scene.ImageOpen(result)...)
	found = append(found, ear.Untold(result)...)
	found = append(found, progress.Missed(result, scene.GaveUp || errors.As(err, new(*temporal.CanceledError)))...)
	if scene.GaveUp && !inject.denied.IsZero() && !ear.ToldWithin(inject.denied, patience) {
		found = append(found, fmt.Sprintf("nobody was told of undos that are denied since %s", inject.denied))
	}
	found = append(found, violations(scene, before, told)...)
	found = append(found, lies(scene, before, result)...)
	if of := fleetNamed(c.fleet); (of.image || of.copied) && result != nil {
		found = append(found, scene.NeitherRoot(result, held)...)
	}
	for _, shared := range scene.StillShared() {
		if c.forGood && strings.Contains(shared, "is shared with [], ") {
			continue // a mark that could not be taken off: Reconcile finds nothing to be taken back, and takes it off
		}
		if !slices.ContainsFunc(told.stranded, func(s patch.Stranded) bool {
			return strings.Contains(s.State, "may still be shared")
		}) {
			found = append(found, shared)
		}
	}
	if service := webhooksOf(scene); service != nil {
		found = append(found, service.wrong(result, c.decide)...)
	}
	if !c.forGood {
		if left := told.mendable(scene, c); len(left.stranded)+len(left.quarantined) > 0 {
			found = append(found,
				fmt.Sprintf(
					"trouble that passes left things behind: stranded %+v, quarantined %v", left.stranded, left.quarantined,
				))
		}
		if scene.GaveUp {
			found = append(found, "trouble that passes kept the wave until a person gave it up")
		}
	}
	if !inject.fired && !fleetNamed(c.fleet).several {
		found = append(found, "the call was never made: waves are not deterministic")
	}
	if of := fleetNamed(c.fleet); c.then != nil && inject.thens == 0 && !of.several && !of.image &&
		!of.copied {
		found = append(found, "the compensation's call was never made: waves are not deterministic")
	}
	scene.Close()
	return found, inject.calls
}

// tellings are what a wave reports by name: told, it is no violation.
type tellings struct {
	stranded    []patch.Stranded
	quarantined []string
	left        map[string][]patch.Stranded // what each instance's way left: it stands in that instance's record
	unknown     bool                        // the wave ended without its result: which instance left what is not told
}

// of reports whether a resource is told as stranded, by more than its mark, or as quarantined.
func (t tellings) of(resource string) bool {
	return slices.ContainsFunc(t.stranded, func(s patch.Stranded) bool {
		return strings.Contains(s.Resource, resource) && beyondMark(s)
	}) ||
		slices.Contains(t.quarantined, resource)
}

// keeps reports whether an instance may keep its mark.
func (t tellings) keeps(instance string) bool {
	return len(t.left[instance]) > 0 || slices.Contains(t.quarantined, instance) || t.unknown && len(t.stranded) > 0
}

// tellingsOf gathers what a wave told, however it ended.
func tellingsOf(scene *wavetest.Scene, result *patch.WaveResult, err error) tellings {
	told := tellings{left: map[string][]patch.Stranded{}}
	if result == nil {
		if status, ok := scene.Status(); ok {
			told.stranded = status.Stranded
		}
		var canceled *temporal.CanceledError
		if !errors.As(err, &canceled) || !canceled.HasDetails() || canceled.Details(&result) != nil {
			told.unknown = true
			return told
		}
	}
	told.stranded = append(told.stranded, result.Stranded...)
	for _, stage := range result.Stages {
		for _, group := range stage.Groups {
			told.stranded = append(told.stranded, group.Stranded...)
			for _, instance := range group.Instances {
				told.stranded = append(told.stranded, instance.Stranded...)
				told.left[instance.ID] = append(told.left[instance.ID], instance.Stranded...)
				if instance.Outcome == patch.Quarantined {
					told.quarantined = append(told.quarantined, instance.ID)
				}
			}
		}
	}
	return told
}
