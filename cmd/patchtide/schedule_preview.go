package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/schedule"
)

// previewed is one line of a preview.
type previewed struct {
	Window int        `json:"window"` // the place of the window among the plan's, from 1
	Opens  *time.Time `json:"opens"`  // UTC; null where it does not open
	Cutoff *time.Time `json:"cutoff,omitempty"`
	Closes *time.Time `json:"closes,omitempty"`
	Local  string     `json:"local"` // what clocks in the window's time zone show
	Note   string     `json:"note,omitempty"`
}

type preview struct {
	Plan      string          `json:"plan"`
	TimeZones []string        `json:"time_zones"` // of its windows, in their order
	Openings  []previewed     `json:"openings"`
	Blackouts patch.Blackouts `json:"blackouts"` // that are not over

	zones []*time.Location
}

func newSchedulePreview() *cobra.Command {
	var count int
	cmd := &cobra.Command{
		Use:     "preview PLAN",
		Short:   "Show when a plan's windows open next, and what blackouts and changes of the clocks do to them",
		Example: `patchtide schedule preview web -n 10`,
		Long: "Show when a plan's windows open next, and what blackouts and changes of the clocks do to them. It " +
			"reads the configuration file only.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if count < 1 || count > 1000 {
				return wrongUsage(cmd, fmt.Errorf("-n %d: write a number from 1 to 1000", count))
			}
			loaded, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			windows, found, err := loaded.Windows(args[0])
			if err != nil {
				return wrongUsage(cmd, err)
			}
			if !found {
				return errors.New("plan " + args[0] + " has no window: it may be patched at any time, and no schedule starts it")
			}
			shown := previewOf(args[0], windows, time.Now(), count)
			utc, err := cmd.Flags().GetBool("utc")
			if err != nil {
				return err
			}
			return show(cmd, shown, func(out io.Writer, shown preview) error {
				printPreview(out, shown, utc)
				return nil
			})
		},
	}
	cmd.Flags().IntVarP(&count, "number", "n", 5, "how many openings")
	printsJSON(cmd)
	return cmd
}

// previewOf lists the next openings of all windows, and those that a blackout or a change of the clocks swallows.
func previewOf(plan string, windows schedule.Windows, now time.Time, count int) preview {
	shown := preview{
		Plan: plan, TimeZones: []string{}, Openings: []previewed{},
		Blackouts: append(patch.Blackouts{}, windows.Blackouts.After(now)...),
	}
	for _, window := range windows.Each {
		shown.zones, shown.TimeZones = append(shown.zones, window.Zone()), append(shown.TimeZones, window.Zone().String())
	}
	for _, opening := range windows.Preview(now, count) {
		one := previewed{Window: opening.Window, Local: opening.Wall, Note: opening.Note}
		if !opening.At.IsZero() {
			one.Local = opening.At.Format(inZone)
		}
		if at := opening.Opens; at != nil {
			opens, cutoff, closes := at.Opens.UTC(), at.Cutoff.UTC(), at.Closes.UTC()
			one.Opens, one.Cutoff, one.Closes = &opens, &cutoff, &closes
		}
		shown.Openings = append(shown.Openings, one)
	}
	return shown
}

const inZone = "2006-01-02 15:04 MST"

// printPreview shows openings by the clocks of each window's time zone, or in UTC.
func printPreview(out io.Writer, shown preview, utc bool) {
	if len(shown.Openings) == 0 {
		line(out, "no window of %s ever opens again", shown.Plan)
		return
	}
	several := len(shown.zones) > 1
	var rows [][]string
	for _, one := range shown.Openings {
		zone := shown.zones[one.Window-1]
		if utc {
			zone = time.UTC
		}
		at := func(moment time.Time) string { return moment.In(zone).Format(inZone) }
		row := []string{one.Local, "", "", "does not open: " + strings.TrimPrefix(one.Note, schedule.Shut)}
		if one.Opens != nil {
			row = []string{at(*one.Opens), at(*one.Cutoff), at(*one.Closes), one.Note}
		}
		if several {
			row = append([]string{fmt.Sprint(one.Window)}, row...)
		}
		rows = append(rows, row)
	}
	head := []string{"Opens", "Nothing new from", "Closes", "Note"}
	switch {
	case several:
		head = append([]string{"Window"}, head...)
		own := "each in its own time"
		if utc {
			own = "in the time of UTC"
		}
		line(out, "The %d windows of %s, %s:", len(shown.zones), shown.Plan, own)
	case utc:
		line(out, "The window of %s, in the time of UTC:", shown.Plan)
	default:
		line(out, "The window of %s, in the time of %s:", shown.Plan, shown.zones[0])
	}
	fmt.Fprintln(out, console.PageOf(out).Table(head, rows))
}
