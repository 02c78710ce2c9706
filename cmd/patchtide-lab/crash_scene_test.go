package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/lab"
	"github.com/patchtide/patchtide/internal/lab/drive"
	"github.com/patchtide/patchtide/internal/patch"
)

// crashScene is a laboratory whose Temporal server and workers are processes that can be killed. The simulated AWS is
// in the test's process: it remembers what took effect, whoever dies.
type crashScene struct {
	t        *testing.T
	aws      *simulator
	scenario string // as the worker is told
	before   fleetBefore
	atOnce   int    // so many of production may be out at once
	soaks    string // for how long staging does; "": not at all
	address  string // of the Temporal server, the same through every restart
	data     string
	client   client.Client

	temporal *process
	mu       sync.Mutex // guards worker, which the simulator's interceptor kills
	worker   *process
}

// crashSpeed is the demo's: waves of half a minute.
const crashSpeed = demoSpeed

// newCrashScene starts everything but a worker.
func newCrashScene(t *testing.T, scenario string) *crashScene {
	t.Helper()
	return newSceneAtSpeed(t, scenario, crashSpeed)
}

// newSceneAtSpeed is newCrashScene with another clock of AWS; workers that it starts know crashSpeed only.
func newSceneAtSpeed(t *testing.T, scenario string, speed float64) *crashScene {
	t.Helper()
	b := &crashScene{t: t, scenario: scenario, data: t.TempDir(), atOnce: 1}
	var err error
	b.aws, err = startSimulator(awsOptions{listen: "127.0.0.1:0", speed: speed, scenario: scenario}, logger(io.Discard))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.aws.stop()) })
	b.before = fleetNow(b.aws)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	b.address = listener.Addr().String()
	require.NoError(t, listener.Close())
	require.NoError(t, b.startTemporal())
	b.client, err = client.DialContext(
		t.Context(),
		client.Options{HostPort: b.address, Namespace: lab.Namespace, Logger: log.NewStructuredLogger(logger(io.Discard))},
	)
	require.NoError(t, err)
	t.Cleanup(b.client.Close)
	return b
}

func (b *crashScene) startTemporal() (err error) {
	b.temporal, err = launch(
		b.t, "Ctrl-C", nil, "temporal", "--temporal-listen", b.address, "--ui-port", "0", "--data",
		filepath.Join(b.data, "temporal"),
	)
	return err
}

// launchWorker starts one more worker; all share the folder of evidence.
func (b *crashScene) launchWorker(extra ...string) (*process, error) {
	return launch(
		b.t,
		"Ctrl-C",
		extra,
		"worker",
		"--temporal",
		b.address,
		"--aws",
		b.aws.url,
		"--speed",
		strconv.FormatFloat(crashSpeed, 'g', -1, 64),
		"--scenario",
		b.scenario,
		"--data",
		filepath.Join(b.data, "worker"),
	)
}

func (b *crashScene) startWorker() error {
	var extra []string
	if b.atOnce > 1 {
		extra = []string{severalAtOnce + "=" + strconv.Itoa(b.atOnce)}
	}
	if b.soaks != "" {
		extra = append(extra, stagingSoaks+"="+b.soaks)
	}
	worker, err := b.launchWorker(extra...)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.worker = worker
	return err
}

// victim is what dies.
type victim int

const (
	theWorker victim = iota
	theServer
	both
)

// moment is when something dies: at the first call to AWS, or the first that changes something, once so many calls have
// been made since the last moment was over. The call itself takes effect and its reply finds nobody.
type moment struct {
	after    int
	mutation bool
	who      victim
}

// moments draws some, about so many calls apart.
func moments(random *rand.Rand, number, apart int, victims ...victim) []moment {
	drawn := make([]moment, number)
	for i := range drawn {
		drawn[i] = moment{
			after: 1 + random.IntN(apart), mutation: random.IntN(2) == 0, who: victims[random.IntN(len(victims))],
		}
	}
	return drawn
}

// isMutation tells by an operation's name. Commands are left out: nearly all of them ask for health, and would draw
// most moments to themselves.
func isMutation(call awssim.CallInfo) bool {
	for _, start := range []string{"Describe", "Get", "List", "AssumeRole", "SendCommand"} {
		if strings.HasPrefix(call.Operation, start) {
			return false
		}
	}
	return true
}

// executioner kills at the given moments, from inside the simulator's call, and tells of each on the channel.
func (b *crashScene) executioner(plan []moment) <-chan moment {
	struck := make(chan moment, len(plan))
	var seen, next int
	dead := (*process)(nil) // its last calls, already on their way, do not count
	b.aws.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		b.mu.Lock()
		defer b.mu.Unlock()
		if next == len(plan) || b.worker == nil || b.worker == dead {
			return awssim.Fault{}
		}
		seen++
		now := plan[next]
		if seen < now.after || now.mutation && !isMutation(call) {
			return awssim.Fault{}
		}
		if now.who != theServer {
			dead, b.worker = b.worker, nil
			_ = dead.signal(syscall.SIGKILL) // recover waits for its end
		}
		if now.who != theWorker {
			_ = b.temporal.signal(syscall.SIGKILL)
		}
		seen, next = 0, next+1
		b.t.Logf(
			"kill %d (%s) at %s of %s", next, [...]string{"worker", "server", "worker and server"}[now.who], call.Operation,
			call.Resource,
		)
		struck <- now
		return awssim.Fault{}
	})
	return struck
}

// recover starts again what died.
func (b *crashScene) recover(dead victim) error {
	if dead != theWorker {
		b.temporal.kill()
		if err := b.startTemporal(); err != nil {
			return err
		}
	}
	if dead != theServer {
		return b.startWorker()
	}
	return nil
}

// waveBudget bounds one wave with everything that happens to it.
const waveBudget = 4 * time.Minute

// runWave runs a wave of the plan web while things die, and returns its result.
func (b *crashScene) runWave(waveID string, plan []moment) (result patch.WaveResult) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), waveBudget)
	defer cancel()
	require.NoError(b.t, b.startWorker())
	struck := b.executioner(plan)
	closed := make(chan error, 1)
	go func() {
		driver := &drive.Driver{
			Temporal: b.client, Console: console.New(io.Discard, nil, time.Now), Decide: patch.Verb(b.aws.scenario.Decide),
		}
		var err error
		result, err = driver.Run(ctx, waveID, demoRequest{Plan: demoPlan, Actor: drive.Actor, Reason: "a crash test"})
		closed <- err
	}()
	for died := 0; ; {
		select {
		case now := <-struck:
			died++
			require.NoError(b.t, b.recover(now.who))
		case err := <-closed:
			require.NoError(b.t, err, "after %d kills", died)
			require.Equal(b.t, len(plan), died, "the wave ended before everything that should die had died")
			return result
		}
	}
}

// stopWorker ends the worker as a deploy does.
func (b *crashScene) stopWorker() error {
	b.mu.Lock()
	worker := b.worker
	b.worker = nil
	b.mu.Unlock()
	if worker == nil {
		return errors.New("there is no worker to stop")
	}
	if err := worker.stop(); err != nil {
		return fmt.Errorf("stop the worker: %w", err)
	}
	return nil
}
