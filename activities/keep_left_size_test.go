package activities_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/payload"
)

// largestLeft is what a group of the most instances did, with all that may be told of each; harmed: one in six is
// stranded and left out as well.
func largestLeft(outcome patch.Outcome, harmed bool) activities.KeepLeftInput {
	hash := strings.Repeat("0123456789abcdef", 4)
	at := time.Date(2026, 11, 22, 2, 0, 0, 123456789, time.UTC)
	in := activities.KeepLeftInput{
		WaveID: "wave-web-20261122-020000",
		Group: patch.Group{
			Account: patch.Account{Name: "production", ID: "111122223333"}, Region: "ap-northeast-1",
			AutoScalingGroup: "checkout-service-web-blue",
		},
		Policy: patch.Policy{Plan: "web", Service: "web"},
	}
	for i := range patch.MostInstances {
		id := fmt.Sprintf("i-%017x", i)
		result := patch.InstanceResult{
			ID: id, Outcome: outcome, BootID: "01234567-89ab-cdef-0123-456789abcdef",
			AutomationExecutionID: "01234567-89ab-cdef-0123-456789abcdef", MissingBefore: 150, Changes: 150, Details: hash,
			PackagesAfter: hash, ApplicationAfter: hash, Started: at, Ended: at,
			Notes: []string{strings.Repeat("a note ", 100)}, Reason: strings.Repeat("why ", 500),
			RebootPending: []string{"kernel.x86_64", "openssl-libs.x86_64"},
			Backup: &patch.RestorePoint{
				SnapshotID: "snap-0123456789abcdef0", VolumeID: "vol-0123456789abcdef0", TakenAt: at,
				Facts: patch.MachineFacts{BootID: "01234567-89ab-cdef-0123-456789abcdef", PackagesSHA256: hash},
			},
		}
		if harmed && i%6 == 0 {
			result.Stranded = []patch.Stranded{{
				Account: "production", Region: "ap-northeast-1", Resource: "instance " + id,
				State: "undo of standby failed: " + strings.Repeat("why ", 50), WhatToDo: strings.Repeat("what to do ", 20),
			}}
			in.Result.Stranded = append(in.Result.Stranded, result.Stranded...)
			in.Result.Gaps = append(in.Result.Gaps, patch.Gap{Instance: id, Why: strings.Repeat("why ", 50)})
		}
		in.Result.Instances = append(in.Result.Instances, result.Brief())
	}
	return in
}

// What a group of the most instances did goes through Temporal in one piece, however much is told of each: a group that
// nobody is left to listen to would else be tried for ever, and no evidence would tell what it did.
func TestWhatTheLargestGroupLeavesIsSmall(t *testing.T) {
	for _, outcome := range []patch.Outcome{
		patch.Patched, patch.PatchedRebootPending, patch.RolledBack, patch.Failed, patch.Quarantined, patch.Gone,
		patch.AlreadyCompliant, patch.RebootPending, patch.Skipped, patch.NotStarted,
	} {
		for name, harmed := range map[string]bool{"harmed": true, "unharmed": false} {
			t.Run(string(outcome)+" "+name, func(t *testing.T) {
				in := largestLeft(outcome, harmed)
				in.Result = in.Result.Fit()
				_, err := payload.NewGuard().ToPayload(in)
				require.NoError(t, err)
			})
		}
	}
}
