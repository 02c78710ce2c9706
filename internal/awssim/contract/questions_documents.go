package contract

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/google/uuid"
)

func stepTimeout() Question {
	return Question{
		Name: "scan-step-timeout",
		Asks: "Has AWS-RunPatchBaseline a parameter StepTimeoutSeconds here, and what may its value be?",
		Believed: "declared, with the pattern " +
			"([1-9][0-9]{0,3})|([1-2][0-9]{4})|(3[0-5][0-9]{3})|(36000)",
		Doubts:  map[string]string{"no-step-timeout": "not declared"},
		Matters: "every scan and every install names it; where it is not declared each of them is refused",
		Ask: func(ctx context.Context, c *Clients) (string, error) {
			out, err := c.SSM.GetDocument(ctx, &ssm.GetDocumentInput{
				Name: aws.String("AWS-RunPatchBaseline"), DocumentFormat: types.DocumentFormatJson,
			})
			if err != nil {
				return "", err
			}
			var content struct {
				Parameters map[string]struct {
					Pattern string `json:"allowedPattern"`
				} `json:"parameters"`
			}
			if err := json.Unmarshal([]byte(aws.ToString(out.Content)), &content); err != nil {
				return "", err
			}
			parameter, declared := content.Parameters["StepTimeoutSeconds"]
			switch {
			case !declared:
				return "not declared", nil
			case parameter.Pattern == "":
				return "declared, without a pattern", nil
			}
			return "declared, with the pattern " + parameter.Pattern, nil
		},
	}
}

// ubuntu makes a baseline for Ubuntu, whose rule approves after so many days; nil: it does not say.
func (c *Clients) ubuntu(ctx context.Context, name string, days *int32, token string) (*string, error) {
	in := &ssm.CreatePatchBaselineInput{
		Name: aws.String(c.Prefix + name), OperatingSystem: types.OperatingSystemUbuntu,
		ApprovalRules: &types.PatchRuleGroup{PatchRules: []types.PatchRule{{
			ApproveAfterDays: days, PatchFilterGroup: &types.PatchFilterGroup{
				PatchFilters: []types.PatchFilter{{Key: types.PatchFilterKeyPriority, Values: []string{"Required"}}},
			},
		}}},
	}
	if token != "" {
		in.ClientToken = &token
	}
	out, err := c.SSM.CreatePatchBaseline(ctx, in)
	if err != nil {
		return nil, err
	}
	c.Later(func(ctx context.Context) error { return c.dropBaseline(ctx, out.BaselineId) })
	return out.BaselineId, nil
}

// dropBaseline deletes a baseline; one that is gone already is no error, as AWS says.
func (c *Clients) dropBaseline(ctx context.Context, id *string) error {
	_, err := c.SSM.DeletePatchBaseline(ctx, &ssm.DeletePatchBaselineInput{BaselineId: id})
	return err
}

func daysMissing() Question {
	return Question{
		Name:     "baseline-without-days",
		Asks:     "Is a baseline for Ubuntu refused whose rule has neither ApproveAfterDays nor ApproveUntilDate?",
		Believed: "ValidationException",
		Matters:  "Patchtide sends 0, which has to be right either way",
		Ask: func(ctx context.Context, c *Clients) (string, error) {
			_, err := c.ubuntu(ctx, "no-days", nil, "")
			return codeOf(err)
		},
	}
}

func daysGivenBack() Question {
	return Question{
		Name:     "baseline-days-given-back",
		Asks:     "Which ApproveAfterDays does GetPatchBaseline give back of a baseline for Ubuntu that was made with 0?",
		Believed: "0",
		Matters:  "a difference would be seen as drift by every wave; nil and 0 are the same to Patchtide",
		Ask: func(ctx context.Context, c *Clients) (string, error) {
			id, err := c.ubuntu(ctx, "zero-days", aws.Int32(0), "")
			if err != nil {
				return "", err
			}
			out, err := c.SSM.GetPatchBaseline(ctx, &ssm.GetPatchBaselineInput{BaselineId: id})
			if err != nil {
				return "", err
			}
			days := out.ApprovalRules.PatchRules[0].ApproveAfterDays
			if days == nil {
				return "none", nil
			}
			return fmt.Sprint(*days), nil
		},
	}
}

func tokenOfDeleted() Question {
	return Question{
		Name:     "baseline-token-of-deleted",
		Asks:     "What does CreatePatchBaseline answer to the client token of a baseline that has been deleted?",
		Believed: "another baseline",
		Doubts:   map[string]string{"tokens-outlive-baselines": "the deleted baseline"},
		Matters:  "a wave would go on with a baseline that does not exist; it asks once more with another token",
		Ask: func(ctx context.Context, c *Clients) (string, error) {
			token := uuid.NewString()
			first, err := c.ubuntu(ctx, "token", aws.Int32(0), token)
			if err != nil {
				return "", err
			}
			if err := c.dropBaseline(ctx, first); err != nil {
				return "", err
			}
			second, err := c.ubuntu(ctx, "token", aws.Int32(0), token)
			switch {
			case err != nil:
				return codeOf(err)
			case *second == *first:
				return "the deleted baseline", nil
			}
			return "another baseline", nil
		},
	}
}
