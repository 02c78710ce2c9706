package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
)

// A machine is rebooted once, whatever becomes of the replies: the command looks at its boot id on the machine itself.
func TestAMachineIsRebootedOnce(t *testing.T) {
	for _, c := range []struct {
		name  string
		upset func(*fleet)
		sent  int // commands that reboot, at least
	}{
		{"every reply arrives", func(*fleet) {}, 1},
		{"the reply of the command is lost", func(f *fleet) { f.LoseFirst("SendCommand") }, 1},
		{"the list shows nothing at first, and it is sent twice", func(f *fleet) {
			lists := 0
			f.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
				if call.Operation == "ListCommands" {
					if lists++; lists < 4 {
						return awssim.Fault{Kind: awssim.FaultEmpty}
					}
				}
				if call.Operation == "SendCommand" && lists < 2 {
					return awssim.Fault{Kind: awssim.FaultLostReply}
				}
				return awssim.Fault{}
			})
		}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFleet(t)
			c.upset(f)
			id := f.Instances(staging.Account.ID)[0]
			before, boots := f.bootOf(id), f.countBoots(id)
			in := activities.RebootMachineInput{
				Instance: activities.Instance{Group: staging, ID: id}, Platform: patch.Linux, BootID: before, Attempt: attempt(),
				Budget: patch.Duration(15 * time.Minute), Pace: pace,
			}
			must[struct{}](f, f.aws.RebootMachine, in)
			require.NotEqual(t, before, f.bootOf(id))
			require.GreaterOrEqual(t, f.Effects("SendCommand"), c.sent)
			again := in
			again.Attempt = attempt() // one that comes late, by a worker that knows of no other
			must[struct{}](f, f.aws.RebootMachine, again)
			require.Equal(t, 1, *boots, "once, and not again")
		})
	}
}

func TestAMachineThatCannotBeRebooted(t *testing.T) {
	t.Run("it never comes back", func(t *testing.T) {
		f := newFleet(t, world.WorldFault{Kind: world.FaultRebootHangs})
		id := f.Instances(staging.Account.ID)[0]
		_, err := run[struct{}](f, 12*time.Minute, f.aws.RebootMachine, activities.RebootMachineInput{
			Instance: activities.Instance{Group: staging, ID: id}, Platform: patch.Linux, BootID: f.bootOf(id),
			Attempt: attempt(), Budget: patch.Duration(15 * time.Minute), Pace: pace,
		})
		requireType(t, err, activities.ErrMachineAway)
		require.ErrorContains(t, err, id+": it has not come back from its reboot: Systems Manager has not heard of its agent")
	})
	t.Run("what it calls its boot id would be a command", func(t *testing.T) {
		f := newFleet(t)
		id := f.Instances(staging.Account.ID)[0]
		_, err := run[struct{}](f, time.Minute, f.aws.RebootMachine, activities.RebootMachineInput{
			Instance: activities.Instance{Group: staging, ID: id}, Platform: patch.Linux, BootID: "'; halt #",
			Attempt: attempt(), Budget: patch.Duration(15 * time.Minute), Pace: pace,
		})
		requireType(t, err, activities.ErrRebootFailed)
		require.Zero(t, f.Effects("SendCommand"))
	})
}

func (f *fleet) bootOf(id string) (boot string) {
	f.Inspect(func(w *world.World) {
		boot = w.Account(staging.Account.ID).Region(staging.Region).Instance(id).BootID()
	})
	return boot
}

// countBoots counts from now on how often an instance boots.
func (f *fleet) countBoots(id string) *int {
	count := new(int)
	f.Inspect(func(w *world.World) {
		w.OnChange(func(c world.Change) {
			if c.ID == id && c.What == "booted" {
				*count++
			}
		})
	})
	return count
}
