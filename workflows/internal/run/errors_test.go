package run_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
)

// The runbook finds a refusal by the code with which it begins.
func TestARefusalBeginsWithItsCode(t *testing.T) {
	frozen := &patch.Refusal{Code: patch.RefusedFrozen, Where: "web", What: "by ann", WhatToDo: "ask"}
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{
			"a lock", temporal.NewNonRetryableApplicationError("web is being patched by wave-1", "GroupLocked", nil),
			"GroupLocked: web is being patched by wave-1",
		},
		{"one that says its code", run.Refused(frozen), frozen.Error()},
		{"a cancel", temporal.NewCanceledError(), "cancelled"},
		{"anything else", errors.New("gone"), "Preflight: gone"},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, run.CodedReason(c.err)) })
	}
}
