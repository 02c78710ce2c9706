package contract_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/contract"
)

// realEnvironment are the variables that let the contract run against real AWS; docs/simulator.md explains them.
const (
	realAccount = "PATCHTIDE_CONTRACT_ACCOUNT" // 12 digits; nothing runs unless the credentials belong to it
	realImage   = "PATCHTIDE_CONTRACT_IMAGE"
	realVPC     = "PATCHTIDE_CONTRACT_VPC"
	realZones   = "PATCHTIDE_CONTRACT_ZONES" // two, with a comma
	realType    = "PATCHTIDE_CONTRACT_TYPE"
	realRole    = "PATCHTIDE_CONTRACT_ROLE"
	realSecret  = "PATCHTIDE_CONTRACT_EXTERNAL_ID"
	realManaged = "PATCHTIDE_CONTRACT_MANAGED_INSTANCE"
)

// TestAWSKeepsTheContract runs where somebody asks for it: it makes instances and groups that cost money.
func TestAWSKeepsTheContract(t *testing.T) {
	account := os.Getenv(realAccount)
	if account == "" {
		t.Skipf("%s is not set; see docs/simulator.md for the contract on real AWS", realAccount)
	}
	ctx := context.Background()
	loaded, err := config.LoadDefaultConfig(ctx, config.WithRetryer(func() aws.Retryer { return aws.NopRetryer{} }))
	require.NoError(t, err)
	who, err := sts.NewFromConfig(loaded).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	require.NoError(t, err)
	require.Equal(
		t, account, aws.ToString(who.Account), "the credentials belong to another account than %s names", realAccount,
	)
	zones := strings.Split(os.Getenv(realZones), ",")
	require.Len(t, zones, 2, "%s must name two zones, for example ap-northeast-1a,ap-northeast-1c", realZones)
	endpoint := &contract.Endpoint{
		Name: "aws", Config: loaded, Account: account, Image: os.Getenv(realImage), VPC: os.Getenv(realVPC), Zones: zones,
		Type: os.Getenv(realType), Role: os.Getenv(realRole), ExternalID: os.Getenv(realSecret),
		Managed: os.Getenv(realManaged),
		Prefix:  "patchtide-contract-" + uuid.NewString()[:8] + "-",
		Pass: func(ctx context.Context, d time.Duration) error {
			timer := time.NewTimer(d)
			defer timer.Stop()
			select {
			case <-timer.C:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		},
	}
	if endpoint.Type == "" {
		endpoint.Type = "t3.micro"
	}
	for name, value := range map[string]string{realImage: endpoint.Image, realVPC: endpoint.VPC} {
		require.NotEmpty(t, value, "%s is not set", name)
	}
	play(t, endpoint, nil)
}
