package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// STSAPI is what Patchtide uses of STS: the account that the credentials really lead to.
type STSAPI interface {
	GetCallerIdentity(ctx context.Context, in *sts.GetCallerIdentityInput, opts ...func(*sts.Options)) (
		*sts.GetCallerIdentityOutput, error,
	)
}
