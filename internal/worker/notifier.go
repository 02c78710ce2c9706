package worker

import (
	"context"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/cloud"
	"github.com/patchtide/patchtide/internal/notify"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/temporalui"
)

// Notifier makes the channels of a configuration, without a worker. Of options it needs Config, AWS, HTTP, Namespace
// and Version.
func Notifier(ctx context.Context, options Options) (*notify.Notifier, error) {
	return notifier(options, func() (*cloud.Cloud, error) { return clouds(ctx, options) })
}

// notifier makes the channels. It asks nobody anything yet: an address is read each time it is needed, so that one that
// was replaced counts at once. connect is asked only for a topic in one of the accounts.
func notifier(options Options, connect func() (*cloud.Cloud, error)) (*notify.Notifier, error) {
	client := options.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	address := func(source config.Source) notify.Address {
		return func(ctx context.Context) (string, error) { return ReadSecret(ctx, source, options.AWS) }
	}
	var channels []notify.Channel
	for _, target := range options.Config.Notify {
		name := target.Name()
		switch {
		case target.Slack != nil:
			channels = append(channels, notify.Slack(name, address(target.Slack.WebhookFrom), client))
		case target.Teams != nil:
			channels = append(channels, notify.Teams(name, address(target.Teams.WebhookFrom), client))
		case target.Webhook != nil:
			channels = append(channels, notify.Webhook(name, address(target.Webhook.URLFrom), client))
		case target.SNS != nil:
			publisher, err := publisher(options, target.SNS.TopicARN, client, connect)
			if err != nil {
				return nil, fmt.Errorf("notify: %s: %w", name, err)
			}
			channels = append(channels, notify.Topic(name, target.SNS.TopicARN, publisher))
		}
	}
	return notify.New(
		channels, temporalui.UI{Address: options.Config.Settings.TemporalUI, Namespace: options.Namespace},
	), nil
}

// publisher gives the client for a topic: with the role of its account where that is one of ours, else with the
// worker's own credentials.
func publisher(
	options Options, topic string, client *http.Client, connect func() (*cloud.Cloud, error),
) (notify.Publisher, error) {
	parsed, err := arn.Parse(topic)
	if err != nil {
		return nil, err
	}
	for _, account := range options.Config.Accounts {
		if account.ID != parsed.AccountID {
			continue
		}
		clouds, err := connect()
		if err != nil {
			return nil, err
		}
		clients, err := clouds.Connect(context.Background(), patch.Account{Name: account.Name, ID: account.ID}, parsed.Region)
		if err != nil {
			return nil, err
		}
		return clients.SNS, nil
	}
	return sns.NewFromConfig(options.AWS, func(o *sns.Options) {
		o.Region, o.HTTPClient = parsed.Region, client
		o.RetryMaxAttempts = 1 // repeating belongs to the activity
	}), nil
}
