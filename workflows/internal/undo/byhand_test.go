package undo_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/undo"
)

// The commands that people are given do just what the undo would.
func TestRegistrationsByHand(t *testing.T) {
	in := activities.TargetsInput{
		Instance: activities.Instance{Group: patch.Group{Region: "eu-west-1"}, ID: "i-1"},
		Targets:  []patch.Target{{TargetGroupARN: "arn:a", ID: "i-1", Port: 80}, {TargetGroupARN: "arn:b", ID: "i-1"}},
	}
	require.Equal(t, []string{
		"aws elbv2 register-targets --target-group-arn arn:a --targets Id=i-1,Port=80 --region eu-west-1",
		"aws elbv2 register-targets --target-group-arn arn:b --targets Id=i-1 --region eu-west-1",
	}, undo.ByHand("RegisterTargets", in))
}
