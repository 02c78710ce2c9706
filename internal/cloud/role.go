package cloud

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// strangerCodes are what the Security Token Service of an opt-in region says to an account that has not enabled the
// region, be it only the worker's own: RegionDisabledException of the API reference of AssumeRole, or that it does not
// know the key.
var strangerCodes = []string{"RegionDisabledException", "InvalidClientTokenId", "UnrecognizedClientException"}

// roleProvider assumes the account's role in the region that the credentials are for, so that one region's trouble
// stays there; and in the worker's own where that region does not know the worker. Tokens of a regional endpoint are
// good in all regions (IAM guide, "Manage AWS STS in an AWS Region").
type roleProvider struct {
	there, home aws.CredentialsProvider // home: nil where it is the same
}

func (p roleProvider) Retrieve(ctx context.Context) (aws.Credentials, error) {
	keys, err := p.there.Retrieve(ctx)
	if p.home == nil || !IsStranger(err) {
		return keys, err
	}
	return p.home.Retrieve(ctx)
}

// IsStranger reports whether a region refused keys of an account that has not enabled it.
func IsStranger(err error) bool {
	var refused smithy.APIError
	return errors.As(err, &refused) && slices.Contains(strangerCodes, refused.ErrorCode())
}

// roleOf assumes the account's role for a region whose configuration cfg is.
func roleOf(account Account, cfg aws.Config, home string) aws.CredentialsProvider {
	in := func(region string) aws.CredentialsProvider {
		there := cfg.Copy()
		there.Region = region
		return stscreds.NewAssumeRoleProvider(sts.NewFromConfig(there), account.RoleARN, func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName = account.SessionName
			if account.ExternalID != "" {
				o.ExternalID = aws.String(account.ExternalID)
			}
		})
	}
	if home == "" || home == cfg.Region {
		return roleProvider{there: in(cfg.Region)}
	}
	return roleProvider{there: in(cfg.Region), home: in(home)}
}
