package world

import (
	"encoding/json"
	"slices"
	"strings"
)

// dryInstall is what the script printed that asks the machine's package manager for packages in exact versions.
func (i *Instance) dryInstall(script string) said {
	disk, w := i.Disk(), i.Region.World
	manager := disk.manager()
	if w.faults.strikes(FaultDryInstallFails, i) {
		return said{code: 1, stderr: "patchtide: the dry install by " + manager + " came to no end (exit code 1): " +
			"Error: Failed to download metadata for repo: Cannot download repomd.xml: All mirrors were tried\n"}
	}
	_, wanted, asked := strings.Cut(script, "cat <<'END'\n")
	wanted, _, ends := strings.Cut(wanted, "\nEND\n")
	if !asked || !ends {
		return said{code: 1, stderr: "patchtide:offers: it asks for nothing\n"}
	}
	lines := strings.Split(wanted, "\n")
	answer := struct {
		By         string   `json:"by"`
		Asked      int      `json:"asked"`
		Absent     []string `json:"absent"`
		Held       []string `json:"held"`
		Left       []string `json:"left"`
		Beside     []string `json:"beside"`
		Gone       []string `json:"gone"`
		Unresolved string   `json:"unresolved"`
	}{By: manager, Asked: len(lines), Gone: []string{}}
	var coming []Patch
	for _, line := range lines {
		id, version, _ := strings.Cut(line, " ")
		at := slices.IndexFunc(w.Scenario.Patches, func(p Patch) bool {
			return p.ID == id && p.Version == version && disk.serves(p)
		})
		switch {
		case at < 0:
			answer.Absent = append(answer.Absent, line)
		case slices.Contains(disk.locks, id):
			answer.Held = append(answer.Held, line+": "+disk.lockOf(id))
		case !newer(version, disk.Version(id)):
			answer.Left = append(answer.Left, line)
		default:
			coming = append(coming, w.Scenario.Patches[at])
		}
	}
	for _, p := range slices.Clone(coming) {
		brings, lacking := w.required(disk, p, coming)
		if lacking != "" {
			answer.Unresolved = "Problem: nothing provides " + lacking + " needed by " + p.ID + " " + p.Version
			answer.Left, answer.Beside = nil, nil
			break
		}
		for _, beside := range brings {
			coming = append(coming, beside)
			answer.Beside = append(answer.Beside, beside.ID+" "+beside.Version)
		}
	}
	printed, err := json.Marshal(answer)
	if err != nil {
		panic("texts are always JSON: " + err.Error())
	}
	return said{stdout: string(printed) + "\n"}
}

// manager is the disk's package manager.
func (d *Disk) manager() string {
	switch d.os.SSM {
	case "AMAZON_LINUX", "AMAZON_LINUX_2":
		return "yum"
	case "UBUNTU", "DEBIAN", "RASPBIAN":
		return "apt"
	case "SUSE":
		return "zypper"
	}
	return "dnf"
}

// lockOf is what the package manager calls what holds a package.
func (d *Disk) lockOf(id string) string {
	switch d.manager() {
	case "apt":
		return "a hold (apt-mark)"
	case "zypper":
		return "a lock (" + id + ")"
	}
	return "a version lock (" + id + " " + d.Version(id) + ")"
}
