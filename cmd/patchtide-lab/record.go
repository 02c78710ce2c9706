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

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/spf13/cobra"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/lab/drive"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/workflows"
)

// newRecord makes the fixtures of the replay test: what this code's waves leave in a real server's history. Code that
// comes later must replay them, or waves under way would break when it is deployed.
func newRecord() *cobra.Command {
	var options laboratoryOptions
	dir := ""
	cmd := &cobra.Command{
		Use:   "record",
		Short: "Run every scenario and save the workflows' histories, for the replay test",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dir == "" {
				return &usageError{
					command: cmd.CommandPath(), cause: errors.New("--dir: is missing; name the folder for the histories"),
				}
			}
			if err := options.check(cmd); err != nil {
				return err
			}
			seen := map[string]bool{}
			for _, scenario := range world.ScenarioNames() {
				options.aws.scenario = scenario
				if err := record(cmd.Context(), options, dir, seen, cmd.ErrOrStderr()); err != nil {
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

func record(
	ctx context.Context, options laboratoryOptions, dir string, seen map[string]bool, stderr io.Writer,
) (err error) {
	show := console.New(stderr, os.Environ(), time.Now)
	l, err := open(ctx, options, startWorkerThatTells, show.Log(stderr))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	report, err := l.runWave(ctx, show)
	show.Done()
	if err != nil {
		return err
	}
	if err := asExpected(l.aws.scenario.Expect.Outcome, report); err != nil {
		return err
	}
	recorder := &recorder{client: l.client, dir: dir, prefix: l.aws.scenario.Name, count: map[string]int{}, seen: seen}
	if err := recorder.save(ctx, report.WaveID, ""); err != nil {
		return err
	}
	if l.aws.scenario.Name != putBackAfter {
		return nil
	}
	return recorder.after(ctx, report.WaveID)
}

// putBackAfter is the scenario whose wave is put back once it has closed: it ends well, and so quickly.
const putBackAfter = "healthy"

// after saves what people and schedules start beside a wave.
func (r *recorder) after(ctx context.Context, waveID string) error {
	for _, one := range []struct {
		kind, id string
		input    any
	}{
		{names.ScanFleet, "scan-" + demoPlan, workflows.ScanRequest{Plan: demoPlan}},
		{
			names.RollBackWave, names.RollBack(waveID),
			workflows.RollBackRequest{WaveID: waveID, Actor: drive.Actor, Reason: "a record of it"},
		},
		{names.Reconcile, names.ReconcileID, workflows.ReconcileRequest{Actor: drive.Actor, Reason: "a record of it"}},
	} {
		run, err := r.client.ExecuteWorkflow(
			ctx, client.StartWorkflowOptions{ID: one.id, TaskQueue: names.TaskQueue}, one.kind, one.input,
		)
		if err != nil {
			return fmt.Errorf("start %s: %w", one.id, err)
		}
		if err := run.Get(ctx, nil); err != nil {
			return fmt.Errorf("%s: %w", one.id, err)
		}
		if err := r.save(ctx, one.id, ""); err != nil {
			return err
		}
	}
	return nil
}

// startWorkerThatTells is startWorker with somebody to tell: a topic of the simulated AWS.
func startWorkerThatTells(ctx context.Context, in workerInput) (stop func(), err error) {
	simulated, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithHTTPClient(in.HTTP))
	if err != nil {
		return nil, fmt.Errorf("AWS configuration: %w", err)
	}
	topic, err := sns.NewFromConfig(simulated).CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("patching")})
	if err != nil {
		return nil, fmt.Errorf("make a topic: %w", err)
	}
	return startWorkerOf(ctx, in, fmt.Appendf(config.Example(), "\nnotify: [{sns: {topic_arn: %s}}]\n", *topic.TopicArn))
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
			if err := r.save(
				ctx, child.GetWorkflowExecution().GetWorkflowId(), child.GetWorkflowExecution().GetRunId(),
			); err != nil {
				return err
			}
		}
	}
	return nil
}
