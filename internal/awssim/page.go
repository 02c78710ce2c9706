package awssim

import (
	_ "embed"
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/world"
)

//go:embed page.html
var pageText string

//go:embed icon.svg
var icon []byte

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// Plain views for the page; what they show is read under the lock.
type (
	fleetView struct {
		Scenario, Description string
		Now                   string
		Calls, Throttled      int
		Groups, Instances     int
		Serving               int
		lackView
		Summed   bool // too many instances to show each
		Accounts []accountView
		Events   []Event
	}
	accountView struct {
		Name, ID string
		Regions  []regionView
	}
	regionView struct {
		Name   string
		Groups []groupView
		Alarms []alarmView
	}
	groupView struct {
		Name, Capacity, Suspended string
		MaxOut, Desired           int
		Count, Serving            int
		lackView
		States, Targets []countView
		Instances       []instanceView
		Chart           template.HTML
		Rows, Dots      bool
	}
	countView struct {
		Name, Class string
		Count       int
	}
	instanceView struct {
		ID, Name, Zone, State, Lifecycle, Health, Targets, Application string
		lackView
		Serving bool
		targets []*world.Target
	}
	alarmView struct{ Name, State string }

	// lackView counts packages that are not the newest, by what the baseline of their patch group says now.
	lackView struct {
		Missing int // it approves a newer one: a scan lists it
		Newer   int // it approves none yet
	}
)

func (v *lackView) add(other lackView) {
	v.Missing, v.Newer = v.Missing+other.Missing, v.Newer+other.Newer
}

// lastEvents is how many calls the page shows.
const lastEvents = 40

// servePage serves the simulator's own addresses: /, /_sim/events, /_sim/actions and /_sim/timeline, and answers
// whatever else a browser asks for by itself, such as an icon, so that none of it counts as a call to AWS. It reports
// whether it answered.
func (s *Sim) servePage(w http.ResponseWriter, r *http.Request) bool {
	switch {
	case r.URL.Path == "/_sim/events":
		after, _ := strconv.Atoi(r.URL.Query().Get("after")) // absent or wrong: from the first
		events := slices.DeleteFunc(s.Events(), func(e Event) bool { return e.Seq <= after })
		writeJSON(w, map[string]any{"events": events, "calls": s.Calls(), "throttled": s.Throttled()})
	case r.URL.Path == "/_sim/actions":
		writeJSON(w, map[string]any{"accounts": s.allActions()})
	case r.URL.Path == "/_sim/timeline":
		writeJSON(w, map[string]any{"groups": s.Timeline()})
	case r.URL.Path == "/" && r.URL.RawQuery == "":
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if err := pageTemplate.Execute(w, s.fleet()); err != nil {
			s.log.Error("render the fleet's page", "error", err)
		}
	case r.URL.Path == "/favicon.ico":
		w.Header().Set("Content-Type", "image/svg+xml")
		_, _ = w.Write(icon) // the client is gone: nobody to tell
	case r.Header.Get("Sec-Fetch-Mode") != "": // of browsers; no client of AWS sends it
		http.NotFound(w, r)
	default:
		return false
	}
	return true
}

func writeJSON(w http.ResponseWriter, document any) {
	w.Header().Set("Content-Type", "application/json")
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", " ")
	_ = encoder.Encode(document) // the client is gone: nobody to tell
}

func (s *Sim) fleet() fleetView {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	s.service.measureAll()
	view := fleetView{
		Scenario: s.world.Scenario.Name, Description: s.world.Scenario.Description,
		Now: s.world.Now().UTC().Format("2006-01-02 15:04:05 MST"), Calls: s.events.seq, Throttled: s.events.throttled,
	}
	for _, account := range s.world.Accounts() {
		for _, region := range account.Regions() {
			view.Instances += len(region.Instances())
		}
	}
	d := detailFor(view.Instances)
	view.Summed = !d.rows
	for _, account := range s.world.Accounts() {
		a := accountView{Name: account.Name, ID: account.ID}
		for _, region := range account.Regions() {
			if len(region.Instances()) > 0 {
				a.Regions = append(a.Regions, s.regionView(region, d))
			}
		}
		for _, region := range a.Regions {
			view.Groups += len(region.Groups)
			for _, group := range region.Groups {
				view.Serving += group.Serving
				view.add(group.lackView)
			}
		}
		view.Accounts = append(view.Accounts, a)
	}
	for _, event := range slices.Backward(s.events.events) {
		if len(view.Events) == lastEvents {
			break
		}
		event.Time = event.Time.UTC().Truncate(time.Second)
		view.Events = append(view.Events, event)
	}
	return view
}
