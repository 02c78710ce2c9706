package world

import (
	"slices"
	"strings"
)

// rebootCode is the exit code by which a script has the agent reboot the machine and run the script again: the guide of
// Systems Manager, "Rebooting managed nodes from scripts"; constants of amazon-ssm-agent.
func (i *Instance) rebootCode() int {
	if i.Disk().os.Windows() {
		return 3010
	}
	return 194
}

// rebootScript is the script by which Patchtide has a machine rebooted. The one for Linux is run as it is.
func (i *Instance) rebootScript(script string) said {
	if !i.Disk().os.Windows() {
		return i.posix(script)
	}
	_, asked, _ := strings.Cut(script, "$asked = '")
	asked, _, known := strings.Cut(asked, "'")
	switch {
	case !known:
		return said{code: 1, stderr: "patchtide:reboot: it names no boot\r\n"}
	case asked == i.machine.bootID:
		return said{code: i.rebootCode()}
	}
	return said{stdout: "patchtide: booted " + i.machine.bootID + "\r\n"}
}

// saysOfReboots is whether the machine says that it waits for a reboot, what tells so, and for what. Windows does not
// tell that; what Linux tells has no architectures.
func (i *Instance) saysOfReboots() (pending bool, by string, whom []string) {
	disk := i.Disk()
	switch {
	case i.MuteReboot:
		return false, "", nil
	case disk.os.Windows():
		return disk.PendingReboot(), "registry", nil
	}
	for _, id := range disk.pending {
		name := id
		if dot := strings.LastIndex(id, "."); dot > 0 {
			name = id[:dot]
		}
		whom = append(whom, name)
	}
	slices.Sort(whom)
	return disk.PendingReboot(), "needs-restarting", whom
}
