package aws_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/simtest"
)

// AWS's texts do not say what it answers of a patch group that nobody has registered: the default, or that there is
// none. Either lets a first wave begin, which registers it.
func TestAPatchGroupThatNobodyHasRegistered(t *testing.T) {
	for _, answers := range []string{"the default", "none"} {
		t.Run(answers, func(t *testing.T) {
			f := simtest.New(t, simtest.Options{})
			if answers == "none" {
				f.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
					if call.Operation != "GetPatchBaselineForPatchGroup" {
						return awssim.Fault{}
					}
					return awssim.Fault{Kind: awssim.FaultError, Code: "DoesNotExistException", Status: 400}
				})
			}
			s, ids := f.Services(simtest.Production), f.Instances(simtest.Production.Account.ID)
			machines, _, err := aws.ReadInstances(t.Context(), s, simtest.Production.String(), ids)
			require.NoError(t, err)
			judges, err := aws.ReadJudges(t.Context(), s, simtest.Production.String(), aws.WantedBaseline{
				Name: "patchtide-amazon-linux-2023", PatchGroup: "amazon-linux-2023",
				System: types.OperatingSystemAmazonLinux2023,
			}, machines)
			require.NoError(t, err)
			require.Empty(t, judges.TakenBy)
			require.Empty(t, judges.Elsewhere)
		})
	}
}

// Two first waves of an account begin in the same second: when this one asked, nobody had made the plan's baseline; a
// moment later the other one has made and registered it. The same is seen where it is not listed yet.
func TestABaselineThatAnotherWaveHasJustMadeIsThePlans(t *testing.T) {
	for _, c := range []struct {
		name    string
		made    string
		takenBy string
	}{
		{"the plan's, made meanwhile", "patchtide-amazon-linux-2023", ""},
		{"another's", "by-hand", "by-hand"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := simtest.New(t, simtest.Options{})
			s, ids := f.Services(simtest.Production), f.Instances(simtest.Production.Account.ID)
			made, err := s.SSM.CreatePatchBaseline(t.Context(), &ssm.CreatePatchBaselineInput{
				Name: &c.made, OperatingSystem: types.OperatingSystemAmazonLinux2023,
			})
			require.NoError(t, err)
			_, err = s.SSM.RegisterPatchBaselineForPatchGroup(t.Context(), &ssm.RegisterPatchBaselineForPatchGroupInput{
				BaselineId: made.BaselineId, PatchGroup: aws.Ptr("amazon-linux-2023"),
			})
			require.NoError(t, err)
			f.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
				if call.Operation != "DescribePatchBaselines" {
					return awssim.Fault{}
				}
				return awssim.Fault{Kind: awssim.FaultEmpty}
			})
			machines, _, err := aws.ReadInstances(t.Context(), s, simtest.Production.String(), ids)
			require.NoError(t, err)
			judges, err := aws.ReadJudges(t.Context(), s, simtest.Production.String(), aws.WantedBaseline{
				Name: "patchtide-amazon-linux-2023", PatchGroup: "amazon-linux-2023",
				System: types.OperatingSystemAmazonLinux2023,
			}, machines)
			require.NoError(t, err)
			require.Equal(t, c.takenBy, judges.TakenBy)
			require.Empty(t, judges.Elsewhere)
		})
	}
}
