package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/middleware"
)

// awsConfig is AWS's default chain for a command that asks AWS itself. It says nothing but which calls are not
// answered; one attempt at a call is given up when a person's patience ends.
func awsConfig(ctx context.Context, stderr io.Writer) (aws.Config, error) {
	waiting := &slowCalls{out: stderr}
	sdk, err := awsconfig.LoadDefaultConfig(ctx,
		awsconfig.WithLogger(sdkLog(slog.New(slog.DiscardHandler))),
		awsconfig.WithHTTPClient(awshttp.NewBuildableClient().WithTimeout(patience)),
		awsconfig.WithAPIOptions([]func(*middleware.Stack) error{waiting.add}))
	if err != nil {
		return sdk, &exitError{code: exitUsage, cause: fmt.Errorf("AWS configuration: %w", err)}
	}
	return sdk, nil
}

// slowCalls are the calls to AWS that have no answer yet, and says so of those that take long: one line for all.
type slowCalls struct {
	out io.Writer

	mu    sync.Mutex
	calls []*slowCall
	said  time.Time // when a line was written last
}

type slowCall struct {
	what  string
	begun time.Time
}

func (s *slowCalls) add(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("PatchtideUnanswered", func(
		ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
	) (middleware.InitializeOutput, middleware.Metadata, error) {
		defer s.begin(awsmiddleware.GetServiceID(ctx) + " " + awsmiddleware.GetOperationName(ctx) + " in " +
			awsmiddleware.GetRegion(ctx))()
		return next.HandleInitialize(ctx, in)
	}), middleware.After)
}

// begin counts a call until what it returns is called.
func (s *slowCalls) begin(what string) (answered func()) {
	call := &slowCall{what, time.Now()}
	s.mu.Lock()
	s.calls = append(s.calls, call)
	s.mu.Unlock()
	done := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		for next := unservedAfter; ; next = stillEvery {
			select {
			case <-done:
				return
			case <-time.After(next):
				s.say()
			}
		}
	})
	return func() {
		close(done)
		watch.Wait()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.calls = slices.DeleteFunc(s.calls, func(one *slowCall) bool { return one == call })
	}
}

// mostUnanswered is of how many calls a line tells.
const mostUnanswered = 3

// say writes a line about the calls that take long, unless another has just told of them.
func (s *slowCalls) say() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if !s.said.IsZero() && now.Sub(s.said) < stillEvery {
		return
	}
	var late []string
	var longest time.Duration
	for _, call := range s.calls {
		if lasts := now.Sub(call.begun); lasts >= unservedAfter {
			late, longest = append(late, call.what), max(longest, lasts)
		}
	}
	more := ""
	slices.Sort(late)
	if late = slices.Compact(late); len(late) > mostUnanswered {
		more = fmt.Sprintf(" and %d more", len(late)-mostUnanswered)
		late = late[:mostUnanswered]
	}
	s.said = now
	if isTerminal(s.out) {
		fmt.Fprint(s.out, eraseLine) // what shows progress there
	}
	line(s.out, "AWS has not answered for %s: %s%s. Each is tried three times, %s long; Ctrl-C ends this",
		longest.Round(time.Second), strings.Join(late, ", "), more, patience)
}
