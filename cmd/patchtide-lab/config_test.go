package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/evidence"
	"github.com/patchtide/patchtide/internal/patch"
)

// TestThePrintedConfigurationWorks gives what config prints to the product: it can be checked and started with, keeps
// what it has below the folder that was named, and patches the whole simulated fleet.
func TestThePrintedConfigurationWorks(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "it's mine")
	var stdout, stderr bytes.Buffer
	require.Equal(t, exitDone, run(t.Context(), []string{"config", "--data", folder}, &stdout, &stderr), stderr.String())
	scenario, err := world.LoadScenario("healthy")
	require.NoError(t, err)
	t.Setenv(externalIDEnv, externalIDs(scenario)[externalIDEnv])

	loaded, err := config.Parse(config.DefaultFile, stdout.Bytes(), nil)
	require.NoError(t, err)
	require.NoError(t, loaded.CheckWorker())
	require.Equal(t, filepath.Join(folder, "evidence"), loaded.Settings.Evidence)
	_, err = evidence.LoadKey(t.Context(), string(loaded.Settings.JournalKeyFrom), evidence.KeyPlaces{})
	require.NoError(t, err, "the key is there")
	plan, err := loaded.Plan(demoPlan)
	require.NoError(t, err)
	require.NotNil(t, plan.Stages[1].Approval, "somebody is there to approve")
	var simulated, planned []patch.Account
	for _, account := range scenario.Accounts {
		simulated = append(simulated, patch.Account{Name: account.Name, ID: account.ID})
	}
	for _, group := range plan.Groups() {
		planned = append(planned, group.Account)
	}
	require.ElementsMatch(t, simulated, planned)

	binary, err := product()
	require.NoError(t, err)
	file := filepath.Join(folder, config.DefaultFile)
	require.NoError(t, os.WriteFile(file, stdout.Bytes(), 0o600))
	said, err := exec.CommandContext(t.Context(), binary, "check", "--config", file).CombinedOutput()
	require.NoError(t, err, string(said))

	again := &bytes.Buffer{}
	require.Equal(t, exitDone, run(t.Context(), []string{"config", "--data", folder}, again, io.Discard))
	require.Equal(t, stdout.String(), again.String(), "a key that is there is kept")
}

// The containers' worker has the same fleet at the same speed, with nobody to approve.
func TestTheContainersHaveTheSamePlanButForTheApproval(t *testing.T) {
	t.Setenv(externalIDEnv, "made-up")
	ours, err := config.Parse("config.yaml", []byte(configuration), nil)
	require.NoError(t, err)
	containers, err := config.Load(filepath.Join("..", "..", "deploy", "lab", config.DefaultFile), nil)
	require.NoError(t, err)
	plan, err := ours.Plan(demoPlan)
	require.NoError(t, err)
	same, err := containers.Plan(demoPlan)
	require.NoError(t, err)
	plan.Stages[1].Approval = nil
	require.Equal(t, plan, same)
	require.Equal(t, ours.Accounts, containers.Accounts)
}
