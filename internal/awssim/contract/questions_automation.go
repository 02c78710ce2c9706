package contract

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/google/uuid"
)

func tagKeyLag() Question {
	return Question{
		Name:     "automation-found-by-tag",
		Asks:     "Does DescribeAutomationExecutions find an execution by its tag's key within a minute of its start?",
		Believed: "within a minute",
		Matters:  "a lost reply of StartAutomationExecution is taken as not started after 60 s in which nothing is found",
		Ask: func(ctx context.Context, c *Clients) (string, error) {
			name, err := c.document(ctx, "lag", "lag")
			if err != nil {
				return "", err
			}
			key := "patchtide:attempt:" + uuid.NewString()
			if _, err := c.SSM.StartAutomationExecution(ctx, &ssm.StartAutomationExecutionInput{
				DocumentName: name, Tags: []types.Tag{{Key: &key, Value: aws.String("")}},
			}); err != nil {
				return "", err
			}
			for waited := time.Duration(0); waited <= 5*time.Minute; waited += calm {
				out, err := c.SSM.DescribeAutomationExecutions(ctx, &ssm.DescribeAutomationExecutionsInput{
					Filters: []types.AutomationExecutionFilter{
						{Key: types.AutomationExecutionFilterKeyTagKey, Values: []string{key}},
					},
				})
				switch {
				case err != nil:
					return "", err
				case len(out.AutomationExecutionMetadataList) > 0 && waited <= time.Minute:
					return "within a minute", nil
				case len(out.AutomationExecutionMetadataList) > 0:
					return "later than a minute", nil
				}
				if err := c.Pass(ctx, calm); err != nil {
					return "", err
				}
			}
			return "not within five minutes", nil
		},
	}
}

func tokenAgain() Question {
	return Question{
		Name:     "automation-token-again",
		Asks:     "What does StartAutomationExecution answer to a client token that it has been sent before?",
		Believed: "the same execution",
		Doubts:   map[string]string{"tokens-refused": "IdempotentParameterMismatch"},
		Matters:  "an attempt is repeated with its token, and looked for when it is refused",
		Ask: func(ctx context.Context, c *Clients) (string, error) {
			name, err := c.document(ctx, "token", "token")
			if err != nil {
				return "", err
			}
			in := &ssm.StartAutomationExecutionInput{DocumentName: name, ClientToken: aws.String(uuid.NewString())}
			first, err := c.SSM.StartAutomationExecution(ctx, in)
			if err != nil {
				return "", err
			}
			if err := c.Pass(ctx, calm); err != nil {
				return "", err
			}
			second, err := c.SSM.StartAutomationExecution(ctx, in)
			switch {
			case err != nil:
				return codeOf(err)
			case *second.AutomationExecutionId == *first.AutomationExecutionId:
				return "the same execution", nil
			}
			return "another execution", nil
		},
	}
}

// sending is a runbook that runs a script on a machine.
const sending = `{"schemaVersion":"0.3","parameters":{"Instance":{"type":"String"},"Script":{"type":"StringList"}},` +
	`"mainSteps":[{"name":"send","action":"aws:runCommand","onFailure":"Abort","inputs":{` +
	`"DocumentName":"AWS-RunShellScript","InstanceIds":["{{ Instance }}"],"Parameters":{"commands":"{{ Script }}"}}}]}`

func commandOfStep() Question {
	return Question{
		Name:     "automation-command-of-step",
		Asks:     "When does an aws:runCommand step tell its CommandId among its outputs?",
		Believed: "not while it runs; when it has failed; when it was cancelled",
		Matters:  "while it is not told, the command is looked for by instance and document",
		Needs:    needsMachines,
		Ask: func(ctx context.Context, c *Clients) (string, error) {
			id, err := c.machine(ctx, "step")
			if err != nil {
				return "", err
			}
			name := aws.String(c.Prefix + "step")
			if _, err := c.SSM.CreateDocument(ctx, &ssm.CreateDocumentInput{
				Name: name, Content: aws.String(sending), DocumentType: types.DocumentTypeAutomation,
				DocumentFormat: types.DocumentFormatJson,
			}); err != nil {
				return "", err
			}
			c.Later(func(ctx context.Context) error {
				_, err := c.SSM.DeleteDocument(ctx, &ssm.DeleteDocumentInput{Name: name})
				return err
			})
			failed, err := c.stepOf(ctx, name, id, fails)
			if err != nil {
				return "", err
			}
			after, err := c.untilStep(ctx, failed, types.AutomationExecutionStatusFailed)
			if err != nil {
				return "", err
			}
			long, err := c.stepOf(ctx, name, id, sleeps)
			if err != nil {
				return "", err
			}
			if _, err := c.untilStep(ctx, long, types.AutomationExecutionStatusInprogress); err != nil {
				return "", err
			}
			if err := c.Pass(ctx, 2*interval); err != nil {
				return "", err
			}
			while, err := c.untilStep(ctx, long, types.AutomationExecutionStatusInprogress)
			if err != nil {
				return "", err
			}
			if _, err := c.SSM.StopAutomationExecution(
				ctx, &ssm.StopAutomationExecutionInput{AutomationExecutionId: long, Type: types.StopTypeCancel},
			); err != nil {
				return "", err
			}
			cancelled, err := c.untilStep(ctx, long, types.AutomationExecutionStatusCancelled)
			if err != nil {
				return "", err
			}
			not := map[bool]string{true: "", false: "not "}
			return fmt.Sprintf("%swhile it runs; %swhen it has failed; %swhen it was cancelled",
				not[tellsCommand(while)], not[tellsCommand(after)], not[tellsCommand(cancelled)]), nil
		},
	}
}

func tellsCommand(step types.StepExecution) bool { return len(step.Outputs["CommandId"]) > 0 }

func (c *Clients) stepOf(ctx context.Context, document *string, id string, script []string) (*string, error) {
	if err := c.Pass(ctx, calm); err != nil {
		return nil, err
	}
	out, err := c.SSM.StartAutomationExecution(ctx, &ssm.StartAutomationExecutionInput{
		DocumentName: document, Parameters: map[string][]string{"Instance": {id}, "Script": script},
	})
	if err != nil {
		return nil, err
	}
	return out.AutomationExecutionId, nil
}

// untilStep waits until the only step of an execution has a status. Outputs may come later than that: some seconds are
// given to them.
func (c *Clients) untilStep(
	ctx context.Context, execution *string, want types.AutomationExecutionStatus,
) (step types.StepExecution, err error) {
	look := func() (bool, string, error) {
		out, err := c.SSM.DescribeAutomationStepExecutions(
			ctx, &ssm.DescribeAutomationStepExecutionsInput{AutomationExecutionId: execution},
		)
		if err != nil || len(out.StepExecutions) == 0 {
			return false, "there is no step yet", err
		}
		step = out.StepExecutions[0]
		return step.StepStatus == want, fmt.Sprintf("the step is %s, not %s", step.StepStatus, want), nil
	}
	if err := c.eventually(ctx, look); err != nil {
		return step, err
	}
	if err := c.Pass(ctx, 2*interval); err != nil {
		return step, err
	}
	_, _, err = look()
	return step, err
}
