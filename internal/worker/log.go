package worker

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
)

// Log is the worker's log as Temporal's SDK writes into it, but that what is normal is no error. An activity's errors
// are told by the worker itself (see told), once and with their count: the SDK's line for each attempt is left out.
// What it says of every queue that it polls, and of an answer that came after its time, is for who debugs.
func Log(to *slog.Logger) log.Logger { return sdkLog{log.NewStructuredLogger(to)} }

type sdkLog struct{ log.Logger }

// Lines of the SDK (go.temporal.io/sdk v1.50, internal_task_handlers.go and internal_worker*.go).
const (
	lineActivityError = "Activity error."
	lineActivityLate  = "Activity complete after timeout."
)

// linesOfQueues come once for every account and region.
var linesOfQueues = []string{
	"Started Worker", "Stopped Worker", "No metrics handler configured for temporal worker. Use NopHandler as default.",
	"No DataConverter configured for temporal worker. Use default one.",
}

func (l sdkLog) Error(message string, keyvals ...any) {
	if message != lineActivityError || !isTold(keyvals) {
		l.Logger.Error(message, keyvals...)
	}
}

func (l sdkLog) Debug(message string, keyvals ...any) {
	if message != lineActivityError || !isTold(keyvals) {
		l.Logger.Debug(message, keyvals...)
	}
}

// isTold reports whether an attempt's error is one that activities return. Another one, as of an input that cannot be
// read, comes from outside of them.
func isTold(keyvals []any) bool {
	for _, value := range keyvals {
		err, ok := value.(error)
		var typed *temporal.ApplicationError
		if ok && (errors.As(err, &typed) || temporal.IsCanceledError(err) || errors.Is(err, context.Canceled)) {
			return true
		}
	}
	return false
}

func (l sdkLog) Info(message string, keyvals ...any) {
	if message == lineActivityLate || slices.Contains(linesOfQueues, message) {
		l.Logger.Debug(message, keyvals...)
		return
	}
	l.Logger.Info(message, keyvals...)
}

// sameInEveryLine is what the SDK adds to each line of a workflow or an activity and nobody reads: the workflow's id
// names its type and what it is about, and leads to its page, where the rest stands.
var sameInEveryLine = []any{"Namespace", "TaskQueue", "WorkerID", "WorkflowType", "RunID", "Attempt", "ActivityID"}

// With adds to each line what tells it from others.
func (l sdkLog) With(keyvals ...any) log.Logger {
	var kept []any
	for pair := range slices.Chunk(keyvals, 2) {
		if !slices.Contains(sameInEveryLine, pair[0]) {
			kept = append(kept, pair...)
		}
	}
	return sdkLog{log.With(l.Logger, kept...)}
}

// WithCallerSkip implements the SDK's interface.
func (l sdkLog) WithCallerSkip(depth int) log.Logger { return sdkLog{log.Skip(l.Logger, depth)} }
