package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	commonpb "go.temporal.io/api/common/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	shown "github.com/patchtide/patchtide/internal/plain"
)

// listed is a wave as Temporal's visibility knows it, without asking the wave itself: also one that no worker answers
// for.
type listed struct {
	WaveID   string     `json:"wave_id"`
	Workflow string     `json:"workflow"` // PatchWave or RollBackWave
	Plan     string     `json:"plan"`
	State    string     `json:"state"`
	Stage    string     `json:"stage,omitempty"`
	Outcome  string     `json:"outcome,omitempty"`
	Temporal string     `json:"temporal"` // Temporal's own status: Running, Completed, Failed, Canceled, Terminated
	Started  time.Time  `json:"started,omitzero"`
	Closed   *time.Time `json:"closed,omitempty"`

	// What keeps one that runs from going on beside its state, as far as its worker and the freezes tell.
	Paused bool `json:"paused,omitempty"`
	Frozen bool `json:"frozen,omitempty"`
	// Waits is one that waits for a person, or for somebody to lift a freeze.
	Waits bool `json:"waits,omitempty"`

	// FromEvidence is one that Temporal has forgotten: its evidence tells it, and not when it started.
	FromEvidence bool `json:"from_evidence,omitempty"`
}

// listFilter chooses waves.
type listFilter struct {
	plan, state string
	waiting     bool   // for a person, or frozen
	all         bool   // also previews, and starts that never became a wave
	status      string // Temporal's own: Running, or anything else by a leading !
	most        int
}

func newWaveList() *cobra.Command {
	var filter listFilter
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List waves: those that run, then those that have closed",
		Example: `patchtide wave list --waiting
patchtide wave list --plan web --most 5`,
		Long: "List waves and roll backs: those that run, the newest first, then those that have closed, the last to " +
			"close first. After them come those that Temporal has forgotten, where the configuration names the evidence " +
			"that knows them. Whether one is paused or frozen beside what its state says, a worker must answer. Exit " +
			"code 3 with --waiting where one waits, 1 where nobody can say.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if filter.most < 1 {
				return wrongUsage(cmd, fmt.Errorf("--most: %d is less than 1", filter.most))
			}
			if filter.state != "" && !slices.Contains(patch.WaveStates(), patch.WaveState(filter.state)) {
				return wrongUsage(
					cmd,
					fmt.Errorf(
						"--state: %q is no state; write one of %s", filter.state, strings.Trim(fmt.Sprint(patch.WaveStates()), "[]"),
					),
				)
			}
			return withTemporal(cmd, func(c client.Client) error { return showList(cmd, c, filter) })
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&filter.plan, "plan", "", "only waves of this plan")
	flags.StringVar(&filter.state, "state", "", "only waves in this state, such as running or closed")
	flags.BoolVar(&filter.waiting, "waiting", false, "only waves that wait for a person, or are paused or frozen")
	flags.BoolVar(&filter.all, "all", false, "also what `plan` previewed, and starts of a plan that there is not")
	flags.IntVar(&filter.most, "most", 20, "how many at the most")
	printsJSON(cmd)
	cmd.MarkFlagsMutuallyExclusive("state", "waiting")
	return cmd
}

// lister is what listing uses of Temporal's client.
type lister interface {
	ListWorkflow(ctx context.Context, request *workflowservice.ListWorkflowExecutionsRequest) (
		*workflowservice.ListWorkflowExecutionsResponse, error,
	)
}

// showList lists waves: those that Temporal has, and after them those that only the evidence has.
func showList(cmd *cobra.Command, c client.Client, filter listFilter) error {
	asked := filter
	if filter.waiting {
		asked.most = math.MaxInt // the waves themselves tell which do
	}
	waves, err := listWaves(cmd.Context(), c, asked)
	if err != nil {
		return err
	}
	unknown := tellHeldUp(cmd.Context(), c, waves)
	if filter.waiting {
		waves = slices.DeleteFunc(waves, func(wave listed) bool { return !wave.Waits })
		waves = waves[:min(len(waves), filter.most)]
	}
	waves = listForgotten(cmd, waves, filter)
	if filter.waiting && len(waves) == 0 && unknown != nil {
		return unknown
	}
	if unknown != nil {
		line(cmd.ErrOrStderr(), "%s", strings.ReplaceAll(unknown.Error(), "\n", "; "))
	}
	err = show(cmd, waves, filter.print)
	if err == nil && filter.waiting && len(waves) > 0 {
		err = &exitError{code: exitOnHold}
	}
	return err
}

// listWaves asks Temporal's visibility, which lists what runs first, the newest first, then what has closed, the last
// to close first.
func listWaves(ctx context.Context, c lister, filter listFilter) ([]listed, error) {
	waves := []listed{}
	request := &workflowservice.ListWorkflowExecutionsRequest{
		Query: filter.query(), PageSize: int32(min(filter.most, 100)),
	}
	for {
		page, err := c.ListWorkflow(ctx, request)
		if errors.Is(err, context.DeadlineExceeded) {
			return nil, fmt.Errorf("list waves: %s", whyAway(err))
		}
		if err != nil {
			return nil, fmt.Errorf("list waves: %w; does the namespace have the search attributes that docs/installing.md "+
				"names?", err)
		}
		for _, info := range page.GetExecutions() {
			if wave := listedOf(info); filter.all || !wave.neverBegan() {
				waves = append(waves, wave)
			}
			if len(waves) == filter.most {
				return latest(sorted(waves)), nil
			}
		}
		if request.NextPageToken = page.GetNextPageToken(); len(request.NextPageToken) == 0 {
			return latest(sorted(waves)), nil
		}
	}
}

