package config

import (
	"regexp"
	"slices"
	"strings"

	"github.com/patchtide/patchtide/internal/strictyaml"
)

// secretPatterns recognise what must never be in the file, wherever it stands, comments included.
func secretPatterns() []*regexp.Regexp {
	return []*regexp.Regexp{
		regexp.MustCompile(`\b(AKIA|ASIA)[A-Z0-9]{16}\b`), // AWS access keys: IAM's "unique identifiers"
		regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----`),
		regexp.MustCompile(`hooks\.slack\.com/\S+`),
		regexp.MustCompile(`https://\S+[?&]sig=\S+`),   // the webhook of a Teams workflow: its signature is the key
		regexp.MustCompile(`\bxox[a-z]-[A-Za-z0-9-]+`), // Slack tokens
		regexp.MustCompile(`://[^/\s:@]+:[^/\s@]+@`),   // a password in a URL
		regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+`),
	}
}

// findSecrets refuses a file that holds one.
func findSecrets(doc *strictyaml.Document, data []byte) {
	number := 0
	for text := range strings.Lines(string(data)) {
		number++
		if slices.ContainsFunc(secretPatterns(), func(p *regexp.Regexp) bool { return p.MatchString(text) }) {
			doc.ProblemAt(
				number, "",
				"holds a secret; take it out, make it invalid, and write where it is kept instead, like webhook_from: "+
					"ssm:/patchtide/slack",
			)
		}
	}
}

// redact keeps a secret that stands in the wrong place out of our own messages.
func redact(text string) string {
	for _, pattern := range secretPatterns() {
		text = pattern.ReplaceAllString(text, "[secret]")
	}
	return text
}

// refuseSecretKey answers a key that asks for a secret with where to put it.
func refuseSecretKey(key string) string {
	const here = "secrets do not belong in this file; "
	switch strings.ToLower(strings.ReplaceAll(key, "-", "_")) {
	case "external_id":
		return here + "write where it is kept, like external_id_from: env:PATCHTIDE_EXTERNAL_ID"
	case "webhook", "webhook_url":
		return here + "write where it is kept, like webhook_from: ssm:/patchtide/slack"
	case "url":
		return here + "write where it is kept, like url_from: file:/run/secrets/webhook"
	case "journal_key":
		return here + "write where it is kept, like journal_key_from: ssm:/patchtide/journal-key"
	case "journal_older_keys", "journal_older_key":
		return here + "write where they are kept, like journal_older_keys_from: [ssm:/patchtide/journal-key-2025]"
	case "access_key",
		"access_key_id",
		"aws_access_key_id",
		"secret_key",
		"secret_access_key",
		"aws_secret_access_key",
		"session_token",
		"aws_session_token":
		return here + "AWS credentials come from the AWS SDK's default chain; remove the key"
	case "api_key", "temporal_api_key", "tls_key":
		return here +
			"Temporal's credentials come from its own configuration (TEMPORAL_API_KEY, or a profile); remove the key"
	case "password", "secret", "token", "private_key":
		return here + "remove the key"
	}
	return ""
}
