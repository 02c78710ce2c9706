package cloud_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/cloud"
)

func TestAutomationQuotaIsKept(t *testing.T) {
	w := &wire{answer: func(*http.Request, url.Values) (int, string) { return http.StatusOK, "{}" }}
	c, err := cloud.New(cloud.Options{
		Config:   aws.Config{Credentials: credentials.NewStaticCredentialsProvider("AKIAEXAMPLE", "made-up", "")},
		Accounts: []cloud.Account{{ID: production.ID}}, HTTP: w,
	})
	require.NoError(t, err)
	clients, err := c.Connect(context.Background(), production, "ap-northeast-1")
	require.NoError(t, err)
	start := func(ctx context.Context) error {
		_, err := clients.SSM.StartAutomationExecution(ctx, &ssm.StartAutomationExecutionInput{DocumentName: aws.String("x")})
		return err
	}
	require.NoError(t, start(context.Background()))
	hasty, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	require.ErrorContains(t, start(hasty), "its turn under the account's quota did not come")
	require.Equal(t, 1, w.count())

	elsewhere, err := c.Connect(context.Background(), production, "us-west-2")
	require.NoError(t, err)
	_, err = elsewhere.SSM.StartAutomationExecution(
		hasty, &ssm.StartAutomationExecutionInput{DocumentName: aws.String("x")},
	)
	require.NoError(t, err, "another region has a quota of its own")
}

func TestTagsOfNodesAreReadAtARate(t *testing.T) {
	w := &wire{answer: func(*http.Request, url.Values) (int, string) { return http.StatusOK, "{}" }}
	c, err := cloud.New(cloud.Options{
		Config:   aws.Config{Credentials: credentials.NewStaticCredentialsProvider("AKIAEXAMPLE", "made-up", "")},
		Accounts: []cloud.Account{{ID: production.ID}}, HTTP: w,
	})
	require.NoError(t, err)
	clients, err := c.Connect(t.Context(), production, "ap-northeast-1")
	require.NoError(t, err)
	hasty, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	for err == nil && w.count() < 1000 {
		_, err = clients.SSM.ListTagsForResource(hasty, &ssm.ListTagsForResourceInput{
			ResourceType: ssmtypes.ResourceTypeForTaggingManagedInstance, ResourceId: aws.String("mi-0123456789abcdef0"),
		})
	}
	require.ErrorContains(t, err, "ListTagsForResource was not sent: its turn under the account's quota did not come")
	require.Less(t, w.count(), 50, "a second's at once, and then twenty a second")
}
