package contract

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

func parameters() Scenario {
	return Scenario{Name: "parameters", Steps: func(c *Clients) []Step {
		name := aws.String("/" + c.Prefix + "contract/webhook")
		put := func(ctx context.Context, value string, overwrite bool) (int64, error) {
			in := &ssm.PutParameterInput{Name: name, Value: &value, Type: types.ParameterTypeSecureString}
			if overwrite {
				in.Overwrite = aws.Bool(true)
			}
			out, err := c.SSM.PutParameter(ctx, in)
			if err != nil {
				return 0, err
			}
			return out.Version, nil
		}
		return []Step{
			{"a parameter is written and read", func(ctx context.Context) error {
				version, err := put(ctx, "one", false)
				if err != nil {
					return err
				}
				c.Later(func(ctx context.Context) error {
					_, err := c.SSM.DeleteParameter(ctx, &ssm.DeleteParameterInput{Name: name})
					return err
				})
				out, err := c.SSM.GetParameter(ctx, &ssm.GetParameterInput{Name: name, WithDecryption: aws.Bool(true)})
				if err != nil {
					return err
				}
				return errors.Join(
					same("version", 1, version), same("value", "one", *out.Parameter.Value),
					same("type", types.ParameterTypeSecureString, out.Parameter.Type),
				)
			}},
			{"a secret is not shown without decryption", func(ctx context.Context) error {
				out, err := c.SSM.GetParameter(ctx, &ssm.GetParameterInput{Name: name})
				if err != nil {
					return err
				}
				if strings.TrimSpace(*out.Parameter.Value) == "one" {
					return errors.New("the secret came in the clear")
				}
				return nil
			}},
			{"it is not overwritten by accident", func(ctx context.Context) error {
				_, err := put(ctx, "two", false)
				return refused(err, "ParameterAlreadyExists")
			}},
			{"overwritten, it has a new version", func(ctx context.Context) error {
				version, err := put(ctx, "two", true)
				return errors.Join(err, same("version", 2, version))
			}},
			{"several are read at once and the missing are named", func(ctx context.Context) error {
				out, err := c.SSM.GetParameters(
					ctx, &ssm.GetParametersInput{Names: []string{*name, *name + "-none"}, WithDecryption: aws.Bool(true)},
				)
				if err != nil {
					return err
				}
				return errors.Join(
					same("found", 1, len(out.Parameters)), same("missing", *name+"-none", strings.Join(out.InvalidParameters, " ")),
				)
			}},
			{"one that does not exist", func(ctx context.Context) error {
				_, err := c.SSM.GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String(*name + "-none")})
				return refused(err, "ParameterNotFound")
			}},
		}
	}}
}

// runbook is the smallest Automation document that does something: it waits.
const runbook = `{"schemaVersion":"0.3","description":"%s","parameters":{"Duration":{"type":"String","default":"PT10S"}},` +
	`"mainSteps":[{"name":"wait","action":"aws:sleep","inputs":{"Duration":"{{ Duration }}"},"isEnd":true}]}`

func (c *Clients) document(ctx context.Context, name, description string) (*string, error) {
	full := aws.String(c.Prefix + name)
	_, err := c.SSM.CreateDocument(ctx, &ssm.CreateDocumentInput{
		Name: full, Content: aws.String(fmt.Sprintf(runbook, description)), DocumentType: types.DocumentTypeAutomation,
		DocumentFormat: types.DocumentFormatJson,
	})
	if err != nil {
		return nil, err
	}
	c.Later(func(ctx context.Context) error {
		_, err := c.SSM.DeleteDocument(ctx, &ssm.DeleteDocumentInput{Name: full})
		return err
	})
	return full, nil
}

func documents() Scenario {
	return Scenario{Name: "documents", Steps: func(c *Clients) []Step {
		var name *string
		var hash string
		return []Step{
			{"a document is made and described", func(ctx context.Context) (err error) {
				if name, err = c.document(ctx, "documents", "one"); err != nil {
					return err
				}
				return c.eventually(ctx, func() (bool, string, error) {
					out, err := c.SSM.DescribeDocument(ctx, &ssm.DescribeDocumentInput{Name: name})
					if err != nil {
						return false, "", err
					}
					d := out.Document
					hash = aws.ToString(d.Hash)
					return d.Status == types.DocumentStatusActive, "it is " + string(d.Status), errors.Join(
						same("version", "1", *d.DocumentVersion), same("default", "1", *d.DefaultVersion),
						same("type", types.DocumentTypeAutomation, d.DocumentType),
						same("schema", "0.3", *d.SchemaVersion), same("kind of hash", types.DocumentHashTypeSha256, d.HashType),
					)
				})
			}},
			{"a name in use", func(ctx context.Context) error {
				_, err := c.document(ctx, "documents", "two")
				return refused(err, "DocumentAlreadyExists")
			}},
			{"the same content is no new version", func(ctx context.Context) error {
				_, err := c.SSM.UpdateDocument(
					ctx,
					&ssm.UpdateDocumentInput{
						Name: name, Content: aws.String(fmt.Sprintf(runbook, "one")), DocumentVersion: aws.String("$LATEST"),
						DocumentFormat: types.DocumentFormatJson,
					},
				)
				return refused(err, "DuplicateDocumentContent")
			}},
			{"a new version has another hash and is not the default", func(ctx context.Context) error {
				_, err := c.SSM.UpdateDocument(
					ctx,
					&ssm.UpdateDocumentInput{
						Name: name, Content: aws.String(fmt.Sprintf(runbook, "two")), DocumentVersion: aws.String("$LATEST"),
						DocumentFormat: types.DocumentFormatJson,
					},
				)
				if err != nil {
					return err
				}
				out, err := c.SSM.DescribeDocument(ctx, &ssm.DescribeDocumentInput{Name: name, DocumentVersion: aws.String("2")})
				if err != nil {
					return err
				}
				if *out.Document.Hash == hash {
					return errors.New("both versions have the same hash")
				}
				return errors.Join(
					same("default", "1", *out.Document.DefaultVersion), same("latest", "2", *out.Document.LatestVersion),
				)
			}},
			{"the default is what is got", func(ctx context.Context) error {
				got := func() (*ssm.GetDocumentOutput, error) {
					return c.SSM.GetDocument(ctx, &ssm.GetDocumentInput{Name: name, DocumentFormat: types.DocumentFormatJson})
				}
				out, err := got()
				if err != nil {
					return err
				}
				if _, err := c.SSM.UpdateDocumentDefaultVersion(
					ctx, &ssm.UpdateDocumentDefaultVersionInput{Name: name, DocumentVersion: aws.String("2")},
				); err != nil {
					return err
				}
				after, err := got()
				if err != nil {
					return err
				}
				return errors.Join(same("before", "1", *out.DocumentVersion), same("after", "2", *after.DocumentVersion))
			}},
			{"a version that does not exist", func(ctx context.Context) error {
				_, err := c.SSM.GetDocument(ctx, &ssm.GetDocumentInput{Name: name, DocumentVersion: aws.String("9")})
				return refused(err, "InvalidDocumentVersion", "InvalidDocument")
			}},
			{"a document that does not exist", func(ctx context.Context) error {
				_, err := c.SSM.DescribeDocument(ctx, &ssm.DescribeDocumentInput{Name: aws.String(c.Prefix + "nobody")})
				return refused(err, "InvalidDocument")
			}},
		}
	}}
}

