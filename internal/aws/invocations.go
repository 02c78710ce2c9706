package aws

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// Invocation is a command on one instance. Its status is the invocation's, which only ListCommandInvocations tells:
// GetCommandInvocation tells that of one plugin, which may never have begun (API reference of GetCommandInvocation).
type Invocation struct {
	Command  string
	Instance string
	Status   ssmtypes.CommandInvocationStatus
	Details  string // as StatusDetails: DeliveryTimedOut, ExecutionTimedOut, ...
	ExitCode int32  // of the step that ran; -1 where none did
	Stdout   string // filled by ReadOutput
	Stderr   string
	Step     string // the document's step that ran: the first that failed, else the last; "": none has told yet

	steps int // those of the document
}

// skippedStep begins the output that the agent gives a step which is not for this system: a document for several
// systems lists them all, and those that were passed over as successes.
const skippedStep = "Step execution skipped"

func invocationOf(listed ssmtypes.CommandInvocation) Invocation {
	v := Invocation{
		Command: Deref(listed.CommandId), Instance: Deref(listed.InstanceId), Status: listed.Status,
		Details: Deref(listed.StatusDetails), ExitCode: -1, steps: len(listed.CommandPlugins),
	}
	for _, plugin := range listed.CommandPlugins {
		if plugin.Status == ssmtypes.CommandPluginStatusPending || strings.HasPrefix(Deref(plugin.Output), skippedStep) {
			continue
		}
		v.Step, v.ExitCode = Deref(plugin.Name), plugin.ResponseCode
		if plugin.Status == ssmtypes.CommandPluginStatusFailed || plugin.Status == ssmtypes.CommandPluginStatusTimedOut {
			break
		}
	}
	return v
}

// Over reports whether the invocation is terminal.
func (v Invocation) Over() bool {
	switch v.Status {
	case ssmtypes.CommandInvocationStatusSuccess, ssmtypes.CommandInvocationStatusFailed,
		ssmtypes.CommandInvocationStatusCancelled, ssmtypes.CommandInvocationStatusTimedOut:
		return true
	}
	return false
}

// Succeeded reports whether every step that was for this system succeeded.
func (v Invocation) Succeeded() bool { return v.Status == ssmtypes.CommandInvocationStatusSuccess }

// Failed reports whether a step ran on the machine to an end of its own that is no success.
func (v Invocation) Failed() bool {
	return v.Status == ssmtypes.CommandInvocationStatusFailed && v.Step != "" && v.ExitCode > 0
}

// ReadOutput fills in what the step that ran has printed, which is nothing where none did. A document of several steps
// is asked by the step's name: AWS refuses to guess (InvalidPluginName).
func (v *Invocation) ReadOutput(ctx context.Context, s *Services, where string) error {
	if v.Step == "" {
		return nil
	}
	in := &ssm.GetCommandInvocationInput{CommandId: &v.Command, InstanceId: &v.Instance}
	if v.steps > 1 {
		in.PluginName = &v.Step
	}
	out, err := s.SSM.GetCommandInvocation(ctx, in)
	if IsNotFound(err) {
		return nil
	}
	if err != nil {
		return Wrap("read a command's output", where, err)
	}
	v.Stdout, v.Stderr = Deref(out.StandardOutputContent), Deref(out.StandardErrorContent)
	return nil
}

// DescribeEnd says in one line how it ended and why.
func (v Invocation) DescribeEnd() string {
	text := v.Details
	if text == "" {
		text = string(v.Status)
	}
	if v.ExitCode > 0 {
		text += fmt.Sprintf(", exit code %d", v.ExitCode)
	}
	if reason := v.reason(); reason != "" {
		text += ": " + reason
	}
	return text
}

// mostStderr is how much of a step's errors there is to read, from their beginning (API reference of
// GetCommandInvocation); stderrCut is told where there was more.
const (
	mostStderr = 8000
	stderrCut  = "Systems Manager keeps the first 8,000 characters of its errors: the last ones are on the machine only"
)

// agentsWords begin the line that the agent puts below a failed script's own errors: it repeats the exit code.
const agentsWords = "failed to run commands: "

// reason is the line that most probably says why the step failed: the last of its errors that is its own and whole,
// else the last that AWS-RunPatchBaseline printed as an error.
func (v Invocation) reason() string {
	own, agents, cut := "", "", len([]rune(v.Stderr)) >= mostStderr
	lines := strings.Split(strings.TrimSpace(v.Stderr), "\n")
	if last := len(lines) - 1; isCutNote(lines[last]) {
		lines, cut = lines[:last], true
	}
	if cut && len(lines) > 1 {
		lines = lines[:len(lines)-1] // a part of a line
	}
	for _, line := range lines {
		switch line = strings.TrimSpace(line); {
		case strings.HasPrefix(line, agentsWords):
			agents = line
		case line != "":
			own = line
		}
	}
	if own == "" {
		for line := range strings.Lines(v.Stdout) {
			if strings.Contains(line, "[ERROR]") {
				own = line
			}
		}
	}
	if own == "" {
		own = agents
	}
	if own = lastLine(own); cut {
		own += " (" + stderrCut + ")"
	}
	return own
}

// isCutNote reports whether a line is what stands where the rest was cut off: AWS and its agents have had several.
func isCutNote(line string) bool {
	return strings.HasPrefix(line, "--") && strings.HasSuffix(strings.TrimRight(line, "-\r"), "truncated")
}

// lastLine is the last line that says something, short enough for a table.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	line := strings.TrimSpace(lines[len(lines)-1])
	if runes := []rune(line); len(runes) > 200 {
		return string(runes[:200]) + "…"
	}
	return line
}

// FindInvocation reads how a command goes on an instance; nil when Systems Manager does not list it, which is so for a
// moment after it was sent and again when its history of 30 days is over. It is not asked for by instance: such a list
// leaves out what no agent has fetched (API reference of ListCommandInvocations).
func FindInvocation(ctx context.Context, s *Services, where, instance, command string) (*Invocation, error) {
	found, err := ReadInvocations(ctx, s, where, command)
	if v, listed := found[instance]; listed {
		return &v, err
	}
	return nil, err
}

// ReadInvocations reads how a command goes on each of its instances, by instance id. It is empty for a moment after the
// command was sent.
func ReadInvocations(ctx context.Context, s *Services, where, command string) (map[string]Invocation, error) {
	return readInvocations(ctx, s, where, &ssm.ListCommandInvocationsInput{
		CommandId: &command, Details: true, MaxResults: Ptr(int32(CommandsPage)),
	})
}

func readInvocations(
	ctx context.Context, s *Services, where string, in *ssm.ListCommandInvocationsInput,
) (map[string]Invocation, error) {
	found := map[string]Invocation{}
	pages := ssm.NewListCommandInvocationsPaginator(s.SSM, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if IsNotFound(err) {
			return nil, nil
		}
		if err != nil {
			return nil, Wrap("read a command's invocations", where, err)
		}
		for _, listed := range page.CommandInvocations {
			found[Deref(listed.InstanceId)] = invocationOf(listed)
		}
	}
	return found, nil
}
