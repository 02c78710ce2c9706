package lab

import (
	"context"
	"log/slog"

	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/log/tag"
)

// serverLog hands the server's log lines to slog.
type serverLog struct{ to *slog.Logger }

var (
	_ log.Logger     = serverLog{}
	_ log.WithLogger = serverLog{}
)

func (l serverLog) Debug(msg string, tags ...tag.Tag)  { l.write(slog.LevelDebug, msg, tags) }
func (l serverLog) Info(msg string, tags ...tag.Tag)   { l.write(slog.LevelInfo, msg, tags) }
func (l serverLog) Warn(msg string, tags ...tag.Tag)   { l.write(slog.LevelWarn, msg, tags) }
func (l serverLog) Error(msg string, tags ...tag.Tag)  { l.write(slog.LevelError, msg, tags) }
func (l serverLog) DPanic(msg string, tags ...tag.Tag) { l.write(slog.LevelError, msg, tags) }

func (l serverLog) Panic(msg string, tags ...tag.Tag) { l.end(msg, tags) }

// Fatal must not return: the server's callers go on with nil values if it does.
func (l serverLog) Fatal(msg string, tags ...tag.Tag) { l.end(msg, tags) }

func (l serverLog) With(tags ...tag.Tag) log.Logger {
	return serverLog{slog.New(l.to.Handler().WithAttrs(attributes(tags)))}
}

func (l serverLog) write(level slog.Level, msg string, tags []tag.Tag) {
	ctx := context.Background()
	if l.to.Enabled(ctx, level) {
		l.to.LogAttrs(ctx, level, msg, attributes(tags)...)
	}
}

// end stops the process with the reason in the panic's text, since the log may be discarded.
func (l serverLog) end(msg string, tags []tag.Tag) {
	l.write(slog.LevelError, msg, tags)
	text := "the embedded Temporal server cannot go on: " + msg
	for _, attr := range attributes(tags) {
		text += " " + attr.String()
	}
	panic(text)
}

func attributes(tags []tag.Tag) []slog.Attr {
	attrs := make([]slog.Attr, len(tags))
	for i, t := range tags {
		attrs[i] = slog.Any(t.Key(), t.Value())
	}
	return attrs
}
