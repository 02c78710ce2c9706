package world

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

const installRunbook = `
schemaVersion: "0.3"
description: facts, install, facts
parameters:
  InstanceId: {type: String}
  SnapshotId: {type: String, default: ""}
  Facts: {type: StringList, default: ["# patchtide:facts"]}
  StepSeconds: {type: String, default: "3600"}
mainSteps:
  - name: before
    action: aws:runCommand
    timeoutSeconds: 600
    onFailure: Continue
    isCritical: false
    inputs:
      DocumentName: AWS-RunShellScript
      InstanceIds: ["{{ InstanceId }}"]
      Parameters: {commands: "{{ Facts }}"}
  - name: install
    action: aws:runCommand
    maxAttempts: 1
    timeoutSeconds: 1800
    onFailure: step:after
    inputs:
      DocumentName: AWS-RunPatchBaseline
      InstanceIds: ["{{ InstanceId }}"]
      Comment: "run {{ automation:EXECUTION_ID }}"
      Parameters:
        Operation: Install
        RebootOption: RebootIfNeeded
        SnapshotId: "{{ SnapshotId }}"
        StepTimeoutSeconds: "{{ StepSeconds }}"
  - name: after
    action: aws:runCommand
    timeoutSeconds: 600
    isEnd: true
    inputs:
      DocumentName: AWS-RunShellScript
      InstanceIds: ["{{ InstanceId }}"]
      TimeoutSeconds: 60
      Parameters: {commands: ["# patchtide:facts", "exit 0"]}
outputs: [before.Output, install.Status, after.Output]
`

func startInstall(t *testing.T, i *Instance) *Execution {
	t.Helper()
	e, err := i.Region.StartAutomation(StartSpec{
		Document: "Install", Parameters: map[string][]string{"InstanceId": {i.ID}},
		ClientToken: uuid.NewString(), Tags: Tags{"patchtide:attempt:x": ""},
	})
	require.NoError(t, err)
	return e
}

func withRunbook(t *testing.T, r *Region) {
	t.Helper()
	_, err := r.CreateDocument("Install", "Automation", "YAML", installRunbook, "", nil)
	require.NoError(t, err)
}

func TestAutomationInstalls(t *testing.T) {
	w := newWorld(t, "healthy")
	r := staging(w)
	withRunbook(t, r)
	critical7(t, r)
	i := r.Instances()[0]
	boot := i.BootID()
	e := startInstall(t, i)
	require.Equal(t, "InProgress", e.Status)
	_, seen := e.StatusAt(w.Now().Add(-time.Second))
	require.False(t, seen, "a lagging read does not know it yet")
	elapse(t, w, time.Minute)
	require.Equal(t, "install", e.Current().Step)
	require.NotEmpty(t, e.Current().Outputs["CommandId"])
	elapse(t, w, 3*time.Minute)
	require.Equal(t, "Success", e.Status, e.Failure)
	require.Contains(t, e.Outputs["before.Output"][0], boot)
	require.Contains(t, e.Outputs["after.Output"][0], i.BootID()[:8])
	require.Equal(t, []string{"Success"}, e.Outputs["install.Status"])
	command := r.Command(e.Steps[1].Outputs["CommandId"][0])
	require.Equal(t, "run "+e.ID, command.Comment)
	for _, step := range e.Steps {
		require.Equal(t, "Success", step.Status, step.Step)
	}
}

func TestAutomationAfterAFailedInstall(t *testing.T) {
	w := faulty(t, "    - {kind: install_fails, account: staging}\n")
	r := staging(w)
	withRunbook(t, r)
	critical7(t, r)
	e := startInstall(t, r.Instances()[0])
	elapse(t, w, 5*time.Minute)
	require.Equal(t, "Failed", e.Status, "a critical step failed, though the next one ran")
	require.Equal(t, "Failed", e.Steps[1].Status)
	require.Equal(t, "Success", e.Steps[2].Status)
}

func TestAutomationStepTimesOutWhileItsCommandRuns(t *testing.T) {
	w := faulty(t, "    - {kind: reboot_hangs, account: staging}\n")
	r := staging(w)
	withRunbook(t, r)
	critical7(t, r)
	e := startInstall(t, r.Instances()[0])
	elapse(t, w, 32*time.Minute)
	require.Equal(t, "TimedOut", e.Steps[1].Status)
	command := r.Command(e.Steps[1].Outputs["CommandId"][0])
	require.Equal(t, "InProgress", command.Status(), "the step ended, its command did not")
	elapse(t, w, time.Hour)
	require.True(t, e.Done())
	require.Equal(t, "TimedOut", e.Status, "the agent never fetched the last command, and its step did not wait for that")
	elapse(t, w, time.Hour)
	require.True(t, command.Done())
}

