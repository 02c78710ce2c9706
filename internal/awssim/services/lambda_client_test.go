package services_test

import (
	"encoding/base64"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
)

const (
	lambdaAccount = "222233334444"
	lambdaRegion  = "ap-northeast-1"
)

// A function answers as Lambda does: that it failed is told beside a status of 200, its log only where it is asked for,
// and each invocation is kept with the token that it was told.
func TestInvocations(t *testing.T) {
	a := staging(t, "healthy")
	client := lambda.NewFromConfig(a.config)
	for _, c := range []struct {
		name         string
		spec         world.FunctionSpec
		failed, says string
	}{
		{"it ends well", world.FunctionSpec{Returns: `{"ok": true}`}, "", `{"ok": true}`},
		{"it returns nothing", world.FunctionSpec{}, "", "null"},
		{"it says that it failed", world.FunctionSpec{Fails: "handled", Says: "no quorum"}, "Handled", "no quorum"},
		{"it crashes", world.FunctionSpec{Fails: "unhandled"}, "Unhandled", "Runtime.ExitError"},
		{
			"it takes too long",
			world.FunctionSpec{Takes: world.Duration(10 * time.Second)},
			"Unhandled",
			"Task timed out after 3.00 seconds",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.spec.Name = "f"
			var function *world.Function
			a.sim.Inspect(func(w *world.World) { function = w.Account(lambdaAccount).Region(lambdaRegion).PutFunction(c.spec) })
			out, err := client.Invoke(ctx, &lambda.InvokeInput{
				FunctionName: aws.String("f"), LogType: types.LogTypeTail, Payload: []byte(`{"token": "t-1"}`),
			})
			require.NoError(t, err)
			require.EqualValues(t, 200, out.StatusCode)
			require.Equal(t, c.failed, aws.ToString(out.FunctionError))
			require.Contains(t, string(out.Payload), c.says)
			log, err := base64.StdEncoding.DecodeString(aws.ToString(out.LogResult))
			require.NoError(t, err)
			require.Contains(t, string(log), "START RequestId: ")
			out, err = client.Invoke(ctx, &lambda.InvokeInput{
				FunctionName: aws.String("arn:aws:lambda:" + lambdaRegion + ":" + lambdaAccount + ":function:f"),
				Payload:      []byte(`{"token": "t-1"}`),
			})
			require.NoError(t, err)
			require.Nil(t, out.LogResult)
			a.sim.Inspect(func(*world.World) { require.Equal(t, 2, function.Runs("t-1")) })
			_, err = client.Invoke(ctx, &lambda.InvokeInput{
				FunctionName: aws.String("f"), InvocationType: types.InvocationTypeDryRun,
			})
			require.NoError(t, err)
			a.sim.Inspect(func(*world.World) { require.Len(t, function.Invocations, 2) })
		})
	}
}
