package config

// Name says what a target is and where its address is kept: unique in a configuration, and no secret.
func (n Notify) Name() string {
	switch {
	case n.Slack != nil && n.Slack.WebhookFrom != "":
		return "slack " + string(n.Slack.WebhookFrom)
	case n.Teams != nil && n.Teams.WebhookFrom != "":
		return "teams " + string(n.Teams.WebhookFrom)
	case n.SNS != nil && n.SNS.TopicARN != "":
		return "sns " + n.SNS.TopicARN
	case n.Webhook != nil && n.Webhook.URLFrom != "":
		return "webhook " + string(n.Webhook.URLFrom)
	}
	return ""
}
