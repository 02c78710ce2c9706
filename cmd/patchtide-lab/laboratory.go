package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/config"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/lab"
	"github.com/patchtide/patchtide/internal/lab/isolation"
	"github.com/patchtide/patchtide/internal/worker"
)

// workerInput is what the product's worker gets from the laboratory. AWS it finds as everywhere, by the default chain
// in the environment, which by then knows the simulator only.
type workerInput struct {
	Temporal client.Client
	HTTP     *http.Client // dials this machine only; every AWS client uses it
	Speed    float64      // of the simulated AWS; resolved plans are divided by it
	Folder   string       // exists; for evidence and the journal's key
	Log      io.Writer    // stderr
	Identity string       // "": the worker's own
}

// labIdentity is who acts in the laboratory's histories, which are kept: they tell nothing of the machine.
const labIdentity = "patchtide-lab"

// workerStarter starts Patchtide's worker in this process; stop returns when it has ended.
type workerStarter func(ctx context.Context, in workerInput) (stop func(), err error)

// laboratoryOptions are the flags of demo and up.
type laboratoryOptions struct {
	aws      awsOptions
	temporal temporalOptions
}

// demoSpeed makes the healthy wave, more than an hour of AWS time, a matter of half a minute on two idle cores. Much
// more and what takes real time, the worker's and the server's own work, dominates.
const demoSpeed = 240

func (o *laboratoryOptions) addFlags(cmd *cobra.Command) {
	o.aws.addFlags(cmd, "127.0.0.1:0", demoSpeed)
	o.temporal.addFlags(cmd, "127.0.0.1:0", 0)
}

func (o *laboratoryOptions) check(cmd *cobra.Command) error {
	return errors.Join(o.aws.check(cmd), o.temporal.check(cmd))
}

// laboratory is everything, up and connected.
type laboratory struct {
	aws      *simulator
	temporal *lab.Temporal
	client   client.Client
	folder   string         // of evidence, the journal's key and the configuration
	undo     []func() error // last in, first out
}

// open starts the simulated AWS, cuts this process off from the real one, and starts Temporal and the worker. On an
// error it leaves nothing running.
func open(
	ctx context.Context, options laboratoryOptions, start workerStarter, stderr io.Writer,
) (_ *laboratory, err error) {
	l := &laboratory{}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close())
		}
	}()
	if l.aws, err = startSimulator(options.aws, logger(stderr)); err != nil {
		return nil, err
	}
	l.undo = append(l.undo, l.aws.stop)
	cut, err := isolation.Enter(isolation.Options{
		Endpoint:    l.aws.url,
		AccessKeyID: l.aws.scenario.Home.AccessKeyID, SecretAccessKey: l.aws.scenario.Home.SecretAccessKey,
		Region: l.aws.region(), Others: externalIDs(l.aws.scenario),
	})
	if err != nil {
		return nil, err
	}
	l.undo = append(l.undo, cut.Leave)
	if l.temporal, err = lab.StartTemporal(ctx, options.temporal.forServer(stderr)); err != nil {
		return nil, err
	}
	l.undo = append(l.undo, l.temporal.Stop)
	if l.client, err = l.temporal.Dial(
		ctx, client.Options{Identity: labIdentity, Logger: worker.Log(logger(stderr))},
	); err != nil {
		return nil, err
	}
	l.undo = append(l.undo, func() error { l.client.Close(); return nil })
	if l.folder, err = l.makeFolder(options.temporal.data); err != nil {
		return nil, err
	}
	stop, err := start(
		ctx, workerInput{
			Temporal: l.client, HTTP: cut.HTTPClient, Speed: options.aws.speed, Folder: l.folder, Log: stderr,
			Identity: labIdentity,
		},
	)
	if err != nil {
		return nil, fmt.Errorf("start the worker: %w", err)
	}
	l.undo = append(l.undo, func() error { stop(); return nil })
	return l, nil
}

// externalIDEnv is the variable from which config/example.yaml takes the external id of the roles it assumes.
const externalIDEnv = "PATCHTIDE_EXTERNAL_ID"

// externalIDs gives the worker the made-up external id that the scenario's roles ask for.
func externalIDs(scenario *world.Scenario) map[string]string {
	for _, account := range scenario.Accounts {
		for _, role := range account.Roles {
			if role.ExternalID != "" {
				return map[string]string{externalIDEnv: role.ExternalID}
			}
		}
	}
	return nil
}

// makeFolder is where the worker keeps evidence: beside the database that is kept, or else a folder that goes with the
// laboratory.
func (l *laboratory) makeFolder(data string) (string, error) {
	if data != "" {
		return filepath.Abs(data) // the server has made it
	}
	folder, err := os.MkdirTemp("", "patchtide-evidence-")
	if err != nil {
		return "", fmt.Errorf("make a folder for evidence: %w", err)
	}
	l.undo = append(l.undo, func() error { return os.RemoveAll(folder) })
	return folder, nil
}

// close stops everything, the worker first.
func (l *laboratory) close() error {
	var errs []error
	for i := len(l.undo) - 1; i >= 0; i-- {
		errs = append(errs, l.undo[i]())
	}
	l.undo = nil
	return errors.Join(errs...)
}

// variables let another shell find all of it: also what the worker was configured by, for what reads that.
func (l *laboratory) variables() ([]variable, error) {
	file := filepath.Join(l.folder, config.DefaultFile)
	if err := os.WriteFile(file, config.Example(), 0o600); err != nil {
		return nil, fmt.Errorf("write the worker's configuration: %w", err)
	}
	return slices.Concat(awsVariables(l.aws.url, l.aws.scenario), temporalVariables(l.temporal), []variable{
		{config.FileVariable, file},
		{config.EnvironmentPrefix + "EVIDENCE", filepath.Join(l.folder, evidenceFolder)},
		{config.EnvironmentPrefix + "JOURNAL_KEY_FROM", "file:" + filepath.Join(l.folder, keyFile)},
	}), nil
}

// accountID is the number of an account of the scenario by its name; a number stays what it is.
func (l *laboratory) accountID(name string) string {
	for _, account := range l.aws.scenario.Accounts {
		if account.Name == name {
			return account.ID
		}
	}
	return name
}
