package contract_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"

	"github.com/patchtide/patchtide/internal/awssim/contract"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// functions are invoked, and refused in each way that a client tells apart.
func functions(s *simulator) contract.Scenario {
	return scenario("functions", func(c *contract.Clients) []contract.Step {
		client := lambda.NewFromConfig(c.Config)
		s.Inspect(func(*world.World) {
			s.region.PutFunction(world.FunctionSpec{
				Name: "drain", Aliases: []string{"live"}, Says: "drained", Returns: `{"ok": 1}`,
			})
			s.region.PutFunction(world.FunctionSpec{Name: "fails", Fails: "handled"})
			s.region.PutFunction(world.FunctionSpec{Name: "young", Pending: world.Duration(8760 * time.Hour)})
			s.region.PutFunction(world.FunctionSpec{Name: "off", Reserved: new(int)})
		})
		invoke := func(ctx context.Context, name, wantError string) error {
			out, err := client.Invoke(ctx, &lambda.InvokeInput{
				FunctionName: &name, LogType: types.LogTypeTail, Payload: []byte(`{"token": "t"}`),
			})
			if err == nil && aws.ToString(out.FunctionError) != wantError {
				return fmt.Errorf("want %q, got %q", wantError, aws.ToString(out.FunctionError))
			}
			return err
		}
		refused := func(ctx context.Context, name, code string) error {
			var failure smithy.APIError
			if err := invoke(ctx, name, ""); !errors.As(err, &failure) || failure.ErrorCode() != code {
				return fmt.Errorf("%s: want %s, got %w", name, code, err)
			}
			return nil
		}
		return []contract.Step{
			{Name: "one that ends well, and one that fails", Do: func(ctx context.Context) error {
				return errors.Join(invoke(ctx, "drain:live", ""), invoke(ctx, "fails", "Handled"))
			}},
			{Name: "a dry run", Do: func(ctx context.Context) error {
				return did(client.Invoke(ctx, &lambda.InvokeInput{
					FunctionName: aws.String("drain"), InvocationType: types.InvocationTypeDryRun,
				}))
			}},
			{Name: "those that cannot be invoked", Do: func(ctx context.Context) error {
				return errors.Join(
					refused(ctx, "none", "ResourceNotFoundException"), refused(ctx, "drain:none", "ResourceNotFoundException"),
					refused(ctx, "young", "ResourceConflictException"), refused(ctx, "off", "TooManyRequestsException"),
				)
			}},
		}
	})
}
