package notify

import (
	"context"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/slack-go/slack"
)

// Slack's limits: a section's text has 3,000 characters and a header 150, a message 50 blocks (Slack's reference of
// Block Kit). It also refuses long messages as a whole (msg_blocks_too_long) without saying where that begins;
// documents of 15 KB have been taken and some of 17 KB not, so ours stay under slackDocument bytes.
const (
	slackSection  = 2900
	slackCommand  = 2500
	slackDocument = 12_000
)

// Slack tells a channel by an incoming webhook.
func Slack(name string, address Address, client *http.Client) Channel {
	return Channel{Name: name, send: func(ctx context.Context, m Message) error {
		document, err := fit(m, slackDocument, func(m Message) (any, error) { return slackMessage(m), nil })
		if err != nil {
			return err
		}
		return post(ctx, client, address, document, nil)
	}}
}

// slackMessage is a message in Block Kit. Text outside the blocks is what a phone's notification shows.
func slackMessage(m Message) slack.WebhookMessage {
	blocks := []slack.Block{
		slack.NewHeaderBlock(
			slack.NewTextBlockObject(slack.PlainTextType, slackMark(m.Severity)+" "+m.Headline, true, false),
		),
	}
	if m.Why != "" {
		blocks = append(blocks, sections("*Why:* "+said(m.Why, slackSection-20))...)
	}
	var details []string
	for _, detail := range m.Details {
		details = append(details, "• "+said(detail, slackSection-20))
	}
	blocks = append(blocks, sections(details...)...)
	if m.WhatToDo != "" {
		blocks = append(blocks, sections("*What to do now:* "+said(m.WhatToDo, slackSection-20))...)
	}
	var commands []string
	for _, command := range m.Commands {
		escaped := mrkdwn(command.Line, 10*slackSection)
		if utf8.RuneCountInString(escaped) > slackCommand {
			continue // a part of a command would be another command
		}
		text := "```" + escaped + "```"
		if command.When != "" {
			text = mrkdwn(command.When, 300) + ":\n" + text
		}
		commands = append(commands, text)
	}
	blocks = append(blocks, sections(commands...)...)
	var links []string
	for _, link := range m.Links {
		links = append(links, "<"+mrkdwn(link.URL, slackSection)+"|"+said(link.Title, 300)+">")
	}
	blocks = append(blocks, sections(links...)...)
	var facts []string
	for _, fact := range m.Facts {
		facts = append(facts, fact.Name+": "+said(fact.Value, 300))
	}
	facts = append(facts, "Notice: "+mrkdwn(m.ID, 500))
	blocks = append(
		blocks,
		slack.NewContextBlock(
			"", slack.NewTextBlockObject(slack.MarkdownType, clip(strings.Join(facts, "  |  "), slackSection), false, true),
		),
	)
	return slack.WebhookMessage{Text: mrkdwn(m.Headline, 500), Blocks: &slack.Blocks{BlockSet: blocks}}
}

// sections packs paragraphs into as few sections as their limit allows. Verbatim: what looks like a name or an address
// in a reason is left alone.
func sections(paragraphs ...string) []slack.Block {
	var blocks []slack.Block
	add := func(text string) {
		blocks = append(
			blocks, slack.NewSectionBlock(slack.NewTextBlockObject(slack.MarkdownType, text, false, true), nil, nil),
		)
	}
	packed := ""
	for _, paragraph := range paragraphs {
		if packed != "" && utf8.RuneCountInString(packed)+1+utf8.RuneCountInString(paragraph) > slackSection {
			add(packed)
			packed = ""
		}
		packed = strings.TrimPrefix(packed+"\n"+paragraph, "\n")
	}
	if packed != "" {
		add(packed)
	}
	return blocks
}

// said is other people's text in Slack's markup. That has no escape for emphasis and code, by which a reason could look
// like a part of ours, such as another command to type: what looks alike takes their place.
func said(text string, limit int) string {
	return mrkdwn(strings.NewReplacer("*", "∗", "`", "'", "~", "∼").Replace(text), limit)
}

// mrkdwn escapes what Slack's markup takes for links and mentions, and cuts between characters, not inside an escape.
func mrkdwn(text string, limit int) string {
	var b strings.Builder
	length := 0
	for _, r := range text {
		part := string(r)
		switch r {
		case '&':
			part = "&amp;"
		case '<':
			part = "&lt;"
		case '>':
			part = "&gt;"
		}
		if length += utf8.RuneCountInString(part); length > limit-1 {
			return b.String() + "…"
		}
		b.WriteString(part)
	}
	return b.String()
}

func slackMark(s Severity) string {
	switch s {
	case Alarm:
		return "🔴"
	case Warning:
		return "🟠"
	case Good:
		return "🟢"
	}
	return "🔵"
}
