package notify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/patchtide/patchtide/internal/secreturl"
)

// SNS's limits (API reference of Publish): 262,144 bytes with all attributes; a subject is ASCII, on one line, and less
// than 100 characters; an SMS has 140.
const (
	snsMessage = 250_000
	snsSubject = 99
	snsSMS     = 140
)

// Publisher is the part of SNS that a topic needs.
type Publisher interface {
	Publish(ctx context.Context, in *sns.PublishInput, options ...func(*sns.Options)) (*sns.PublishOutput, error)
}

// Topic publishes on an SNS topic: text for people who get mail or SMS, the webhook's JSON for everything else.
func Topic(name, arn string, publisher Publisher) Channel {
	return Channel{Name: name, send: func(ctx context.Context, m Message) error {
		in, err := publication(arn, m)
		if err != nil {
			return err
		}
		_, err = publisher.Publish(ctx, in)
		return snsError(err)
	}}
}

// publication is what is published. A FIFO topic drops a repetition by itself within five minutes.
func publication(arn string, m Message) (*sns.PublishInput, error) {
	message, err := fit(m, snsMessage, func(m Message) (any, error) {
		json, err := encode(documentOf(m))
		if err != nil {
			return nil, err
		}
		return map[string]string{
			"default": string(json), "email": text(m), "email-json": text(m), "sms": line("Patchtide: "+m.Headline, snsSMS),
		}, nil
	})
	if err != nil {
		return nil, err
	}
	body, structure, subject := string(message), "json", ascii(line("Patchtide: "+m.Headline, snsSubject))
	in := &sns.PublishInput{
		TopicArn: &arn, Message: &body, MessageStructure: &structure, Subject: &subject,
		MessageAttributes: map[string]types.MessageAttributeValue{},
	}
	kind := "String"
	for key, value := range map[string]string{
		"kind": m.Kind, "severity": string(m.Severity), "plan": m.Notice.Plan, "wave": m.Notice.WaveID,
	} {
		if value != "" { // SNS refuses an empty one
			in.MessageAttributes[key] = types.MessageAttributeValue{DataType: &kind, StringValue: &value}
		}
	}
	if strings.HasSuffix(arn, ".fifo") {
		group, once := digest(m.Notice.WaveID+"\x00"+m.Notice.Plan+"\x00"+m.Notice.Subject), digest(m.ID)
		in.MessageGroupId, in.MessageDeduplicationId = &group, &once
	}
	return in, nil
}

// digest is short enough for SNS's ids of 128 characters, and made of characters that they take.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// ascii replaces what is none, or no printable character.
func ascii(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '…':
			return '.'
		case r < ' ' || r > '~':
			return '?'
		}
		return r
	}, text)
}

// snsError tells what may pass from what will not.
func snsError(err error) error {
	if err == nil {
		return nil
	}
	var api smithy.APIError
	var response *smithyhttp.ResponseError
	if !errors.As(err, &api) || !errors.As(err, &response) {
		return &AwayError{Why: "SNS did not answer: " + err.Error()}
	}
	why := fmt.Sprintf("SNS answered %s: %s", api.ErrorCode(), api.ErrorMessage())
	if secreturl.Passes(response.HTTPStatusCode()) || slices.Contains([]string{
		"Throttling", "ThrottlingException", "Throttled", "ThrottledException", "KMSThrottling", "RequestLimitExceeded",
		"ExpiredToken", "ExpiredTokenException", "RequestExpired",
	}, api.ErrorCode()) {
		return &AwayError{Why: why}
	}
	return &RefusedError{Why: why}
}
