package contract

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func identities() Scenario {
	return Scenario{
		Name: "identities",
		Needs: func(e *Endpoint) string {
			if e.Role == "" {
				return "a role to assume"
			}
			return ""
		},
		Steps: func(c *Clients) []Step {
			ask := func(duration int32, name string) (*sts.AssumeRoleOutput, error) {
				in := &sts.AssumeRoleInput{RoleArn: &c.Role, RoleSessionName: &name, DurationSeconds: &duration}
				if c.ExternalID != "" {
					in.ExternalId = &c.ExternalID
				}
				return c.STS.AssumeRole(context.Background(), in)
			}
			return []Step{
				{"the caller has an account and an ARN in it", func(ctx context.Context) error {
					out, err := c.STS.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
					if err != nil {
						return err
					}
					if !strings.Contains(aws.ToString(out.Arn), ":"+aws.ToString(out.Account)+":") || aws.ToString(out.UserId) == "" {
						return fmt.Errorf("got account %s, ARN %s", aws.ToString(out.Account), aws.ToString(out.Arn))
					}
					return same("account", c.Account, aws.ToString(out.Account))
				}},
				{"an assumed role is who calls with its keys", func(ctx context.Context) error {
					out, err := ask(900, "contract")
					if err != nil {
						return err
					}
					if !strings.HasSuffix(*out.AssumedRoleUser.Arn, "/contract") || !strings.HasSuffix(
						*out.AssumedRoleUser.AssumedRoleId, ":contract",
					) {
						return fmt.Errorf(
							"the session's name is in neither %s nor %s", *out.AssumedRoleUser.Arn, *out.AssumedRoleUser.AssumedRoleId,
						)
					}
					config := c.Config.Copy()
					config.Credentials = credentials.NewStaticCredentialsProvider(
						*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken,
					)
					who, err := sts.NewFromConfig(config).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
					if err != nil {
						return err
					}
					return errors.Join(
						same("caller", *out.AssumedRoleUser.Arn, aws.ToString(who.Arn)),
						same("the role's account", strings.Split(c.Role, ":")[4], aws.ToString(who.Account)),
					)
				}},
				{"keys end when they were asked to", func(context.Context) error {
					short, err := ask(900, "short")
					if err != nil {
						return err
					}
					long, err := ask(3600, "long")
					if err != nil {
						return err
					}
					between := long.Credentials.Expiration.Sub(*short.Credentials.Expiration)
					if between < 44*time.Minute || between > 46*time.Minute {
						return fmt.Errorf("an hour's keys end %s after a quarter's", between)
					}
					return nil
				}},
				{"a duration under 15 minutes is refused", func(context.Context) error {
					_, err := ask(60, "brief")
					return refused(err, "ValidationError")
				}},
				{"a role that does not exist is refused", func(ctx context.Context) error {
					_, err := c.STS.AssumeRole(
						ctx,
						&sts.AssumeRoleInput{
							RoleArn:         aws.String("arn:aws:iam::" + c.Account + ":role/" + c.Prefix + "nobody"),
							RoleSessionName: aws.String("contract"),
						},
					)
					return refused(err, "AccessDenied")
				}},
			}
		},
	}
}
