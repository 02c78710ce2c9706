package main

import (
	"encoding/json"
	"io"
	"os/exec"
	"path"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// operatorsLink is what `patchtide links --json` prints.
type operatorsLink struct {
	For   string          `json:"for"`
	URL   string          `json:"url"`
	Input json.RawMessage `json:"input"`
}

// operatorsLinks asks the product for links into a UI, as an operator does.
func operatorsLinks(t *testing.T, ui string) map[string]operatorsLink {
	t.Helper()
	binary, err := product()
	require.NoError(t, err)
	cmd := exec.CommandContext(
		t.Context(), binary, "links", "--plan", demoPlan, "--actor", "alice", "--save-views", "--json", "--temporal-ui", ui,
	)
	cmd.Dir = t.TempDir() // no configuration file
	stdout, err := cmd.Output()
	require.NoError(t, err)
	var list []operatorsLink
	require.NoError(t, json.Unmarshal(stdout, &list))
	links := map[string]operatorsLink{}
	for _, l := range list {
		links[l.For] = l
	}
	return links
}

// upWith starts the laboratory with a scenario, as `patchtide-lab up` does, and returns the address of its Temporal UI.
func upWith(t *testing.T, scenario string) (ui string, temporal client.Client) {
	t.Helper()
	options := laboratoryOptions{
		aws:      awsOptions{listen: "127.0.0.1:0", speed: demoSpeed, scenario: scenario},
		temporal: temporalOptions{listen: "127.0.0.1:0"},
	}
	l, err := open(t.Context(), options, startWorker, io.Discard)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.close()) })
	return l.temporal.UIURL(), l.client
}

// TestAnOperatorAtTheTemporalUI does with a browser what people do: it starts a wave by the form that `patchtide links`
// leads to, watches its live table, approves, answers a hold and sees it end. Nothing but the UI's own page is used.
func TestAnOperatorAtTheTemporalUI(t *testing.T) {
	b := openBrowser(t)
	ui, temporal := upWith(t, "stuck-reboot")
	links := operatorsLinks(t, ui)

	form := links["start a wave of "+demoPlan]
	b.form(strings.Replace(form.URL, "workflowId=", "workflowId=misspelt-", 1))
	b.write("main", `{"plan": "web", "dry-run": true}`)
	b.press("button[data-testid=start-workflow-button]")
	misspelt := b.openStarted()
	b.await(
		"a key that nobody knows is refused",
		`/failed/i.test(document.querySelector("[data-testid=execution-status]").innerText) && document.body.innerText.includes("unknown field")`,
	)
	b.keep("refused")
	b.view(links["failed this week"], workflowOf(misspelt))

	b.form(form.URL)
	b.write("main", string(form.Input))
	b.keep("start")
	b.press("button[data-testid=start-workflow-button]")
	page := b.openStarted()
	waveID, runID := workflowOf(page), runOf(page)
	table := strings.TrimSuffix(page, "timeline") + "user-metadata"
	b.open(table)

	b.awaitDetails(
		"staging is patched, step by step", "web is running", "stage staging", "install", "patchtide wave pause "+waveID,
	)
	b.keep("running")
	b.view(links["waves running"], waveID)
	b.open(table)
	b.awaitDetails("production awaits approval", "web is awaiting approval", "Send approve or reject.")
	b.keepWhole("awaiting-approval")
	b.view(links["awaiting approval"], waveID)
	b.open(table)
	b.send(patch.Approve, "staging looks well")
	b.awaitDetails("an instance fails and is put back", "web is on hold", "3 of 4 patched, 1 rolled back",
		"not come back from its reboot")
	b.keepWhole("on-hold")

	b.view(links["waits for a person"], waveID)
	b.view(links["on hold"], waveID)
	b.open(table)

	b.send(patch.Skip, "that machine is odd")
	b.awaitDetails("it has ended", "web is closed: succeeded with skips")
	b.keep("ended")
	b.open(strings.TrimSuffix(page, "timeline") + "history")
	b.await("the history shows the updates", `/update/i.test(document.querySelector("main").innerText)`)
	b.keep("history")

	requireSummaries(t, temporal)
	var result patch.WaveResult
	require.NoError(t, temporal.GetWorkflow(t.Context(), waveID, runID).Get(t.Context(), &result))
	require.Equal(t, patch.SucceededWithSkips, result.Outcome, result.Reason)
	require.Empty(t, result.Stranded)
	var status patch.WaveStatus
	answer, err := temporal.QueryWorkflow(t.Context(), waveID, runID, names.QueryStatus)
	require.NoError(t, err)
	require.NoError(t, answer.Get(&status))
	var sent []string
	for _, decision := range status.Decisions {
		sent = append(sent, string(decision.Verb)+" by "+decision.Actor+": "+decision.Reason)
	}
	require.Equal(t, []string{"approve by alice: staging looks well", "skip by alice: that machine is odd"}, sent)
}

