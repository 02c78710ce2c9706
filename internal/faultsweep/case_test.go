package faultsweep

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/patch"
)

// call names one AWS call of a wave: the same in every run, since waves in simulated time are deterministic.
type call struct {
	account, operation, resource string
	ordinal                      int
}

func (c call) String() string {
	return fmt.Sprintf("%s %s(%s)#%d", c.account, c.operation, c.resource, c.ordinal)
}

func callOf(info awssim.CallInfo) call {
	return call{info.Account, info.Operation, info.Resource, info.Ordinal}
}

// again reports whether a call is a later one of the same operation on the same resource, or the call itself.
func (c call) again(at call) bool {
	return at.account == c.account && at.operation == c.operation && at.resource == c.resource && at.ordinal >= c.ordinal
}

// isRead reports whether a call changes nothing in AWS.
func isRead(operation string) bool {
	return slices.ContainsFunc([]string{"Describe", "Get", "List", "AssumeRole"}, func(prefix string) bool {
		return strings.HasPrefix(operation, prefix)
	})
}

// trouble is what happens at a call.
type trouble string

const (
	errorBefore    trouble = "error before effect"
	lostReply      trouble = "lost reply" // it took effect
	throttledFive  trouble = "throttled five times"
	timeoutBefore  trouble = "time-out without effect"
	timeoutAfter   trouble = "time-out after effect"
	accessDenied   trouble = "access denied"
	cancelled      trouble = "wave cancelled"
	workerStopped  trouble = "worker stopped before the effect"
	workerStopped2 trouble = "worker stopped after the effect"
	emptyAnswer    trouble = "empty answer"
	notListed      trouble = "not listed once" // the last of what a list should show

	queuedForHours trouble = "Automation that queues for hours" // the account's other executions are in the way
	undoDenied     trouble = "denied for good at every undo"    // and so is the call itself
)

var troubles = []trouble{
	errorBefore, lostReply, throttledFive, timeoutBefore, timeoutAfter, accessDenied, cancelled, workerStopped,
	workerStopped2, emptyAnswer, notListed, queuedForHours, undoDenied,
}

// undoes are the operations by which changes are taken back; some of them also bring an instance back patched.
var undoes = []string{
	"ExitStandby", "RegisterTargets", "ResumeProcesses", "DeleteTags", "UpdateAutoScalingGroup", "SetDesiredCapacity",
	"RemoveTagsFromResource", "UndoWebhook", "CreateReplaceRootVolumeTask", "StopAutomationExecution", "CancelCommand", "TerminateInstanceInAutoScalingGroup",
	"DetachInstances", "TerminateInstances",
}

// readTroubles are those that differ for a call without an effect.
var readTroubles = []trouble{
	cancelled, emptyAnswer, errorBefore, workerStopped, notListed, throttledFive, accessDenied, lostReply, timeoutBefore,
}

// readShare is how many of readTroubles each read gets, in turn: the kinds of one read follow those of the read before
// it in the same place, an operation of an activity. A wave reads in the same place for each instance and the two
// fleets read it again: one read nine times sees all kinds. All kinds for all reads would be far more than 20 minutes
// hold.
const readShare = 1

// sweepCase is one rerun of a wave with one call in trouble, and optionally the first call of what it sets off as well.
type sweepCase struct {
	fleet   string // one of fleets, by its name
	trouble trouble
	at      call
	then    *call // the first change of the compensation, which fails too
	forGood bool  // ... until a person gives up; else five times
	decide  []patch.Verb
}

func (c sweepCase) String() string {
	text := fmt.Sprintf("%s: %s at %s", c.fleet, c.trouble, c.at)
	if c.then != nil {
		text += fmt.Sprintf(", then %s fails %s", c.then, map[bool]string{false: "five times", true: "for good"}[c.forGood])
	}
	verbs := make([]string, len(c.decide))
	for i, verb := range c.decide {
		verbs[i] = string(verb)
	}
	return text + "; at holds " + strings.Join(verbs, " ")
}

var (
	caseText = regexp.MustCompile(
		`^([a-z ]+): (.+?) at (\d+ \w+\([^)]*\)#\d+)` +
			`(?:, then (\d+ \w+\([^)]*\)#\d+) fails (five times|for good))?; at holds (.*)$`,
	)
	callText = regexp.MustCompile(`^(\d+) (\w+)\(([^)]*)\)#(\d+)$`)
)

