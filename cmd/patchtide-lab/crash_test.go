package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

// undisturbed is how a wave of each scenario ends when nobody dies.
var undisturbed = map[string]struct {
	outcome   patch.Outcome
	instances map[string]string
	effects   map[string]int // of what carries no token by which one attempt's second effect would show
}{
	"healthy": {
		patch.Succeeded,
		map[string]string{"staging": "patched patched", "production": "patched patched patched patched"},
		map[string]int{"EnterStandby": 4, "ExitStandby": 4, "StartAutomationExecution": 6, "CreateSnapshot": 6},
	},
	"bad-patch": {
		patch.RolledBack,
		map[string]string{"staging": "patched patched", "production": "not_started not_started not_started rolled_back"},
		// The one instance goes out, comes back, is found ill, goes out again, gets its root volume back, and comes back.
		map[string]int{
			"EnterStandby": 2, "ExitStandby": 2, "StartAutomationExecution": 3, "CreateSnapshot": 3,
			"CreateReplaceRootVolumeTask": 1,
		},
	},
}

// crashWave runs one wave through a plan of deaths and proves that nothing can be seen of them afterwards.
func crashWave(t *testing.T, scenario string, plan []moment) *crashScene {
	t.Helper()
	return crashWaveOf(t, scenario, 1, plan)
}

// crashWaveOf is crashWave with so many of production out at once.
func crashWaveOf(t *testing.T, scenario string, atOnce int, plan []moment) *crashScene {
	t.Helper()
	b := newCrashScene(t, scenario)
	b.atOnce = atOnce
	const waveID = "wave-web-crash"
	result := b.runWave(waveID, plan)
	require.NoError(t, b.stopWorker())
	require.Empty(t, b.violations())
	require.Empty(t, result.Stranded)
	require.Equal(t, undisturbed[scenario].outcome, result.Outcome, result.Reason)
	require.Equal(t, undisturbed[scenario].instances, outcomes(result))
	for operation, times := range undisturbed[scenario].effects {
		require.Equal(t, times, effects(b.aws.Events(), operation), "effects of %s", operation)
	}
	b.requireEvidence(waveID)
	return b
}

// TestCrashWorker kills the worker at random moments of a wave: three, or as many as PATCHTIDE_CRASHES says, in waves
// of six and with the server dying as well. PATCHTIDE_CRASH_SEED takes another seed than 1.
func TestCrashWorker(t *testing.T) {
	number, seed := fromEnv(t, "PATCHTIDE_CRASHES", 3), fromEnv(t, "PATCHTIDE_CRASH_SEED", 1)
	const aWave = 6
	if number <= aWave {
		t.Parallel()
		crashWave(t, "healthy", moments(rand.New(rand.NewPCG(uint64(seed), 0)), number, 300, theWorker))
		fmt.Printf("crash: %d kills, 0 violations\n", number)
		return
	}
	for begun := 0; begun < number; begun += aWave {
		random := rand.New(rand.NewPCG(uint64(seed), uint64(begun)))
		scenario, atOnce := [...]string{"healthy", "bad-patch", "healthy"}[begun/aWave%3], [...]int{1, 1, 2}[begun/aWave%3]
		t.Run(fmt.Sprintf("%s %d, %d at once", scenario, begun, atOnce), func(t *testing.T) {
			kills := moments(random, min(aWave, number-begun), 120, theWorker, theWorker, theServer, both)
			crashWaveOf(t, scenario, atOnce, kills)
		})
	}
	require.False(t, t.Failed())
	fmt.Printf("crash: %d kills, 0 violations\n", number)
}

// TestCrashWithTwoOut kills the worker, then worker and server at once, while two of a group are out, who wait for each
// other's turns: both come back, and never a third goes out.
func TestCrashWithTwoOut(t *testing.T) {
	t.Parallel()
	b := crashWaveOf(t, "healthy", 2, []moment{
		{after: 300, who: theWorker}, {after: 40, mutation: true, who: both}, {after: 40, mutation: true, who: theWorker},
	})
	out := b.aws.MaxOutOfService("111122223333", "ap-northeast-1", "web")
	require.Equal(t, 2, out, "two were out at once")
	fmt.Println("crash: 3 kills with two out at once, 0 violations")
}

// TestCrashServer kills the Temporal server, which comes back on its file, and then the server and the worker at once,
// in a wave that puts back what it patched.
func TestCrashServer(t *testing.T) {
	t.Parallel()
	crashWave(t, "bad-patch", []moment{{after: 250, mutation: true, who: theServer}, {after: 150, who: both}})
	fmt.Println("crash: 2 kills, 0 violations")
}

func fromEnv(t *testing.T, name string, or int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return or
	}
	number, err := strconv.Atoi(text)
	require.NoError(t, err, "%s: a whole number, for example 30", name)
	require.Positive(t, number, name)
	return number
}