// requireSummaries looks through the histories of all workflows: a person must be able to read what each activity,
// timer and child is for.
func requireSummaries(t *testing.T, temporal client.Client) {
	t.Helper()
	list, err := temporal.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{PageSize: 1000})
	require.NoError(t, err)
	looked := 0
	for _, one := range list.GetExecutions() {
		history := temporal.GetWorkflowHistory(
			t.Context(), one.GetExecution().GetWorkflowId(), one.GetExecution().GetRunId(), false,
			enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT,
		)
		for history.HasNext() {
			event, err := history.Next()
			require.NoError(t, err)
			switch event.GetEventType() {
			case enums.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
				enums.EVENT_TYPE_TIMER_STARTED,
				enums.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
				looked++
				require.NotNil(
					t, event.GetUserMetadata().GetSummary(), "%s of %s %s: %s", event.GetEventType(), one.GetType().GetName(),
					one.GetExecution().GetWorkflowId(), event,
				)
			}
		}
	}
	require.Greater(t, looked, 100, "the wave's histories were looked at")
}

// view opens a link that keeps a list as a saved view of the browser, and waits until it shows a workflow.
func (b *browser) view(list operatorsLink, workflowID string) {
	b.t.Helper()
	b.open(list.URL)
	b.await(
		list.For+" lists the workflow",
		"[...document.querySelectorAll('table a')].some(a => a.innerText.trim() == "+strconv.Quote(workflowID)+")",
	)
	b.await(list.For+" is kept", "document.body.innerText.includes("+strconv.Quote(list.For)+")")
	b.keep("view-" + strings.ReplaceAll(list.For, " ", "-"))
}

// workflowOf is the workflow's id in the address of a run's timeline, .../workflows/ID/RUN/timeline.
func workflowOf(page string) string { return path.Base(path.Dir(path.Dir(page))) }

func runOf(page string) string { return path.Base(path.Dir(page)) }

// openStarted follows the link of the message that a workflow was started, and returns its address.
func (b *browser) openStarted() string {
	b.t.Helper()
	page := b.await(
		"it is said that a workflow was started",
		`[...document.querySelectorAll("a")].find(a => a.innerText.includes("Workflow started")).href`,
	)
	b.open(page)
	return page
}

// details is the text of a workflow's live table, which the UI shows in a frame.
const details = `document.querySelector("#user-metadata-current-details").contentDocument.body.innerText`

// awaitDetails waits until the live table says all of texts. The UI asks for it anew when a person presses R.
func (b *browser) awaitDetails(what string, texts ...string) {
	b.t.Helper()
	wanted, err := json.Marshal(texts)
	require.NoError(b.t, err)
	b.await(what, `(() => {
		const now = `+details+`;
		if (`+string(wanted)+`.every(text => now.includes(text))) return now;
		if (window.lastPressed == null || Date.now() - window.lastPressed > 500) {
			window.lastPressed = Date.now();
			document.dispatchEvent(new KeyboardEvent("keydown", {key: "r", code: "KeyR", bubbles: true}));
		}
		return false;
	})()`)
}

// send sends a verb by the Update dialog, as the table says.
func (b *browser) send(verb patch.Verb, reason string) {
	b.t.Helper()
	b.await("the table says what to send", details+`.includes("patchtide wave `+string(verb)+` ")`)
	b.press("button[aria-controls=workflow-actions]")
	b.press("[data-testid=update-button]")
	b.press("dialog[open] [data-testid=update-select-button]")
	b.await(
		"each verb says what it does",
		`[...document.querySelectorAll("dialog[open] li[role=option]")].filter(o => o.innerText.trim().includes("\n")).length == `+strconv.Itoa(
			len(patch.Verbs()),
		),
	)
	b.keep("update-" + string(verb))
	b.do(
		"choose "+string(verb),
		chromedp.Evaluate(
			`[...document.querySelectorAll("dialog[open] li[role=option]")].find(o => o.innerText.trim().split("\n")[0].trim() == "`+string(
				verb,
			)+`").click()`,
			nil,
		),
	)
	data, err := json.Marshal(map[string]string{"actor": "alice", "reason": reason})
	require.NoError(b.t, err)
	b.write("dialog[open]", string(data))
	b.press("dialog[open] [data-testid=confirm-modal-button]")
	b.await("the dialog closes, for the Update was taken", `!document.querySelector("dialog[open]")`)
}
