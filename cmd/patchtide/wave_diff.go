package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/manifest"
	"github.com/patchtide/patchtide/internal/names"
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
			"changed. Machines that were put back since are named, and not counted.\n\n" +
			"It reads the evidence that the configuration file names, of a wave that still runs what has ended of it, and " +
			"asks neither Temporal nor the accounts.",
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
	ended, known := map[string]patch.Outcome{}, len(ids) > 0
	for _, id := range []string{wave, names.RollBack(wave)} {
		result, err := resultOf(ctx, store, id)
		if err != nil {
			return none, err
		}
		known = known || result != nil
		result.each(func(instance patch.InstanceResult) {
			if id == wave || instance.Outcome != patch.NotStarted && !instance.StillPatched {
				ended[instance.ID] = instance.Outcome
			}
		})
	}
	if !known {
		return none, fmt.Errorf("%s has no evidence of a wave %s: `patchtide wave list` shows which waves there are, and "+
			"`evidence:` of the configuration must name where the workers write", where, wave)
	}
	return manifest.ChangesOf(wave, machines, func(id string) patch.Outcome { return ended[id] }), nil
}

// waveResult is how a wave ended by its document; nil: it has written none.
type waveResult patch.WaveResult

func resultOf(ctx context.Context, store *evidence.Store, wave string) (*waveResult, error) {
	var document activities.WaveDocument
	var none *evidence.NotFoundError
	err := store.GetWave(ctx, wave, &document)
	if errors.As(err, &none) {
		return nil, nil //nolint:nilnil // that there is none is an answer
	}
	return (*waveResult)(&document.Result), err
}

func (r *waveResult) each(do func(patch.InstanceResult)) {
	if r == nil {
		return
	}
	for _, stage := range r.Stages {
		for _, group := range stage.Groups {
			for _, instance := range group.Instances {
				do(instance)
			}
		}
	}
}

func printWaveChanges(out io.Writer, changes manifest.Changes) error {
	if len(changes.Systems) == 0 {
		line(out, "%s left no machine patched", changes.WaveID)
	}
	for _, system := range changes.Systems {
		line(out, "%s, %s:", system.Name, console.Plural(len(system.Instances), "machine"))
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
	for _, back := range changes.Back {
		line(out, "Not counted: %s", back)
	}
	for _, id := range changes.Untold {
		line(out, "Not known: %s has not told which packages it holds", id)
	}
	return nil
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
			console.Plural(system.Instances[0], "machine"), difference.Waves[0], system.Instances[1], difference.Waves[1],
			console.Plural(system.Same, "package"))
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
		line(out, "neither %s nor %s left a machine patched", difference.Waves[0], difference.Waves[1])
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
