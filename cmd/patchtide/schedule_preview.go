package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/schedule"
)

// previewed is one line of a preview.
type previewed struct {
	Opens  *time.Time `json:"opens"` // UTC; null where it does not open
	Cutoff *time.Time `json:"cutoff,omitempty"`
	Closes *time.Time `json:"closes,omitempty"`
	Local  string     `json:"local"` // what clocks in the plan's time zone show
	Note   string     `json:"note,omitempty"`
}

type preview struct {
	Plan     string      `json:"plan"`
	TimeZone string      `json:"time_zone"`
	Openings []previewed `json:"openings"`

	zone *time.Location
}

func newSchedulePreview() *cobra.Command {
	var count int
	cmd := &cobra.Command{
		Use:     "preview PLAN",
		Short:   "Show when a plan's window opens next, and what changes of the clocks do to it",
		Example: `patchtide schedule preview web -n 10`,
		Long: "Show when a plan's window opens next, and what changes of the clocks do to it. It reads the " +
			"configuration file only.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if count < 1 || count > 1000 {
				return usage(cmd, fmt.Errorf("-n %d: write a number from 1 to 1000", count))
			}
			loaded, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			window, found, err := loaded.Windows(args[0])
			if err != nil {
				return usage(cmd, err)
			}
			if !found {
				return usage(
					cmd, errors.New("plan "+args[0]+" has no window: it may be patched at any time, and no schedule starts it"),
				)
			}
			shown := previewOf(args[0], window, time.Now(), count)
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

func previewOf(plan string, window schedule.Window, now time.Time, count int) preview {
	shown := preview{Plan: plan, TimeZone: window.Zone().String(), zone: window.Zone(), Openings: []previewed{}}
	for _, opening := range window.Preview(now, count) {
		one := previewed{Local: opening.Wall, Note: opening.Note}
		if !opening.At.IsZero() {
			at := window.Opening(opening.At.UTC())
			one.Opens, one.Cutoff, one.Closes = &at.Opens, &at.Cutoff, &at.Closes
			one.Local = opening.At.Format("2006-01-02 15:04 MST")
		}
		shown.Openings = append(shown.Openings, one)
	}
	return shown
}

// printPreview shows openings by the clocks of the plan's time zone, or in UTC.
func printPreview(out io.Writer, shown preview, utc bool) {
	if len(shown.Openings) == 0 {
		line(out, "the window of %s never opens again", shown.Plan)
		return
	}
	zone := shown.zone
	if utc {
		zone = time.UTC
	}
	at := func(moment time.Time) string { return moment.In(zone).Format("2006-01-02 15:04 MST") }
	var rows [][]string
	for _, one := range shown.Openings {
		if one.Opens == nil {
			rows = append(rows, []string{one.Local, "", "", "does not open: " + one.Note})
			continue
		}
		rows = append(rows, []string{at(*one.Opens), at(*one.Cutoff), at(*one.Closes), one.Note})
	}
	line(out, "The window of %s, in the time of %s:", shown.Plan, zone)
	fmt.Fprintln(out, console.PageOf(out).Table([]string{"Opens", "Nothing new from", "Closes", "Note"}, rows))
}
