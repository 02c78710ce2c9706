package aws

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
)

// HookComment is the comment by which a hook's command is found again: SendCommand has no client token.
func HookComment(token string) string { return "patchtide hook " + token }

// HookScript is a hook's script for a platform, a line each, below what it is told, and AWS's document that runs it.
func HookScript(platform patch.Platform, about patch.HookAbout, script string) (document string, lines []string) {
	document, set, quote := "AWS-RunShellScript", "export %s=%s", quoteShell
	parted := `{''{`
	if platform == patch.Windows {
		document, set, quote, parted = "AWS-RunPowerShellScript", "$env:%s = %s", quotePowerShell, "{' + '{"
	}
	for _, variable := range about.Variables() {
		// Two braces in a group's name would be taken for a parameter of Systems Manager.
		value := strings.ReplaceAll(quote(variable.Value), "{{", parted)
		lines = append(lines, fmt.Sprintf(set, variable.Name, value))
	}
	return document, append(lines, strings.Split(strings.TrimRight(script, "\r\n"), "\n")...)
}

// SendHook sends a hook's command. It may take so many seconds on the machine, and its agent as long to fetch it.
func SendHook(
	ctx context.Context, s *Services, in Instance, document string, parameters map[string][]string, token string,
	within int,
) (string, error) {
	return sendCommand(ctx, s, &ssm.SendCommandInput{
		DocumentName: &document, InstanceIds: []string{in.ID}, Parameters: parameters, Comment: Ptr(HookComment(token)),
		TimeoutSeconds: Ptr(int32(min(max(within, LeastDelivery), MostDelivery))),
	})
}

// ScriptParameters are those of AWS's documents that run scripts.
func ScriptParameters(lines []string, within int) map[string][]string {
	return map[string][]string{"commands": lines, "executionTimeout": {strconv.Itoa(within)}}
}

// FindHookCommand finds the command of a token: in the instance's list, which leaves out what its agent has not fetched
// yet, and then among all that were sent since a moment. Of several the first is it. The time is AWS's, of the last
// answer; "" when there is none.
func FindHookCommand(
	ctx context.Context, s *Services, where, instance, token string, since time.Time,
) (id string, at time.Time, err error) {
	found, at, err := findCommands(ctx, s, where, commandsOf(instance), commandPages, HookComment(token))
	if err == nil && len(found) == 0 && !since.IsZero() {
		found, at, err = findCommands(ctx, s, where, commandsSince(since), 0, HookComment(token))
	}
	if err != nil || len(found) == 0 {
		return "", at, err
	}
	return Deref(found[len(found)-1].CommandId), at, nil
}

// StartHookRunbook starts an Automation runbook of somebody's own, once per token: see FindStarted.
func StartHookRunbook(
	ctx context.Context, s *Services, document string, parameters map[string][]string, wave, token, subject string,
) (string, error) {
	out, err := s.SSM.StartAutomationExecution(ctx, &ssm.StartAutomationExecutionInput{
		DocumentName: &document, ClientToken: &token, Parameters: parameters,
		Tags: []ssmtypes.Tag{
			{Key: Ptr(names.TagAttempt + token), Value: &subject}, {Key: Ptr(names.TagWave), Value: &wave},
		},
	})
	if err != nil {
		return "", err
	}
	return Deref(out.AutomationExecutionId), nil
}

// HookExecution is how a runbook of somebody's own stands.
type HookExecution struct {
	Over   bool
	Failed string // why; "": it did not fail, or has not ended
	Output string // its outputs, a line each
}

// FindHookExecution reads it; nil when Automation does not list it yet.
func FindHookExecution(ctx context.Context, s *Services, where, id string) (*HookExecution, error) {
	out, err := s.SSM.GetAutomationExecution(ctx, &ssm.GetAutomationExecutionInput{AutomationExecutionId: &id})
	if IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, Wrap("read the hook's execution", where, err)
	}
	if out.AutomationExecution == nil {
		return nil, nil
	}
	got := out.AutomationExecution
	read := &HookExecution{Over: executionOver(got.AutomationExecutionStatus)}
	switch got.AutomationExecutionStatus {
	case ssmtypes.AutomationExecutionStatusSuccess, ssmtypes.AutomationExecutionStatusCompletedWithSuccess:
	default:
		if read.Over {
			read.Failed = strings.TrimSuffix(
				"its execution ended as "+string(got.AutomationExecutionStatus)+": "+lastLine(Deref(got.FailureMessage)), ": ",
			)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got.Outputs)) {
		read.Output += name + " = " + strings.Join(got.Outputs[name], ", ") + "\n"
	}
	if message := Deref(got.FailureMessage); message != "" {
		read.Output += message + "\n"
	}
	return read, nil
}

// StopHookExecution stops it, unless it has ended.
func StopHookExecution(ctx context.Context, s *Services, where, id string) error {
	_, err := s.SSM.StopAutomationExecution(ctx, &ssm.StopAutomationExecutionInput{
		AutomationExecutionId: &id, Type: ssmtypes.StopTypeCancel,
	})
	if err != nil && !IsExecutionOver(err) {
		return Wrap("stop the hook's execution", where, err)
	}
	return nil
}
