package deploy_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/patch"
)

// The laboratory's configuration, the environment of its worker and the simulated fleet are three files that must
// agree.
func TestTheLaboratorysFilesAgree(t *testing.T) {
	project := load(t, "lab")
	worker := project.Services["worker-lab"]
	t.Setenv("PATCHTIDE_EXTERNAL_ID", *worker.Environment["PATCHTIDE_EXTERNAL_ID"])

	lab, err := config.Load(filepath.Join("lab", "patchtide.yaml"), nil)
	require.NoError(t, err)
	require.NoError(t, lab.CheckWorker())
	plan, err := lab.Plan("web")
	require.NoError(t, err)
	for _, stage := range plan.Stages {
		require.Nil(t, stage.Approval, "nobody is there to approve")
	}
	key, err := evidence.LoadKey(t.Context(), "file:"+filepath.Join("lab", "journal-key"), evidence.KeyPlaces{})
	require.NoError(t, err)
	require.NotEmpty(t, key.KeyID())

	// The command is: aws --listen ... --speed ... --scenario NAME
	command := project.Services["aws"].Command
	scenario, err := world.LoadScenario(command[len(command)-1])
	require.NoError(t, err)
	require.Equal(t, scenario.Home.AccessKeyID, *worker.Environment["AWS_ACCESS_KEY_ID"])
	require.Equal(t, scenario.Home.SecretAccessKey, *worker.Environment["AWS_SECRET_ACCESS_KEY"])

	var simulated, planned []patch.Account
	for _, account := range scenario.Accounts {
		simulated = append(simulated, patch.Account{Name: account.Name, ID: account.ID})
		require.Equal(t, *worker.Environment["PATCHTIDE_EXTERNAL_ID"], account.Roles[0].ExternalID)
	}
	for _, group := range plan.Groups() {
		planned = append(planned, group.Account)
	}
	require.ElementsMatch(t, simulated, planned)
}
