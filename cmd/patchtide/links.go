package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	shown "github.com/patchtide/patchtide/internal/plain"
	"github.com/patchtide/patchtide/internal/schedules"
	"github.com/patchtide/patchtide/internal/temporalui"
	"github.com/patchtide/patchtide/workflows"
)

// link is a page of the Temporal UI and what a person does there.
type link struct {
	Kind  linkKind        `json:"kind"`
	For   string          `json:"for"`
	URL   string          `json:"url"`
	Input json.RawMessage `json:"input,omitempty"` // to paste into the form, or into the Update
	Note  string          `json:"note,omitempty"`
}

// linkKind is what a link leads to.
type linkKind string

const (
	linkStart linkKind = "start" // a form
	linkView  linkKind = "view"  // a list of workflows
	linkPage  linkKind = "page"  // a workflow or schedule that is always there
)

func newLinks() *cobra.Command {
	var asked linksAsked
	cmd := &cobra.Command{
		Use:   "links",
		Short: "Print links into the Temporal UI: forms that start workflows, saved views, pages",
		Example: `patchtide links --temporal-ui http://localhost:8080
patchtide links --wave wave-web-20261122-082540`,
		Long: "Print links into the Temporal UI: a form for each start, with the input to paste into it; the lists " +
			"people look at; the pages of what always runs. Nothing is asked of Temporal. The UI's address is " +
			"temporal_ui; plans are those of the configuration file, or with --plan any. The UI's addresses carry no " +
			"input: it comes under each link. Times and ids are of now; print new links for a new wave.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			settings, err := asked.resolve(cmd)
			if err != nil {
				return err
			}
			if settings.TemporalUI == "" {
				return &exitError{
					code: exitUsage,
					cause: errors.New(
						"temporal_ui is not set; write it like temporal_ui: http://localhost:8080, or give --temporal-ui or " +
							"PATCHTIDE_TEMPORAL_UI",
					),
				}
			}
			options, err := temporalOptions(settings)
			if err != nil {
				return err
			}
			links, err := asked.links(temporalui.UI{Address: settings.TemporalUI, Namespace: options.Namespace}, time.Now())
			if err != nil {
				return err
			}
			return show(cmd, links, printLinks)
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(
		&asked.plans, "plan", nil, "only for this plan; may be given more than once (default: all of the configuration file)",
	)
	flags.StringVar(&asked.wave, "wave", "", "also the page of this wave, and the form that rolls it back")
	flags.BoolVar(
		&asked.save, "save-views", false,
		"let each view's link keep it as a saved view of the browser that opens it; open each once",
	)
	flags.Var(oneLineOf(&asked.actor, operatorName()), "actor", "who will start them"+unproven)
	printsJSON(cmd)
	return cmd
}

// linksAsked is what a person wants links for.
type linksAsked struct {
	plans    []string
	windowed []schedules.Plan // those that have a window
	wave     string
	save     bool
	actor    string
}

// resolve finds the settings and, where no plan was named, the plans. An operator's machine needs no configuration file
// when plans are named.
func (a *linksAsked) resolve(cmd *cobra.Command) (config.Settings, error) {
	path, err := cmd.Flags().GetString("config")
	if err != nil {
		return config.Settings{}, err
	}
	if _, missing := os.Stat(path); errors.Is(
		missing, fs.ErrNotExist,
	) && len(a.plans) > 0 && path == config.DefaultFile {
		settings, err := config.Process(cmd.Flags())
		if err != nil {
			return settings, &exitError{code: exitUsage, cause: err}
		}
		return settings, nil
	}
	loaded, err := loadConfig(cmd)
	if err != nil {
		return config.Settings{}, err
	}
	for _, plan := range a.plans {
		if !slices.Contains(loaded.PlanNames(), plan) {
			return config.Settings{}, wrongUsage(
				cmd,
				fmt.Errorf("--plan %s: there is none in %s; it has %s", plan, loaded.File, strings.Join(loaded.PlanNames(), ", ")),
			)
		}
	}
	if len(a.plans) == 0 {
		a.plans = loaded.PlanNames()
	}
	windowed, err := windowedPlans(loaded)
	if err != nil {
		return config.Settings{}, err
	}
	for _, plan := range windowed {
		if slices.Contains(a.plans, plan.Name) {
			a.windowed = append(a.windowed, plan)
		}
	}
	return loaded.Settings, nil
}

// links makes every link. now is in ids and in what "this week" means.
func (a *linksAsked) links(ui temporalui.UI, now time.Time) ([]link, error) {
	var all []link
	var problems []error
	start := func(what string, form temporalui.Form, input any, note string) {
		text, err := json.Marshal(input)
		problems = append(problems, err)
		all = append(all, link{Kind: linkStart, For: what, URL: ui.Start(form), Input: text, Note: note})
	}
	const fillsIn = "the form comes with the input of the last one: put this one in its place"
	for _, plan := range a.plans {
		start(
			"start a wave of "+plan, temporalui.StartWave(plan, now),
			workflows.WaveRequest{Plan: plan, Actor: a.actor, Reason: "monthly patches"}, "",
		)
		start(
			"show what a wave of "+plan+" would do", temporalui.PreviewWave(plan, now), workflows.PreviewRequest{Plan: plan}, "",
		)
		start("scan "+plan, temporalui.ScanFleet(plan, now), workflows.ScanRequest{Plan: plan}, "")
	}
	wave, complete := a.wave, ""
	if wave == "" {
		wave, complete = "WAVE", "put the closed wave's id for WAVE, in the workflow id and in the input"
	}
	start(
		"roll back a closed wave", temporalui.RollBackWave(wave),
		workflows.RollBackRequest{WaveID: wave, Actor: a.actor, Reason: "why it must go back"}, complete,
	)
	start(
		"reconcile: only tell", temporalui.Reconcile(),
		workflows.ReconcileRequest{DryRun: true, Actor: a.actor, Reason: "a look"}, fillsIn,
	)
	start(
		"reconcile: put back", temporalui.Reconcile(), workflows.ReconcileRequest{Actor: a.actor, Reason: "after the crash"},
		fillsIn,
	)
	start(
		"list what is in quarantine", temporalui.ListQuarantine(), workflows.QuarantineRequest{Verb: patch.QuarantineList},
		"",
	)

	for _, view := range temporalui.Views(now) {
		url := ui.List(view.Query)
		if a.save {
			url = ui.Save(view)
		}
		all = append(all, link{Kind: linkView, For: view.Name, URL: url})
	}

	if a.wave != "" {
		all = append(all, link{Kind: linkPage, For: a.wave, URL: ui.Workflow(a.wave, "")})
	}
	freeze, err := json.Marshal(workflows.FreezeRequest{Actor: a.actor, Reason: "incident 4711"})
	problems = append(problems, err)
	all = append(all, link{
		Kind: linkPage, For: "freeze and unfreeze", URL: ui.Workflow(names.FreezeID, ""), Input: freeze,
		Note: "More Actions, Send an Update: " + names.UpdateFreeze + " or " + names.UpdateUnfreeze +
			`; with "account" for one account only`,
	})
	for _, plan := range a.windowed {
		for i := range plan.Windows.Each {
			what := "the windows of " + plan.Name
			if len(plan.Windows.Each) > 1 {
				what = fmt.Sprintf("window %d of %s", i+1, plan.Name)
			}
			all = append(all, link{
				Kind: linkPage, For: what, URL: ui.Schedule(names.WindowSchedule(plan.Name, i+1)),
				Note: "there once `patchtide schedule sync` has made it",
			})
		}
	}
	all = append(all, link{
		Kind: linkPage, For: "the schedule of reconcile", URL: ui.Schedule(names.ReconcileID),
		Note: "there once `patchtide reconcile schedule --every 1h` has made it",
	})
	return all, errors.Join(problems...)
}

// printLinks writes a table without borders: a link must stay whole to be clicked or copied.
func printLinks(out io.Writer, links []link) error {
	titles := map[linkKind]string{linkStart: "START", linkView: "VIEW", linkPage: "PAGE"}
	widest := 0
	for _, l := range links {
		widest = max(widest, len(l.For))
	}
	whole := func(format string, filled ...any) { fmt.Fprintln(out, shown.Line(fmt.Sprintf(format, filled...))) }
	for i, l := range links {
		title := ""
		if i == 0 || links[i-1].Kind != l.Kind {
			title = titles[l.Kind]
		}
		whole("%-6s %-*s  %s", title, widest, l.For, l.URL)
		if len(l.Input) > 0 {
			whole("%-6s %-*s  input: %s", "", widest, "", l.Input)
		}
		if l.Note != "" {
			whole("%-6s %-*s  %s", "", widest, "", l.Note)
		}
	}
	return nil
}
