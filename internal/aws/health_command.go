package aws

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/patchtide/patchtide/internal/patch"
)

// longestCommand bounds a script of a check: it travels within the probe's, and with the plan.
const longestCommand = 1024

func checkCommand(where string, of patch.HealthCheck) error {
	check := of.Command
	switch {
	case (check.Run == "") == (check.Document == ""):
		return Final(InvalidInput, "%s: command check: write either run or document", where)
	case len(check.Run) > longestCommand:
		return Final(InvalidInput, "%s: command check: run has %d characters, and may have %d", where, len(check.Run),
			longestCommand)
	case check.Run != "" && check.Timeout <= 0:
		return Final(InvalidInput, "%s: command check: run has no timeout", where)
	}
	return nil
}

// askDocument sends a document as a command of its own unless it is under way, and reads how it ended. What AWS finds
// wrong with it, a name or a parameter, is the answer: the plan is to be corrected.
func (l *healthLook) askDocument(ctx context.Context, check patch.HealthCheck) (*patch.Answer, error) {
	document := check.Command.Document
	parameters := map[string][]string{}
	for name, value := range check.Command.Parameters {
		parameters[name] = []string{value}
	}
	ended, err := l.command(ctx, "document "+document+" "+parametersKey(parameters), func() (string, error) {
		return sendCommand(ctx, l.services, &ssm.SendCommandInput{
			DocumentName: &document, InstanceIds: []string{l.Instance.ID}, Parameters: parameters,
			TimeoutSeconds: Ptr(int32(deliverWithin)), Comment: Ptr(probeComment),
		})
	}, "the document "+document)
	answer := patch.Answer{Check: check, Status: -1}
	switch {
	case HasCode(err, codeInvalidDocument, codeInvalidParameters):
		answer.Said = err.Error()
	case err != nil:
		return nil, err
	case ended == nil:
		return nil, nil
	case ended.refused:
		answer.Said = "its SSM agent takes no command now"
	case ended.Succeeded():
		answer.Status = 0
	default:
		answer.Said = ended.DescribeEnd()
		if ended.ExitCode > 0 {
			answer.Status = int(ended.ExitCode)
		}
	}
	return &answer, nil
}

// parametersKey tells two checks of one document apart.
func parametersKey(parameters map[string][]string) string {
	text := ""
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		text += name + "=" + strconv.Quote(parameters[name][0]) + ";"
	}
	return digest(text)
}
