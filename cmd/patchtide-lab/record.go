package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/console"
)

// newRecord makes the fixtures of the replay test: what this code's waves leave in a real server's history. Code that comes
// later must replay them, or waves under way would break when it is deployed.
func newRecord(start workerStarter) *cobra.Command {
	var options laboratoryOptions
	dir := ""
	cmd := &cobra.Command{
		Use:   "record",
		Short: "Run every scenario and save the workflows' histories, for the replay test",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dir == "" {
				return &usageError{command: cmd.CommandPath(), cause: errors.New("--dir: is missing; name the folder for the histories")}
			}
			if err := options.check(cmd); err != nil {
				return err
			}
			seen := map[string]bool{}
			for _, scenario := range world.ScenarioNames() {
				options.aws.scenario = scenario
				if err := record(cmd.Context(), options, start, dir, seen, cmd.ErrOrStderr()); err != nil {
					return fmt.Errorf("scenario %s: %w", scenario, err)
				}
			}
			return nil
		},
	}
	options.addFlags(cmd)
	cmd.Flags().StringVar(&dir, "dir", "", "the folder for the histories; those of the same names are overwritten")
	return cmd
}

func record(ctx context.Context, options laboratoryOptions, start workerStarter, dir string, seen map[string]bool, stderr io.Writer) (err error) {
	show := console.New(stderr, os.Environ(), time.Now)
	l, err := open(ctx, options, start, show.Log(stderr))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	report, _, err := l.runWave(ctx, show)
	show.Done()
	if err != nil {
		return err
	}
	if err := asExpected(l.aws.scenario.Expect.Outcome, report); err != nil {
		return err
	}
	recorder := &recorder{client: l.client, dir: dir, prefix: l.aws.scenario.Name, count: map[string]int{}, seen: seen}
	return recorder.save(ctx, report.WaveID, "")
}

// recorder saves a workflow's history and those of its children, their children's and so on.
type recorder struct {
	client client.Client
	dir    string
	prefix string
	count  map[string]int  // of each workflow type so far
	seen   map[string]bool // ways that are saved already: six instances that went the same way prove no more than one
}

// wayOf is the order in which a workflow did things.
func wayOf(whole *history.History) string {
	var way strings.Builder
	for _, event := range whole.Events {
		switch {
		case event.GetActivityTaskScheduledEventAttributes() != nil:
			way.WriteString(" " + event.GetActivityTaskScheduledEventAttributes().GetActivityType().GetName())
		case event.GetWorkflowTaskScheduledEventAttributes() == nil && event.GetWorkflowTaskStartedEventAttributes() == nil &&
			event.GetWorkflowTaskCompletedEventAttributes() == nil && event.GetActivityTaskStartedEventAttributes() == nil:
			way.WriteString(" " + event.GetEventType().String())
		}
	}
	return way.String()
}

func (r *recorder) save(ctx context.Context, id, run string) error {
	whole := &history.History{}
	events := r.client.GetWorkflowHistory(ctx, id, run, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			return fmt.Errorf("read the history of %s: %w", id, err)
		}
		whole.Events = append(whole.Events, event)
	}
	if len(whole.Events) == 0 {
		return fmt.Errorf("the history of %s is empty", id)
	}
	kind := whole.Events[0].GetWorkflowExecutionStartedEventAttributes().GetWorkflowType().GetName()
	if way := kind + wayOf(whole); !r.seen[way] {
		r.seen[way] = true
		r.count[kind]++
		document, err := protojson.Marshal(whole)
		if err != nil {
			return fmt.Errorf("write the history of %s as JSON: %w", id, err)
		}
		name := filepath.Join(r.dir, fmt.Sprintf("%s-%s-%d.json", r.prefix, kind, r.count[kind]))
		if err := os.WriteFile(name, document, 0o644); err != nil { //nolint:gosec // a fixture for everybody to read
			return err
		}
	}
	for _, event := range whole.Events {
		if child := event.GetChildWorkflowExecutionStartedEventAttributes(); child != nil {
			if err := r.save(ctx, child.GetWorkflowExecution().GetWorkflowId(), child.GetWorkflowExecution().GetRunId()); err != nil {
				return err
			}
		}
	}
	return nil
}
