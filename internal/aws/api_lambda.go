package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// LambdaAPI is what Patchtide uses of Lambda: the functions that hooks name, and no others.
type LambdaAPI interface {
	Invoke(ctx context.Context, in *lambda.InvokeInput, opts ...func(*lambda.Options)) (*lambda.InvokeOutput, error)
}