// latest leaves of each id the run that all commands mean by it: a roll back that was asked for again has another.
func latest(waves []listed) []listed {
	seen := map[string]bool{}
	return slices.DeleteFunc(waves, func(wave listed) bool {
		again := seen[wave.WaveID]
		seen[wave.WaveID] = true
		return again
	})
}

// sorted puts waves in the order of the list, which not every store of Temporal's visibility keeps.
func sorted(waves []listed) []listed {
	slices.SortStableFunc(waves, func(a, b listed) int {
		switch {
		case a.Closed == nil && b.Closed == nil:
			return b.Started.Compare(a.Started)
		case a.Closed == nil:
			return -1
		case b.Closed == nil:
			return 1
		}
		return b.Closed.Compare(*a.Closed)
	})
	return waves
}

// unbegun reports a wave that runs as far as Temporal knows, and that no worker has touched: it has neither plan nor
// state yet.
func (w listed) unbegun() bool { return w.State == "" && w.Closed == nil }

// neverBegan reports a start that ended before there was a plan to carry out: of a misspelt one, or with a wrong input.
func (w listed) neverBegan() bool {
	return w.Closed != nil && patch.WaveState(w.State).NeverBegan()
}

// query is the filter in the language of Temporal's visibility.
func (f listFilter) query() string {
	types := []string{quoted(names.PatchWave), quoted(names.RollBackWave)}
	if f.all {
		types = append(types, quoted(names.PreviewWave))
	}
	terms := []string{"WorkflowType IN (" + strings.Join(types, ", ") + ")"}
	if f.plan != "" {
		terms = append(terms, names.AttributePlan+" = "+quoted(f.plan))
	}
	if f.state != "" {
		terms = append(terms, names.AttributeState+" = "+quoted(f.state))
	}
	if status, other := strings.CutPrefix(f.status, "!"); other {
		terms = append(terms, "ExecutionStatus != "+quoted(status))
	} else if f.status != "" {
		terms = append(terms, "ExecutionStatus = "+quoted(f.status))
	}
	if f.waiting {
		terms = append(terms, "ExecutionStatus = 'Running'")
	}
	return strings.Join(terms, " AND ")
}

// quoted makes a literal of text, whatever a person typed.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

func listedOf(info *workflowpb.WorkflowExecutionInfo) listed {
	attributes := info.GetSearchAttributes()
	wave := listed{
		WaveID: info.GetExecution().GetWorkflowId(), Workflow: info.GetType().GetName(), Temporal: info.GetStatus().String(),
		Plan: attribute(attributes, names.AttributePlan), State: attribute(attributes, names.AttributeState),
		Stage: attribute(attributes, names.AttributeStage), Outcome: attribute(attributes, names.AttributeOutcome),
		Started: info.GetStartTime().AsTime(),
	}
	if info.GetCloseTime() != nil {
		closed := info.GetCloseTime().AsTime()
		wave.Closed = &closed
	}
	return wave
}

// attribute is a search attribute's text; "" when the workflow has none.
func attribute(attributes *commonpb.SearchAttributes, name string) string {
	var text string
	if converter.GetDefaultDataConverter().FromPayload(attributes.GetIndexedFields()[name], &text) != nil {
		return ""
	}
	return shown.Line(text)
}

func (f listFilter) print(out io.Writer, waves []listed) error {
	switch {
	case len(waves) == 0 && f.waiting:
		line(out, "no wave waits for anybody")
		return nil
	case len(waves) == 0:
		line(out, "no waves")
		return nil
	}
	var rows [][]string
	for _, wave := range waves {
		rows = append(rows, []string{wave.WaveID, wave.Plan, wave.stands(), wave.when()})
	}
	_, err := io.WriteString(out, console.PageOf(out).Table([]string{"Wave", "Plan", "State", "When"}, rows)+"\n")
	return err
}

// stands is where the wave stands and what else keeps it from going on.
func (w listed) stands() string {
	state := w.told()
	if w.Outcome != "" {
		state += ": " + patch.Outcome(w.Outcome).Words()
	} else if w.Stage != "" {
		state += ": " + w.Stage
	}
	if w.Paused && w.State != string(patch.StatePaused) {
		state += ", paused"
	}
	if w.Frozen {
		state += ", frozen"
	}
	return state
}

// when is when the wave started or closed, as far as that is known.
func (w listed) when() string {
	switch {
	case w.FromEvidence:
		return "closed " + console.Minute(*w.Closed) + ", by its evidence"
	case w.Closed != nil:
		return "closed " + console.Minute(*w.Closed)
	}
	return "started " + console.Minute(w.Started)
}

// told is the wave's state; of one that ended without closing itself, Temporal's word for it.
func (w listed) told() string {
	if w.unbegun() {
		return "no worker has begun it"
	}
	if w.Closed != nil && w.State != string(patch.StateClosed) {
		if w.State == "" {
			return strings.ToLower(w.Temporal)
		}
		return strings.ToLower(w.Temporal) + " while " + patch.WaveState(w.State).Words()
	}
	return patch.WaveState(w.State).Words()
}