func TestStopIsAsynchronous(t *testing.T) {
	w := newWorld(t, "healthy")
	r := staging(w)
	withRunbook(t, r)
	critical7(t, r)
	i := r.Instances()[0]
	e := startInstall(t, i)
	elapse(t, w, 60*time.Second) // in the middle of the package transaction
	require.NoError(t, e.Stop("Cancel"))
	require.NoError(t, e.Stop("Cancel"))
	require.Equal(t, "Cancelling", e.Status)
	elapse(t, w, 4*time.Second)
	require.Equal(t, "Cancelled", e.Status)
	command := r.Command(e.Steps[1].Outputs["CommandId"][0])
	require.Equal(t, "Cancelling", command.Status(), "the execution is terminal, its command is not")
	elapse(t, w, 10*time.Second)
	require.Equal(t, "Cancelled", command.Status())
	require.Equal(t, 4, i.BehindBy(), "what was installed stays installed")
	requireCode(t, e.Stop("Cancel"), "InvalidAutomationStatusUpdateException")
}

func TestClientTokenAndLimits(t *testing.T) {
	w := newWorld(t, "healthy")
	r := staging(w)
	withRunbook(t, r)
	_, err := r.CreateDocument("Sleep", "Automation", "JSON",
		`{"schemaVersion":"0.3","mainSteps":[{"name":"nap","action":"aws:sleep","inputs":{"Duration":"PT10M"}}]}`, "", nil)
	require.NoError(t, err)
	token := uuid.NewString()
	first, err := r.StartAutomation(StartSpec{Document: "Sleep", ClientToken: token})
	require.NoError(t, err)
	again, err := r.StartAutomation(StartSpec{Document: "Sleep", ClientToken: token})
	require.NoError(t, err)
	require.Same(t, first, again)
	_, err = r.StartAutomation(
		StartSpec{Document: "Install", ClientToken: token, Parameters: map[string][]string{"InstanceId": {"i-1"}}},
	)
	requireCode(t, err, "IdempotentParameterMismatch")
	_, err = r.StartAutomation(StartSpec{Document: "Sleep", ClientToken: "once"})
	requireCode(t, err, "ValidationException")
	_, err = r.StartAutomation(StartSpec{Document: "Sleep", Version: "2"})
	requireCode(t, err, "AutomationDefinitionVersionNotFoundException")
	_, err = r.StartAutomation(StartSpec{Document: "Install"})
	requireCode(t, err, "InvalidAutomationExecutionParametersException")

	var last *Execution
	for range AutomationAtOnce {
		last, err = r.StartAutomation(StartSpec{Document: "Sleep"})
		require.NoError(t, err)
	}
	require.Equal(t, "Pending", last.Status, "the hundred and first waits")
	elapse(t, w, 9*time.Minute)
	require.Equal(t, "Pending", last.Status)
	elapse(t, w, 2*time.Minute)
	require.Equal(t, "InProgress", last.Status)
	elapse(t, w, 10*time.Minute)
	require.Equal(t, "Success", last.Status)
}

func TestDocumentVersions(t *testing.T) {
	r := staging(newWorld(t, "healthy"))
	withRunbook(t, r)
	_, err := r.CreateDocument("Install", "Automation", "YAML", installRunbook, "", nil)
	requireCode(t, err, "DocumentAlreadyExists")
	_, err = r.UpdateDocument("Install", "$LATEST", "YAML", installRunbook, "")
	requireCode(t, err, "DuplicateDocumentContent")
	version, err := r.UpdateDocument("Install", "$LATEST", "YAML", installRunbook+"\n# changed\n", "")
	require.NoError(t, err)
	require.Equal(t, 2, version.Version)
	_, err = r.UpdateDocument("Install", "1", "YAML", installRunbook+"\n# again\n", "")
	requireCode(t, err, "InvalidDocumentVersion")
	document, err := r.Document("Install")
	require.NoError(t, err)
	at, err := document.At("$DEFAULT")
	require.NoError(t, err)
	require.Equal(t, 1, at.Version)
	_, err = r.SetDefaultVersion("Install", "2")
	require.NoError(t, err)
	at, err = document.At("")
	require.NoError(t, err)
	require.Equal(t, version.Hash, at.Hash)
}

