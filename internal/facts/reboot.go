package facts

import (
	_ "embed"
	"strings"

	"github.com/patchtide/patchtide/internal/patch"
)

//go:embed scripts/reboot.sh
var shellReboot string

//go:embed scripts/reboot.ps1
var powerShellReboot string

// askedBoot stands in the scripts for the boot id that is to end.
const askedBoot = "BOOT_ID"

// booted begins the line that the scripts print once the machine has booted since.
const booted = "patchtide: booted "

// RebootScript is the script that reboots a machine unless its boot id is another than this one by then, a line each,
// and the document that runs it. The agent reboots for the exit codes 194, and 3010 on Windows, and then runs the
// script again: the guide of Systems Manager, "Rebooting managed nodes from scripts".
func RebootScript(platform patch.Platform, boot string) (document string, lines []string) {
	document, script := shellDocument, shellReboot
	if platform == patch.Windows {
		document, script = powerShellDocument, powerShellReboot
	}
	return document, strings.Split(strings.TrimRight(strings.Replace(script, askedBoot, boot, 1), "\n"), "\n")
}

// Booted is the boot id that the script has printed; "" where it has not.
func Booted(output string) string {
	for line := range strings.Lines(output) {
		if id, found := strings.CutPrefix(strings.TrimSpace(line), booted); found {
			return id
		}
	}
	return ""
}
