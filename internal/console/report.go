package console

import (
	"encoding/json"
	"io"
	"time"

	"github.com/patchtide/patchtide/internal/patch"
)

// Report is the document that `demo --json` prints: what the wave did, with what the simulator measured meanwhile. Its
// keys are a promise to scripts; fields are added, never renamed.
type Report struct {
	Scenario     string           `json:"scenario"`
	WaveID       string           `json:"wave_id"`
	Outcome      patch.Outcome    `json:"outcome"`
	Reason       string           `json:"reason,omitempty"` // why it ended so, where there is something to say
	Seconds      float64          `json:"seconds"`          // wall time, to a tenth
	Missing      Missing          `json:"missing"`          // of all instances
	Stages       []ReportStage    `json:"stages"`
	Stranded     []patch.Stranded `json:"stranded"`
	AWSCalls     map[string]int   `json:"aws_calls"` // by service and operation: "ssm:StartAutomationExecution"
	AWSThrottled int              `json:"aws_throttled"`
	Pages        *Pages           `json:"pages,omitempty"` // nil: they are gone with the laboratory
}

// Missing is how many patches were missing, before the wave and after it.
type Missing struct {
	Before int `json:"before"`
	After  int `json:"after"`
}

// Pages are the addresses where people look on.
type Pages struct {
	TemporalUI string `json:"temporal_ui"`
	Wave       string `json:"wave"`  // in the Temporal UI
	Fleet      string `json:"fleet"` // as the simulated AWS has it
}

// ReportStage is one stage of a Report.
type ReportStage struct {
	Name    string        `json:"name"`
	Outcome patch.Outcome `json:"outcome"`
	Groups  []ReportGroup `json:"groups"`
}

// ReportGroup is one group of a ReportStage; the Name of a group chosen by tags is its selector.
type ReportGroup struct {
	Account         string           `json:"account"`
	Region          string           `json:"region"`
	Name            string           `json:"name"`
	Outcome         patch.Outcome    `json:"outcome"`
	Reason          string           `json:"reason,omitempty"`
	MaxOutOfService int              `json:"max_out_of_service"` // measured by the simulator
	Instances       []ReportInstance `json:"instances"`
}

// ReportInstance is one instance of a ReportGroup. Missing patches are counted by a Scan before and one after; of one
// that the wave never came to, by who watched AWS.
type ReportInstance struct {
	ID                    string        `json:"id"`
	Outcome               patch.Outcome `json:"outcome"`
	Reason                string        `json:"reason,omitempty"` // why it is not patched
	MissingBefore         int           `json:"missing_before"`
	MissingAfter          int           `json:"missing_after"`
	AutomationExecutionID string        `json:"automation_execution_id"` // empty when none was started
}

// Measured is what somebody who watched AWS saw, which the wave itself cannot know.
type Measured struct {
	// MaxOutOfService is the largest number of a group's instances that were out of service at once.
	MaxOutOfService func(account, region, name string) int
	// Missing is the number of patches that an instance lacks now, by its baseline.
	Missing   func(account, region, instance string) int
	Calls     map[string]int
	Throttled int
}

// NewReport joins the wave's own result with what was measured.
func NewReport(scenario string, result patch.WaveResult, took time.Duration, measured Measured) Report {
	report := Report{
		Scenario: scenario, WaveID: result.WaveID, Outcome: result.Outcome, Reason: result.Reason,
		Seconds:  took.Round(100 * time.Millisecond).Seconds(),
		Stages:   []ReportStage{},
		Stranded: append([]patch.Stranded{}, result.Stranded...),
		AWSCalls: map[string]int{}, AWSThrottled: measured.Throttled,
	}
	for call, n := range measured.Calls {
		report.AWSCalls[call] = n
	}
	for _, stage := range result.Stages {
		shown := ReportStage{Name: stage.Name, Outcome: stage.Outcome, Groups: []ReportGroup{}}
		for _, group := range stage.Groups {
			reported := reportGroup(group, measured)
			for _, instance := range reported.Instances {
				report.Missing.Before += instance.MissingBefore
				report.Missing.After += instance.MissingAfter
			}
			shown.Groups = append(shown.Groups, reported)
		}
		report.Stages = append(report.Stages, shown)
	}
	return report
}

func reportGroup(group patch.GroupResult, measured Measured) ReportGroup {
	shown := ReportGroup{
		Account: group.Account, Region: group.Region, Name: group.Name, Outcome: group.Outcome,
		Reason: group.Reason, Instances: []ReportInstance{},
	}
	if measured.MaxOutOfService != nil {
		shown.MaxOutOfService = measured.MaxOutOfService(group.Account, group.Region, group.Name)
	}
	for _, instance := range group.Instances {
		reported := ReportInstance{
			ID: instance.ID, Outcome: instance.Outcome, Reason: instance.Reason,
			MissingBefore: instance.MissingBefore, MissingAfter: instance.MissingAfter,
			AutomationExecutionID: instance.AutomationExecutionID,
		}
		// Nothing missing before is also what is told of one that was never scanned. Nobody has touched it, so that it
		// lacks what it lacked.
		if reported.MissingBefore == 0 && measured.Missing != nil {
			reported.MissingBefore = measured.Missing(group.Account, group.Region, instance.ID)
			reported.MissingAfter = reported.MissingBefore
		}
		shown.Instances = append(shown.Instances, reported)
	}
	return shown
}

// WriteJSON writes the document, indented, with a line end.
func (r Report) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(r)
}
