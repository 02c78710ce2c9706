package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/manifest"
	"github.com/patchtide/patchtide/internal/patch"
	shown "github.com/patchtide/patchtide/internal/plain"
)

func newWaveDiff() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "diff WAVE [OTHER]",
		Short: "Show what a wave changed on its machines, or what two did differently",
		Example: `patchtide wave diff wave-web-20261122-082540
patchtide wave diff wave-web-20261115-082540 wave-web-20261122-082540`,
		Long: "Show which packages a wave changed, from which version to which, and on which of its machines: the updates " +
			"on Windows. Of two waves it shows the packages that they left in different versions, or that only one of them " +
			"changed. Machines that were put back since are named, and not counted; so are those of which nothing is " +
			"known.\n\n" +
			"It reads the evidence that the configuration file names, of a wave that still runs what has ended of it, and " +
			"asks neither Temporal nor the accounts: it does not see a roll back before that has closed.",
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			var changed []manifest.Changes
			if err := withEvidence(cmd, func(where string, store *evidence.Store) error {
				for _, wave := range args {
					one, err := changesOf(cmd.Context(), where, store, wave)
					if err != nil {
						return err
					}
					changed = append(changed, one)
				}
				return nil
			}); err != nil {
				return err
			}
			if len(changed) == 1 {
				return show(cmd, changed[0], printWaveChanges)
			}
			return show(cmd, manifest.Compare(changed[0], changed[1]), printDifference)
		},
	}
	printsJSON(cmd)
	return cmd
}

// changesOf is what a wave changed, by what it wrote of each instance.
func changesOf(
	ctx context.Context, where string, store *evidence.Store, wave string,
) (none manifest.Changes, err error) {
	ids, err := store.ListInstances(ctx, wave)
	if err != nil {
		return none, err
	}
	machines, err := evidence.ReadInstances[patch.InstanceDetails](ctx, store.GetInstance, wave, ids)
	if err != nil {
		return none, err
	}
	shown.Strings(&machines)
	all, err := store.ListWaves(ctx)
	if err != nil {
		return none, err
	}
	standing, err := activities.HowEnded(ctx, store.GetWave, wave, all)
	if err != nil {
		return none, err
	}
	if !standing.Known && len(ids) == 0 {
		return none, fmt.Errorf("%s has no evidence of a wave %s: `patchtide wave list` shows which waves there are. One that "+
			"runs has changed nothing yet; else `evidence:` of the configuration must name where the workers write", where, wave)
	}
	changes := manifest.ChangesOf(wave, machines, standing.Ended)
	changes.Unsure = standing.Unsure
	return changes, nil
}

func printWaveChanges(out io.Writer, changes manifest.Changes) error {
	if len(changes.Systems)+len(changes.Untold) == 0 {
		line(out, "%s left no machine patched", changes.WaveID)
	}
	for _, system := range changes.Systems {
		line(out, "%s, %s:", system.Name, shown.Plural(len(system.Instances), "machine"))
		var rows [][]string
		for _, change := range system.Packages {
			rows = append(rows, []string{
				change.Name, versionsOf([]string{change.From}), versionsOf([]string{change.To}),
				machinesOf(change.Instances, system.Instances),
			})
		}
		if len(rows) == 0 {
			line(out, "  no package was changed")
			continue
		}
		fmt.Fprintln(out, console.PageOf(out).Table([]string{"Package", "From", "To", "On"}, rows))
	}
	printNotCounted(out, changes.NotCounted)
	return nil
}

// printNotCounted says of whom a table does not tell, and what is not known.
func printNotCounted(out io.Writer, not manifest.NotCounted) {
	for _, back := range not.Back {
		line(out, "Not counted: %s", back)
	}
	for _, untold := range not.Untold {
		line(out, "Not known: %s", untold)
	}
	for _, unsure := range not.Unsure {
		line(out, "%s", unsure)
	}
}

// mostNamed bounds the machines that a line names: more are counted, and listed by --json.
const mostNamed = 3

func machinesOf(some, all []string) string {
	switch {
	case len(some) == len(all):
		return "all"
	case len(some) <= mostNamed:
		return strings.Join(some, ", ")
	}
	return fmt.Sprintf("%d of %d", len(some), len(all))
}

func printDifference(out io.Writer, difference manifest.Difference) error {
	for i, system := range difference.Systems {
		if i > 0 {
			line(out, "")
		}
		line(out, "%s, %s in %s and %d in %s; the same in both: %s", system.Name,
			shown.Plural(system.Instances[0], "machine"), difference.Waves[0], system.Instances[1], difference.Waves[1],
			shown.Plural(system.Same, "package"))
		var rows [][]string
		for _, one := range system.Packages {
			rows = append(rows, []string{one.Name, versionsOf(one.Versions[0]), versionsOf(one.Versions[1])})
		}
		if len(rows) > 0 {
			fmt.Fprintln(out, console.PageOf(out).Table(
				[]string{"Package", "In " + difference.Waves[0], "In " + difference.Waves[1]}, rows,
			))
		}
	}
	if len(difference.Systems) == 0 {
		line(out, "of neither %s nor %s it is known what it left on a machine", difference.Waves[0], difference.Waves[1])
	}
	for i, not := range difference.NotCounted {
		if len(not.Back)+len(not.Untold)+len(not.Unsure) > 0 {
			line(out, "Of %s:", difference.Waves[i])
			printNotCounted(out, not)
		}
	}
	return nil
}

// versionsOf are versions for a cell.
func versionsOf(versions []string) string {
	if len(versions) == 0 {
		return "not changed"
	}
	told := slices.Clone(versions)
	for i, version := range told {
		if version == "" {
			told[i] = "none"
		}
	}
	return strings.Join(told, ", ")
}