// parseCase reads what String writes.
func parseCase(text string) (sweepCase, error) {
	parts := caseText.FindStringSubmatch(text)
	if parts == nil {
		return sweepCase{}, fmt.Errorf("%q is no case of the sweep", text)
	}
	c := sweepCase{fleet: parts[1], trouble: trouble(parts[2]), at: parseCall(parts[3])}
	if !slices.ContainsFunc(fleets, func(fleet fleet) bool { return fleet.name == c.fleet }) {
		return sweepCase{}, fmt.Errorf("%q is no fleet of the sweep", c.fleet)
	}
	c.forGood = parts[5] == "for good" || c.trouble == undoDenied
	if !slices.Contains(troubles, c.trouble) {
		return sweepCase{}, fmt.Errorf("%q is no trouble; these are: %v", c.trouble, troubles)
	}
	if parts[4] != "" {
		then := parseCall(parts[4])
		c.then = &then
	}
	for verb := range strings.FieldsSeq(parts[6]) {
		c.decide = append(c.decide, patch.Verb(verb))
	}
	return c, nil
}

func parseCall(text string) call {
	parts := callText.FindStringSubmatch(text)
	ordinal, _ := strconv.Atoi(parts[4])
	return call{parts[1], parts[2], parts[3], ordinal}
}

// placedCall is a call and the activity that made it.
type placedCall struct {
	call
	activity string
}

// singles lists every case of a fleet with one call in trouble. turns counts the reads of each place, over all fleets.
func singles(fleet string, calls []placedCall, turns map[string]int) []sweepCase {
	var cases []sweepCase
	decisions := [][]patch.Verb{{patch.Skip}, {patch.RollBack}, {patch.Retry, patch.Skip}, {patch.Abort}}
	add := func(at call, trouble trouble) {
		decide := append(slices.Clone(decisions[len(cases)%len(decisions)]), patch.Abort)
		cases = append(cases, sweepCase{
			fleet: fleet, at: at, trouble: trouble, decide: decide, forGood: trouble == undoDenied,
		})
	}
	for _, at := range calls {
		if !isRead(at.operation) {
			for _, trouble := range troubles {
				if trouble.of(at.operation) {
					add(at.call, trouble)
				}
			}
			continue
		}
		place := at.activity + " " + at.account + " " + at.operation
		for range readShare {
			for !readTroubles[turns[place]%len(readTroubles)].of(at.operation) {
				turns[place]++
			}
			add(at.call, readTroubles[turns[place]%len(readTroubles)])
			turns[place]++
		}
	}
	return cases
}

// of reports whether the trouble can befall an operation: only lists can lack something, and only executions queue.
func (t trouble) of(operation string) bool {
	if t == queuedForHours {
		return operation == "StartAutomationExecution"
	}
	lists := strings.HasPrefix(operation, "Describe") || strings.HasPrefix(operation, "List")
	return lists && operation != "DescribeDocument" || t != emptyAnswer && t != notListed
}

// pairs are the cases in which the first change of what a single one set off fails as well.
func pairs(c sweepCase, undisturbed, made []call) []sweepCase {
	first := compensation(undisturbed, made)
	if first == nil || c.trouble == undoDenied {
		return nil
	}
	five, forGood := c, c
	five.then, forGood.then, forGood.forGood = first, first, true
	return []sweepCase{five, forGood}
}

// compensation finds the first change that the undisturbed wave does not make there: what trouble has set off. nil when
// it set off nothing. How often a wait probes an instance depends on the time lost, so that probes are left aside; and
// which account's changes come first is chance.
func compensation(undisturbed, made []call) *call {
	expected, at := map[string][]call{}, map[string]int{}
	for _, change := range changes(undisturbed) {
		expected[change.account] = append(expected[change.account], change)
	}
	for _, now := range changes(made) {
		there, i := expected[now.account], at[now.account]
		if i >= len(there) || there[i].operation != now.operation || there[i].resource != now.resource {
			return &now
		}
		at[now.account]++
	}
	return nil
}

// changes are the changing calls, one repeated at once in its account told once.
func changes(calls []call) []call {
	var changing []call
	last := map[string]call{}
	for _, c := range calls {
		before := last[c.account]
		if isRead(c.operation) || c.operation == "SendCommand" ||
			before.operation == c.operation && before.resource == c.resource {
			continue
		}
		changing, last[c.account] = append(changing, c), c
	}
	return changing
}

// simpler are the cases that may show the same with less, the simplest first.
func simpler(c sweepCase) []sweepCase {
	var cases []sweepCase
	add := func(then *call, forGood bool, decide ...patch.Verb) {
		less := sweepCase{fleet: c.fleet, trouble: c.trouble, at: c.at, then: then, forGood: forGood, decide: decide}
		if less.String() != c.String() {
			cases = append(cases, less)
		}
	}
	add(nil, c.trouble == undoDenied, patch.Abort)
	add(nil, c.trouble == undoDenied, c.decide...)
	if c.then != nil {
		add(c.then, c.forGood, patch.Abort)
	}
	return cases
}
