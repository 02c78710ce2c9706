package main

import (
	"context"
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/screen"
	"github.com/patchtide/patchtide/internal/wavelog"
)

// watchOnScreen shows the wave on the terminal until watching ends or the person leaves.
func watchOnScreen(
	cmd *cobra.Command, c client.Client, looks *looker, first screen.Look, how watching,
) (screen.Look, error) {
	ctx, stop := context.WithCancel(cmd.Context())
	defer stop()
	first.Details = first.Details.Clone()
	model := screen.New(ctx, screen.Options{
		First: first, Actor: operatorName(), UntilHold: how.untilHold, Now: time.Now,
		Look: func(ctx context.Context) screen.Look {
			look := looks.look(ctx)
			look.Details = look.Details.Clone() // it is drawn while the next look is had
			return look
		},
		Tell: func(ctx context.Context, decision patch.Decision) error {
			_, err := tell(ctx, c, looks.wave, decision)
			return err
		},
	})
	program := tea.NewProgram(
		model, tea.WithContext(ctx), tea.WithInput(cmd.InOrStdin()), tea.WithOutput(cmd.OutOrStdout()),
		tea.WithoutSignalHandler(),
	)
	go sendEvents(ctx, wavelog.New(c, looks.wave), program.Send)
	_, err := program.Run()
	killed := cmd.Context().Err() != nil // by a signal: it counts as leaving
	if err != nil && !killed {
		return first, fmt.Errorf("the screen failed: %w; %s; `--plain` needs no screen", err, goesOn(model.Last().Status))
	}
	if verb := model.Unsent(); verb != "" {
		line(cmd.ErrOrStderr(), "%s was not sent: the wave asks no more, or you left, while it was being written",
			verb.Command())
	}
	if model.Left() || killed {
		line(cmd.OutOrStdout(), "%s", goesOn(model.Last().Status))
	}
	return model.Last(), nil
}

// sendEvents hands the screen what happened before it was there, then what happens. While Temporal is away it waits:
// that nobody answers is told by the looks.
func sendEvents(ctx context.Context, reader *wavelog.Reader, send func(tea.Msg)) {
	for {
		events, err := reader.Read(ctx)
		if err == nil {
			send(screen.EventsMsg(events))
			break
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(watchEvery):
		}
	}
	reader.Follow(ctx, func(event wavelog.Event) { send(screen.EventsMsg{event}) }, func(error) {})
}
