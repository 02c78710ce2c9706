package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/patchtide/patchtide/config"
	paws "github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/patchtags"
)

type tagOptions struct {
	plan        string
	dryRun, yes bool
}

// newTag sets the tag by which Systems Manager finds the patch baseline of instances.
func newTag() *cobra.Command {
	var options tagOptions
	cmd := &cobra.Command{
		Use:   "tag --plan PLAN",
		Short: "Give the instances of a plan the tag PatchGroup that its baselines go by, once you have seen who lacks it",
		Example: `patchtide tag --plan web --dry-run
patchtide tag --plan web`,
		Long: "Give the instances of a plan's groups the tag PatchGroup, by which Systems Manager finds the patch baseline " +
			"that the plan names for them. Who lacks it is shown first, then it asks, unless --yes is given. An instance " +
			"that is in another patch group stays there, and is named; so is one that the plan excludes. How those that a " +
			"group launches later get the tag is said, and changed by nobody but you. It asks AWS with your credentials and " +
			"the roles of the configuration, which need ec2:CreateTags as a wave does (of managed nodes " +
			"ssm:AddTagsToResource), and needs no Temporal.\n\n" +
			"Exit code 0 where none lacks it in the end, 1 where --dry-run would set it or the answer was no, 4 where a " +
			"group could not be read, a tag not set, or an instance is in another patch group.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runTag(cmd, options) },
	}
	flags := cmd.Flags()
	flags.StringVar(&options.plan, "plan", "", "the plan whose groups are looked at")
	flags.BoolVar(&options.dryRun, "dry-run", false, "change nothing, show who lacks it")
	flags.BoolVar(&options.yes, "yes", false, "do not ask")
	printsJSON(cmd)
	return cmd
}

func runTag(cmd *cobra.Command, options tagOptions) error {
	if options.plan == "" {
		return wrongUsage(cmd, errors.New("--plan is missing: whose instances?"))
	}
	loaded, err := loadConfig(cmd)
	if err != nil {
		return err
	}
	places, err := tagPlaces(cmd.Context(), loaded, options.plan, cmd.ErrOrStderr())
	switch {
	case err != nil:
		return err
	case !options.yes && !options.dryRun && (asJSON(cmd) || !terminalIn(cmd)):
		return wrongUsage(cmd, errors.New("it asks before it changes anything, and nobody can be asked here; look with "+
			"--dry-run, then give --yes"))
	}
	shown := patchtags.Look(cmd.Context(), places)
	if !asJSON(cmd) || options.dryRun {
		if err := show(cmd, shown, printTags); err != nil {
			return err
		}
	}
	lacking := 0
	for _, state := range shown {
		lacking += state.Count(patchtags.Lacks)
	}
	if options.dryRun {
		return tagged(shown)
	}
	if lacking > 0 && !options.yes {
		if err := confirm(cmd, fmt.Sprintf("Tag %s?", counted(lacking, "instance"))); err != nil {
			return err
		}
	}
	if lacking == 0 && !asJSON(cmd) {
		return tagged(shown)
	}
	done := patchtags.Apply(cmd.Context(), places, shown)
	if err := show(cmd, done, printTags); err != nil {
		return err
	}
	return tagged(done)
}

// tagged is the exit code of how groups stand.
func tagged(states []patchtags.State) error {
	lacking := false
	for _, state := range states {
		others := state.Count(patchtags.Another) + state.Count(patchtags.Failed) + state.Count(patchtags.Unseen)
		if state.Error != "" || others > 0 {
			return &exitError{code: exitGaps}
		}
		lacking = lacking || state.Count(patchtags.Lacks) > 0
	}
	if lacking {
		return &exitError{code: exitFailed}
	}
	return nil
}

// tagPause is how long is waited before EC2's lists are read again.
const tagPause = 2 * time.Second

// tagPlaces are the groups of a plan.
func tagPlaces(
	ctx context.Context, loaded *config.Config, name string, stderr io.Writer,
) (places []patchtags.Place, err error) {
	plan, err := loaded.Plan(name)
	if err != nil {
		return nil, &exitError{code: exitUsage, cause: err}
	}
	sdk, err := awsConfig(ctx, stderr)
	if err != nil {
		return nil, err
	}
	for _, group := range plan.Groups() {
		baseline, err := loaded.Baselines.Load(plan.Of(group).Baseline)
		if err != nil {
			return nil, &exitError{code: exitUsage, cause: err}
		}
		account, _ := loaded.Account(group.Account.Name)
		enter := enterAccount(sdk, account)
		places = append(places, patchtags.Place{
			Group: group, Baseline: baseline.Name, PatchGroup: baseline.PatchGroup, Pause: pauseFor(tagPause),
			Connect: func(ctx context.Context) (*paws.Services, error) { return enter(ctx, group.Region) },
		})
	}
	return places, nil
}

// pauseFor waits, unless nobody waits for it any more.
func pauseFor(span time.Duration) func(context.Context) error {
	return func(ctx context.Context) error {
		timer := time.NewTimer(span)
		defer timer.Stop()
		select {
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func printTags(out io.Writer, states []patchtags.State) error {
	counts := map[patchtags.Has]int{}
	for _, state := range states {
		line(out, "%s: %s", state.Group, tagHead(state))
		for _, one := range state.Instances {
			counts[one.Has]++
			switch one.Has {
			case patchtags.Lacks:
				line(out, "  %s lacks PatchGroup=%s", one.ID, state.PatchGroup)
			case patchtags.Another:
				line(out, "  %s is in another patch group, and stays there (%s): see who judges it, then correct it by hand",
					one.ID, one.Tags)
			case patchtags.Excluded:
				line(out, "  %s is excluded by the plan, and left as it is", one.ID)
			case patchtags.Set:
				line(out, "  %s has PatchGroup=%s now", one.ID, state.PatchGroup)
			case patchtags.Unseen:
				line(out, "  %s was given the tag, and is not listed with it yet: look again", one.ID)
			case patchtags.Failed:
				line(out, "  %s: failed: %s", one.ID, one.Error)
			}
		}
		if state.Launches != "" {
			line(out, "  later ones: %s", state.Launches)
		}
	}
	line(out, "%d right, %d set, %d lack it, %d in another patch group, %d excluded, %d failed",
		counts[patchtags.Right], counts[patchtags.Set]+counts[patchtags.Unseen], counts[patchtags.Lacks],
		counts[patchtags.Another], counts[patchtags.Excluded], counts[patchtags.Failed])
	return nil
}

func tagHead(state patchtags.State) string {
	switch {
	case state.Error != "":
		return "not read: " + state.Error
	case state.Note != "":
		return state.Note
	}
	return fmt.Sprintf("%s, judged by %s where they carry PatchGroup=%s", counted(len(state.Instances), "instance"),
		state.Baseline, state.PatchGroup)
}
