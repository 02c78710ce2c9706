package notify

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/slack-go/slack"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/temporalui"
)

// golden compares with a file of testdata; PATCHTIDE_UPDATE=1 writes it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if os.Getenv("PATCHTIDE_UPDATE") != "" {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, got, 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}

func pretty(t *testing.T, document []byte) []byte {
	var out bytes.Buffer
	require.NoError(t, json.Indent(&out, document, "", "  "))
	return append(out.Bytes(), '\n')
}

func TestEveryKindSaysWhatHappenedWhyAndWhatToDo(t *testing.T) {
	for name, notice := range samples() {
		t.Run(name, func(t *testing.T) {
			m := Compose(notice, where)
			require.NotEmpty(t, m.Headline)
			require.NotEmpty(t, m.Severity)
			require.NotEmpty(t, m.WhatToDo)
			require.NotEmpty(t, m.Links)
			golden(t, "text/"+name+".txt", []byte(text(m)))
		})
	}
}

func TestWithoutATemporalUIThereIsNoLink(t *testing.T) {
	for name, notice := range samples() {
		require.Empty(t, Compose(notice, temporalui.UI{Namespace: "default"}).Links, name)
	}
}

func TestDocumentsOfEachChannel(t *testing.T) {
	for name, notice := range samples() {
		m := Compose(notice, where)
		t.Run(name, func(t *testing.T) {
			document, err := encode(slackMessage(m))
			require.NoError(t, err)
			golden(t, "slack/"+name+".json", pretty(t, document))
			document, err = encode(teamsMessage(m))
			require.NoError(t, err)
			golden(t, "teams/"+name+".json", pretty(t, document))
			document, err = encode(documentOf(m))
			require.NoError(t, err)
			golden(t, "webhook/"+name+".json", pretty(t, document))
			in, err := publication("arn:aws:sns:ap-northeast-1:111122223333:patching", m)
			require.NoError(t, err)
			document, err = encode(map[string]any{
				"Subject": in.Subject, "MessageStructure": in.MessageStructure, "Message": json.RawMessage(*in.Message),
				"MessageAttributes": in.MessageAttributes,
			})
			require.NoError(t, err)
			golden(t, "sns/"+name+".json", pretty(t, document))
		})
	}
}

func TestCommandsAreWholeAndQuoted(t *testing.T) {
	notice := samples()["on_hold"]
	notice.WaveID = "nightly wave; rm -rf /"
	var lines []string
	for _, command := range Compose(notice, where).Commands {
		lines = append(lines, command.Line)
	}
	require.Equal(t, []string{
		`patchtide wave retry 'nightly wave; rm -rf /' --stage production --hold 2 --reason "..."`,
		`patchtide wave skip 'nightly wave; rm -rf /' --stage production --hold 2 --reason "..."`,
		`patchtide wave roll-back 'nightly wave; rm -rf /' --stage production --hold 2 --reason "..."`,
		`patchtide wave abort 'nightly wave; rm -rf /' --stage production --hold 2 --reason "..."`,
	}, lines)
}

// Slack's limits are those of its reference of Block Kit; text is counted as sent, escapes included.
func TestSlackTakesWhateverARoundOfReasonsSays(t *testing.T) {
	for name, n := range hard() {
		t.Run(name, func(t *testing.T) {
			document, err := fit(
				Compose(n, where), slackDocument, func(m Message) (any, error) { return slackMessage(m), nil },
			)
			require.NoError(t, err)
			require.LessOrEqual(t, len(document), slackDocument)
			require.True(t, utf8.Valid(document))
			var message slack.WebhookMessage
			require.NoError(t, json.Unmarshal(document, &message))
			require.LessOrEqual(t, len(message.Blocks.BlockSet), 50)
			require.Contains(t, string(document), "roll-back", "what to do stays")
			for _, block := range message.Blocks.BlockSet {
				switch b := block.(type) {
				case *slack.HeaderBlock:
					require.LessOrEqual(t, utf8.RuneCountInString(b.Text.Text), 150)
				case *slack.SectionBlock:
					require.LessOrEqual(t, utf8.RuneCountInString(b.Text.Text), 3000)
					require.Zero(t, strings.Count(b.Text.Text, "```")%2, "code ends where it begins")
				case *slack.ContextBlock:
					require.LessOrEqual(t, len(b.ContextElements.Elements), 10)
				default:
					require.Fail(t, "an unexpected block", "%T", block)
				}
			}
		})
	}
}

func TestTeamsTakesWhateverARoundOfReasonsSays(t *testing.T) {
	for name, n := range hard() {
		t.Run(name, func(t *testing.T) {
			document, err := fit(
				Compose(n, where),
				teamsDocument,
				func(m Message) (any, error) { return teamsMessage(m), nil },
			)
			require.NoError(t, err)
			require.LessOrEqual(t, len(document), 28*1024)
			require.Contains(t, string(document), "roll-back", "what to do stays")
			require.NotContains(t, string(document), `"TextBlock"`, "it would read Markdown")
		})
	}
}

func TestSNSTakesWhateverARoundOfReasonsSays(t *testing.T) {
	for name, n := range hard() {
		t.Run(name, func(t *testing.T) {
			in, err := publication("arn:aws:sns:ap-northeast-1:111122223333:patching.fifo", Compose(n, where))
			require.NoError(t, err)
			require.LessOrEqual(t, len(*in.Message)+len(*in.Subject), 262_144)
			require.Less(t, len(*in.Subject), 100)
			require.Regexp(t, `^[A-Za-z0-9][ -~]*$`, *in.Subject)
			var parts map[string]string
			require.NoError(t, json.Unmarshal([]byte(*in.Message), &parts))
			require.LessOrEqual(t, utf8.RuneCountInString(parts["sms"]), 140)
			var inner document
			require.NoError(t, json.Unmarshal([]byte(parts["default"]), &inner), "what a queue gets is JSON")
			require.Equal(t, 1, inner.Version)
			require.LessOrEqual(t, len(*in.MessageGroupId), 128)
			require.LessOrEqual(t, len(*in.MessageDeduplicationId), 128)
		})
	}
}

func TestMarkupOfSlackIsEscaped(t *testing.T) {
	require.Equal(t, "&lt;!channel&gt; &amp; &lt;https://x|y&gt;", mrkdwn("<!channel> & <https://x|y>", 100))
	require.Equal(t, "a&amp;…", mrkdwn("a&&&", 9), "an escape is not cut")
}