func needsManaged(e *Endpoint) string {
	if e.Managed == "" {
		return "an instance with an agent that is online"
	}
	return ""
}

func commands() Scenario {
	return Scenario{Name: "commands", Needs: needsManaged, Steps: func(c *Clients) []Step {
		var command *string
		script := []string{"printf 000"}
		return []Step{
			{"a command is sent", func(ctx context.Context) error {
				out, err := c.SSM.SendCommand(ctx, &ssm.SendCommandInput{
					DocumentName: aws.String("AWS-RunShellScript"), InstanceIds: []string{c.Managed}, Comment: aws.String("contract"),
					Parameters: map[string][]string{"commands": script},
				})
				if err != nil {
					return err
				}
				command = out.Command.CommandId
				return errors.Join(
					same("document", "AWS-RunShellScript", *out.Command.DocumentName),
					same("comment", "contract", *out.Command.Comment),
					same("instances", c.Managed, strings.Join(out.Command.InstanceIds, " ")),
				)
			}},
			{"its invocation succeeds", func(ctx context.Context) error {
				return c.eventually(ctx, func() (bool, string, error) {
					out, err := c.SSM.GetCommandInvocation(
						ctx, &ssm.GetCommandInvocationInput{CommandId: command, InstanceId: &c.Managed},
					)
					if refused(err, "InvocationDoesNotExist") == nil {
						return false, "the invocation does not exist", nil
					}
					if err != nil {
						return false, "", err
					}
					return out.Status == types.CommandInvocationStatusSuccess, "it is " + string(out.Status), nil
				})
			}},
			{"its output is told", func(ctx context.Context) error {
				out, err := c.SSM.GetCommandInvocation(
					ctx, &ssm.GetCommandInvocationInput{CommandId: command, InstanceId: &c.Managed},
				)
				if err != nil {
					return err
				}
				return errors.Join(
					same("exit code", 0, out.ResponseCode), same("output", "000", strings.TrimSpace(*out.StandardOutputContent)),
				)
			}},
			{"it is listed for the instance", func(ctx context.Context) error {
				out, err := c.SSM.ListCommands(ctx, &ssm.ListCommandsInput{CommandId: command})
				if err != nil {
					return err
				}
				return same("commands", 1, len(out.Commands))
			}},
			{"a command that does not exist", func(ctx context.Context) error {
				_, err := c.SSM.GetCommandInvocation(
					ctx,
					&ssm.GetCommandInvocationInput{
						CommandId: aws.String("00000000-0000-4000-8000-000000000000"), InstanceId: &c.Managed,
					},
				)
				return refused(err, "InvocationDoesNotExist")
			}},
			{"a document that does not exist", func(ctx context.Context) error {
				_, err := c.SSM.SendCommand(
					ctx, &ssm.SendCommandInput{DocumentName: aws.String(c.Prefix + "nobody"), InstanceIds: []string{c.Managed}},
				)
				return refused(err, "InvalidDocument")
			}},
			{"an instance without an agent", func(ctx context.Context) error {
				_, err := c.SSM.SendCommand(ctx, &ssm.SendCommandInput{
					DocumentName: aws.String("AWS-RunShellScript"), InstanceIds: []string{"i-0123456789abcdef0"},
					Parameters: map[string][]string{"commands": {"true"}},
				})
				return refused(err, "InvalidInstanceId", "AccessDeniedException") // a role may be kept to instances by their tags
			}},
			{"the agent is known to be online", func(ctx context.Context) error {
				out, err := c.SSM.DescribeInstanceInformation(
					ctx,
					&ssm.DescribeInstanceInformationInput{
						Filters: []types.InstanceInformationStringFilter{{Key: aws.String("InstanceIds"), Values: []string{c.Managed}}},
					},
				)
				if err != nil {
					return err
				}
				if len(out.InstanceInformationList) != 1 {
					return fmt.Errorf("%d instances", len(out.InstanceInformationList))
				}
				return same("ping", types.PingStatusOnline, out.InstanceInformationList[0].PingStatus)
			}},
		}
	}}
}
