package contract_test

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/contract"
)

// realEnvironment are the variables that let the contract run against real AWS; docs/first-account.md explains them.
const (
	realAccount = "PATCHTIDE_CONTRACT_ACCOUNT" // 12 digits; nothing runs unless the credentials belong to it
	realImage   = "PATCHTIDE_CONTRACT_IMAGE"
	realVPC     = "PATCHTIDE_CONTRACT_VPC"
	realZones   = "PATCHTIDE_CONTRACT_ZONES" // two, with a comma
	realType    = "PATCHTIDE_CONTRACT_TYPE"
	realRole    = "PATCHTIDE_CONTRACT_ROLE"
	realSecret  = "PATCHTIDE_CONTRACT_EXTERNAL_ID"
	realManaged = "PATCHTIDE_CONTRACT_MANAGED_INSTANCE"

	// For questions.
	realProfile  = "PATCHTIDE_CONTRACT_PROFILE"
	realMarket   = "PATCHTIDE_CONTRACT_MARKET_IMAGE"
	realKey      = "PATCHTIDE_CONTRACT_EC2_KEY"
	realSnapshot = "PATCHTIDE_CONTRACT_OLD_SNAPSHOT"
	realAnswers  = "PATCHTIDE_CONTRACT_ANSWERS" // the folder that answers are written into
)

// TestAWSKeepsTheContract runs where somebody asks for it: it makes instances and groups that cost money.
func TestAWSKeepsTheContract(t *testing.T) {
	account := os.Getenv(realAccount)
	if account == "" {
		t.Skipf("%s is not set; see docs/first-account.md", realAccount)
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
		Managed:     os.Getenv(realManaged),
		MarketImage: os.Getenv(realMarket), EC2Key: os.Getenv(realKey), OldSnapshot: os.Getenv(realSnapshot),
		Prefix: contractPrefix + uuid.NewString()[:4] + "-",
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
	if endpoint.Profile = os.Getenv(realProfile); endpoint.Profile != "" {
		endpoint.Machines = contract.ByShell{}
	}
	t.Run("questions", func(t *testing.T) {
		caller, err := arn.Parse(aws.ToString(who.Arn))
		require.NoError(t, err)
		patient := *endpoint
		patient.Config.Retryer = nil // they are asked at once, beside each other: the SDK's own waits for AWS's quotas
		answers := putAll(t, &patient, caller.Partition)
		if folder := os.Getenv(realAnswers); folder != "" {
			name, err := answers.Write(folder)
			require.NoError(t, err)
			t.Logf("the answers are in %s", name)
		}
	})
	play(t, endpoint, nil)
}

// contractPrefix begins the names of what is made in a real account; deploy/first-account lets its role end only what
// is named so. With four digits and a dash behind it a target group's name still fits.
const contractPrefix = "patchtide-contract-"

// putAll asks every question, each beside the others, and prints them.
func putAll(t *testing.T, endpoint *contract.Endpoint, partition string) contract.Answers {
	t.Helper()
	answers := contract.Answers{
		Asked: time.Now().UTC().Format(time.DateOnly), Partition: partition, Region: endpoint.Config.Region,
		Answers: map[string]string{}, Missing: map[string]string{},
	}
	var mu sync.Mutex
	t.Run("each", func(t *testing.T) {
		for _, question := range contract.Questions() {
			t.Run(question.Name, func(t *testing.T) {
				t.Parallel()
				if question.Needs != nil && question.Needs(endpoint) != "" {
					mu.Lock()
					defer mu.Unlock()
					answers.Missing[question.Name] = "needs " + question.Needs(endpoint)
					t.Skip("needs " + question.Needs(endpoint))
				}
				answer, err, undone := question.Put(t.Context(), endpoint)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					answers.Missing[question.Name] = "it could not be asked"
					if code := contract.CodeOf(err); code != "" {
						answers.Missing[question.Name] += ": " + code
					}
				} else {
					answers.Answers[question.Name] = answer
				}
				require.NoError(t, undone, "what was made for it may still be there")
				require.NoError(t, err)
			})
		}
	})
	otherwise := 0
	for _, question := range contract.Questions() {
		says, asked := answers.Answers[question.Name]
		switch {
		case !asked:
			says = "no answer: " + answers.Missing[question.Name]
		case says != question.Believed:
			otherwise++
			says += "   <- OTHERWISE"
		}
		t.Logf("%s\n  %s\n  believed: %s\n  answered: %s", question.Name, question.Asks, question.Believed, says)
	}
	t.Logf("%d answered, %d of them otherwise than believed; %d not answered", len(answers.Answers), otherwise,
		len(answers.Missing))
	return answers
}
