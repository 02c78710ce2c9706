package main

import (
	"context"
	"fmt"
	"io"
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

	// FromEvidence is one that Temporal has forgotten: its evidence tells it, and not when it started.
	FromEvidence bool `json:"from_evidence,omitempty"`
}

// listFilter chooses waves.
type listFilter struct {
	plan, state string
	waiting     bool   // on hold, paused or awaiting approval
	status      string // Temporal's own: Running, or anything else by a leading !
	most        int
}

func newWaveList() *cobra.Command {
	var filter listFilter
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List waves, the newest first",
		Example: `patchtide wave list --waiting
patchtide wave list --plan web --most 5`,
		Long: "List waves and roll backs, the newest first, as Temporal's search attributes tell them; after them " +
			"those that Temporal has forgotten, where the configuration names the evidence that knows them. Exit code 3 " +
			"with --waiting where one waits for a person.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if filter.most < 1 {
				return usage(cmd, fmt.Errorf("--most: %d is less than 1", filter.most))
			}
			if filter.state != "" && !slices.Contains(patch.WaveStates(), patch.WaveState(filter.state)) {
				return usage(
					cmd,
					fmt.Errorf(
						"--state: %q is no state; write one of %s", filter.state, strings.Trim(fmt.Sprint(patch.WaveStates()), "[]"),
					),
				)
			}
			return withTemporal(cmd, func(c client.Client) error {
				waves, err := listWaves(cmd.Context(), c, filter)
				if err != nil {
					return err
				}
				waves = listForgotten(cmd, waves, filter)
				err = show(cmd, waves, printWaves)
				if err == nil && filter.waiting && len(waves) > 0 {
					err = &exitError{code: exitOnHold}
				}
				return err
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&filter.plan, "plan", "", "only waves of this plan")
	flags.StringVar(&filter.state, "state", "", "only waves in this state, such as running or closed")
	flags.BoolVar(&filter.waiting, "waiting", false, "only waves that wait for a person")
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

// listWaves asks Temporal's visibility, which lists the newest first.
func listWaves(ctx context.Context, c lister, filter listFilter) ([]listed, error) {
	waves := []listed{}
	request := &workflowservice.ListWorkflowExecutionsRequest{
		Query: filter.query(), PageSize: int32(min(filter.most, 100)),
	}
	for {
		page, err := c.ListWorkflow(ctx, request)
		if err != nil {
			return nil, fmt.Errorf("list waves: %w; does the namespace have the search attributes that README names?", err)
		}
		for _, info := range page.GetExecutions() {
			waves = append(waves, listedOf(info))
			if len(waves) == filter.most {
				return waves, nil
			}
		}
		if request.NextPageToken = page.GetNextPageToken(); len(request.NextPageToken) == 0 {
			return waves, nil
		}
	}
}

// query is the filter in the language of Temporal's visibility.
func (f listFilter) query() string {
	terms := []string{fmt.Sprintf("WorkflowType IN (%s, %s)", quoted(names.PatchWave), quoted(names.RollBackWave))}
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
		terms = append(terms, fmt.Sprintf(
			"ExecutionStatus = 'Running' AND %s IN (%s, %s, %s, %s)",
			names.AttributeState,
			quoted(string(patch.StateOnHold)),
			quoted(string(patch.StatePaused)),
			quoted(string(patch.StateAwaitingApproval)),
			quoted(string(patch.StateParked)),
		))
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

func printWaves(out io.Writer, waves []listed) error {
	if len(waves) == 0 {
		line(out, "no waves")
		return nil
	}
	var rows [][]string
	for _, wave := range waves {
		state := wave.told()
		if wave.Outcome != "" {
			state += ": " + strings.ReplaceAll(wave.Outcome, "_", " ")
		} else if wave.Stage != "" {
			state += ": " + wave.Stage
		}
		rows = append(rows, []string{wave.WaveID, wave.Plan, state, wave.when()})
	}
	_, err := io.WriteString(out, console.PageOf(out).Table([]string{"Wave", "Plan", "State", "Started"}, rows)+"\n")
	return err
}

// when is when the wave started, as far as that is known.
func (w listed) when() string {
	if w.FromEvidence {
		return "ended " + console.Moment(*w.Closed) + ", by its evidence"
	}
	return console.Moment(w.Started)
}

// told is the wave's state; of one that ended without closing itself, Temporal's word for it.
func (w listed) told() string {
	if w.Closed != nil && w.State != string(patch.StateClosed) {
		return strings.ToLower(w.Temporal) + " while " + strings.ReplaceAll(w.State, "_", " ")
	}
	return strings.ReplaceAll(w.State, "_", " ")
}
