package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/cloud"
	"github.com/patchtide/patchtide/internal/worker"
)

// enterRole assumes the role of an account, by asking who one is then. Its error says what to do in a sentence.
func enterRole(ctx context.Context, clients *cloud.Clients, externalIDFrom string) error {
	_, err := clients.STS.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	role := clients.Account.RoleARN
	switch {
	case err == nil:
		return nil
	case aws.Unreachable(err) != "":
		return fmt.Errorf("AWS cannot be reached from here: %s; %s", aws.Reason(err), worker.MendAWS(err))
	case aws.KindOf(err) != aws.Denied:
		return fmt.Errorf("%s cannot be assumed with this machine's credentials: %s; %s", role, aws.Reason(err),
			worker.MendAWS(err))
	case externalIDFrom == "":
		return fmt.Errorf("%s may not be assumed: %s.\nWhere its trust policy asks for an external id, say where that is "+
			"kept: --external-id-from env:PATCHTIDE_EXTERNAL_ID. Otherwise let who runs this do sts:AssumeRole in it "+
			"(patchtide iam trust --help)", role, aws.Reason(err))
	}
	return fmt.Errorf("%s may not be assumed with the external id in %s: %s.\nCompare the two with its trust policy "+
		"(patchtide iam trust --help)", role, externalIDFrom, aws.Reason(err))
}