func TestBranchAndTags(t *testing.T) {
	w := newWorld(t, "healthy")
	r := staging(w)
	i := r.Instances()[0]
	_, err := r.CreateDocument("Branch", "Automation", "YAML", `
schemaVersion: "0.3"
parameters: {Kind: {type: String, allowedValues: [a, b]}, InstanceId: {type: String}}
mainSteps:
  - name: choose
    action: aws:branch
    inputs:
      Choices: [{NextStep: mark, Variable: "{{ Kind }}", StringEquals: a}]
      Default: nap
  - name: mark
    action: aws:createTags
    isEnd: true
    inputs: {ResourceType: EC2, ResourceIds: ["{{ InstanceId }}"], Tags: [{Key: Kind, Value: "{{ Kind }}"}]}
  - name: nap
    action: aws:sleep
    inputs: {Duration: PT1S}
`, "", nil)
	require.NoError(t, err)
	start := func(kind string) *Execution {
		e, err := r.StartAutomation(
			StartSpec{Document: "Branch", Parameters: map[string][]string{"Kind": {kind}, "InstanceId": {i.ID}}},
		)
		require.NoError(t, err)
		elapse(t, w, time.Minute)
		require.Equal(t, "Success", e.Status, e.Failure)
		return e
	}
	require.Equal(t, "Pending", start("b").Steps[1].Status)
	require.Empty(t, i.Tags["Kind"])
	require.Equal(t, "Pending", start("a").Steps[2].Status)
	require.Equal(t, "a", i.Tags["Kind"])
	_, err = r.StartAutomation(
		StartSpec{Document: "Branch", Parameters: map[string][]string{"Kind": {"c"}, "InstanceId": {i.ID}}},
	)
	requireCode(t, err, "InvalidAutomationExecutionParametersException")
}

func TestAssumeRoleMustBeOfTheAccount(t *testing.T) {
	r := staging(newWorld(t, "healthy"))
	_, err := r.CreateDocument("Role", "Automation", "YAML", `
schemaVersion: "0.3"
assumeRole: "{{ Role }}"
parameters: {Role: {type: String, default: ""}}
mainSteps: [{name: nap, action: "aws:sleep", inputs: {Duration: PT1S}}]
`, "", nil)
	require.NoError(t, err)
	cases := []struct {
		name, role string
		known      bool
	}{
		{"none", "", true},
		{"ours", "arn:aws:iam::222233334444:role/patchtide-automation", true},
		{"unknown", "arn:aws:iam::222233334444:role/nobody", false},
		{"another account's", "arn:aws:iam::111122223333:role/patchtide-automation", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := r.StartAutomation(StartSpec{Document: "Role", Parameters: map[string][]string{"Role": {c.role}}})
			if c.known {
				require.NoError(t, err)
				return
			}
			requireCode(t, err, "InvalidAutomationExecutionParametersException")
		})
	}
}

// Without a role of its own an execution acts for 12 hours only: what it does then fails.
func TestAnExecutionActsAsItsCallerForTwelveHours(t *testing.T) {
	for _, c := range []struct{ name, nap, role, want string }{
		{"as its caller, in time", "PT11H", "", "Success"},
		{"as its caller, too late", "PT12H", "", "Failed"},
		{"with a role", "PT12H", "arn:aws:iam::222233334444:role/patchtide-automation", "Success"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, "healthy")
			r := staging(w)
			_, err := r.CreateDocument("Late", "Automation", "YAML", `
schemaVersion: "0.3"
assumeRole: "{{ Role }}"
parameters: {Role: {type: String, default: ""}, InstanceId: {type: String}}
mainSteps:
  - {name: nap, action: "aws:sleep", inputs: {Duration: `+c.nap+`}}
  - name: run
    action: aws:runCommand
    inputs:
      DocumentName: AWS-RunShellScript
      InstanceIds: ["{{ InstanceId }}"]
      Parameters: {commands: ["# patchtide:facts"]}
`, "", nil)
			require.NoError(t, err)
			parameters := map[string][]string{"InstanceId": {r.Instances()[0].ID}}
			if c.role != "" {
				parameters["Role"] = []string{c.role}
			}
			e, err := r.StartAutomation(StartSpec{Document: "Late", Parameters: parameters})
			require.NoError(t, err)
			elapse(t, w, 13*time.Hour)
			require.Equal(t, c.want, e.Status, e.Failure)
			if c.want == "Failed" {
				require.Contains(t, e.Failure, "ExpiredTokenException")
			}
		})
	}
}

func TestAutomationQueueIsFull(t *testing.T) {
	w := newWorld(t, "healthy")
	r := staging(w)
	_, err := r.CreateDocument("Sleep", "Automation", "JSON",
		`{"schemaVersion":"0.3","mainSteps":[{"name":"nap","action":"aws:sleep","inputs":{"Duration":"PT10M"}}]}`, "", nil)
	require.NoError(t, err)
	token := uuid.NewString()
	for n := range AutomationAtOnce + AutomationQueue {
		spec := StartSpec{Document: "Sleep"}
		if n == 0 {
			spec.ClientToken = token
		}
		_, err := r.StartAutomation(spec)
		require.NoError(t, err)
	}
	_, err = r.StartAutomation(StartSpec{Document: "Sleep"})
	requireCode(t, err, "AutomationExecutionLimitExceededException")
	_, err = r.StartAutomation(StartSpec{Document: "Sleep", ClientToken: token})
	require.NoError(t, err, "one that runs already is told, full or not")
	elapse(t, w, 11*time.Minute)
	last, err := r.StartAutomation(StartSpec{Document: "Sleep"})
	require.NoError(t, err, "a hundred have ended")
	require.Equal(t, "Pending", last.Status)
}
