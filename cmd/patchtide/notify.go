package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/notify"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/worker"
)

func newNotify() *cobra.Command {
	return parent("notify", "Try whom waves tell what they do", newNotifyTest())
}

func newNotifyTest() *cobra.Command {
	var target int
	var actor string
	cmd := &cobra.Command{
		Use:   "test",
		Short: "Send a test notice to each target of the configuration",
		Example: `patchtide notify test
patchtide notify test --target 1`,
		Long: "Send a test notice to each target of the configuration, once, and tell how it went. It runs where it is " +
			"called, with the credentials of that place, and needs no Temporal. Exit code 1 where a target did not take " +
			"it.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			loaded, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			if target < 0 || target > len(loaded.Notify) {
				return wrongUsage(
					cmd,
					fmt.Errorf(
						"--target %d: %s has %d targets under notify: write a number from 1", target, loaded.File, len(loaded.Notify),
					),
				)
			}
			if len(loaded.Notify) == 0 {
				return &exitError{
					code: exitUsage,
					cause: fmt.Errorf(
						"%s has no notify:, so nobody is told anything; docs/configuration.md shows what to write", loaded.File,
					),
				}
			}
			sent, err := sendTest(cmd.Context(), loaded, target, actor, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return tellSent(cmd, sent)
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&target, "target", 0, "only this target: its number in the file, from 1 (default: all)")
	flags.Var(oneLineOf(&actor, operatorName()), "actor", "who tries it"+unproven)
	printsJSON(cmd)
	return cmd
}

// sentTest is how a test went on one target.
type sentTest struct {
	Target int    `json:"target"` // its number in the file, from 1
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Error  string `json:"error,omitempty"`
	Retry  bool   `json:"would_be_retried,omitempty"` // a wave would try again for hours
}

// sendTest sends the notice to target, or to all for 0.
func sendTest(
	ctx context.Context, loaded *config.Config, target int, actor string, stderr io.Writer,
) ([]sentTest, error) {
	aws, err := awsConfig(ctx, stderr)
	if err != nil {
		return nil, err
	}
	temporal, err := temporalOptions(loaded.Settings)
	if err != nil {
		return nil, err
	}
	notifier, err := worker.Notifier(
		ctx, worker.Options{Config: loaded, AWS: aws, Namespace: temporal.Namespace, Version: version()},
	)
	if err != nil {
		return nil, err
	}
	notice := patch.Notice{
		Kind: patch.NoticeTest, Key: "test/" + uuid.NewString(), At: time.Now(), Actor: actor, Why: "somebody asked for it",
	}
	var sent []sentTest
	for i, name := range notifier.Channels() {
		if target != 0 && target != i+1 {
			continue
		}
		one := sentTest{Target: i + 1, Name: name, OK: true}
		if err := notifier.Send(ctx, name, notice); err != nil {
			var away *notify.AwayError
			one.OK, one.Error, one.Retry = false, err.Error(), errors.As(err, &away)
		}
		sent = append(sent, one)
	}
	return sent, nil
}

// sentTests is the document of how a test went.
type sentTests struct {
	Targets []sentTest `json:"targets"`
}

// tellSent prints how it went and makes its exit code.
func tellSent(cmd *cobra.Command, sent []sentTest) error {
	err := show(cmd, sentTests{sent}, printSent)
	if err == nil && slices.ContainsFunc(sent, func(one sentTest) bool { return !one.OK }) {
		err = &exitError{code: exitFailed}
	}
	return err
}

func printSent(out io.Writer, tests sentTests) error {
	for _, one := range tests.Targets {
		switch {
		case one.OK:
			line(out, "✓ %d %s: sent", one.Target, one.Name)
		case one.Retry:
			line(out, "✗ %d %s: %s; a wave would try again", one.Target, one.Name, one.Error)
		default:
			line(out, "✗ %d %s: %s", one.Target, one.Name, one.Error)
		}
	}
	return nil
}
