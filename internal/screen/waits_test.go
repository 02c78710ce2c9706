package screen

import (
	"errors"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

// What is waited for stands below who waits.
func TestWhatIsWaitedForIsShown(t *testing.T) {
	look := running(3)
	wait := func(workflow, why string) patch.Wait {
		return patch.Wait{WorkflowID: workflow, Activity: "AwaitInService", Attempt: 3, Since: at(9, 30), Failure: why}
	}
	const instance = "patch-instance/111122223333/r/i-0b000000000000001"
	group := look.Details.Groups["w"]
	group.Current = []string{instance}
	look.Details.Groups["w"], look.Details.Instances[instance] = group, look.Details.Instances["p"]
	look.Details.Waits = patch.Waits{At: at(10, 0), On: []patch.Wait{
		wait(instance, "it is unhealthy"), wait("examine", "AWS was not reached"),
	}}
	lines := strings.Split(ansi.Strip(watch(t, look).text()), "\n")
	after := func(line string) string {
		for i := range lines {
			if strings.Contains(lines[i], line) {
				return lines[i+1]
			}
		}
		return ""
	}
	require.Equal(t, "      waits: await in service, attempt 3, since 02:09:30 UTC: it is unhealthy",
		strings.TrimRight(after("⠋ i-0b000000000000001"), " "))
	require.Equal(t, "  waits: await in service, attempt 3, since 02:09:30 UTC: AWS was not reached",
		strings.TrimRight(after("────"), " "))
}

// While no worker answers Temporal still tells what is waited for.
func TestWhatIsWaitedForIsShownInAnOutage(t *testing.T) {
	w := watch(t, running(3))
	away := lookMsg{Err: errors.New("no worker")}
	away.Details.Waits = patch.Waits{At: at(10, 0), On: []patch.Wait{{
		WorkflowID: "examine", Activity: "InspectGroup", Attempt: 3, Failure: "AWS was not reached",
	}}}
	w.Update(away)
	require.Contains(t, w.text(), "No answer since 02:10:00 UTC (3s): no worker")
	require.Contains(t, w.text(), "waits: inspect group, attempt 3: AWS was not reached")
	require.Contains(t, w.text(), "install", "and how it stood")
}
