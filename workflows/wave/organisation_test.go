package wave_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// What the organisation denies is denied whatever the role's policy says: nobody is left out of service for it, and
// people are told whose policy it is.
func TestWhatTheOrganisationDeniesStrandsNobody(t *testing.T) {
	for _, action := range []string{
		"autoscaling:EnterStandby", "ec2:CreateSnapshot", "ssm:StartAutomationExecution", "ssm:SendCommand",
	} {
		t.Run(action, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: func(s *world.Scenario) {
				for n := range s.Accounts {
					s.Accounts[n].ServiceControlPolicy = `{"Version": "2012-10-17", "Statement": [
						{"Effect": "Allow", "Action": "*", "Resource": "*"},
						{"Effect": "Deny", "Action": "` + action + `", "Resource": "*"}]}`
				}
			}})
			scene.Decide = []patch.Verb{patch.Abort}
			result, err := scene.Run(wavetest.WebWave)
			var told string
			if err != nil {
				told = err.Error()
			} else {
				require.NotEqual(t, patch.Succeeded, result.Outcome)
				told = result.Reason
				for _, stage := range result.Stages {
					for _, group := range stage.Groups {
						told += group.Reason
						for _, instance := range group.Instances {
							told += instance.Reason
						}
					}
				}
			}
			require.Contains(t, told, "with an explicit deny in a service control policy")
			scene.RequireNobodyOut()
		})
	}
}
