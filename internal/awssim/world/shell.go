package world

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// scriptTime is how long a script takes.
const scriptTime = time.Second

// runShell is the documents AWS-RunShellScript and AWS-RunPowerShellScript on one machine. Each runs on its own
// platform only; on the other it is skipped with success and no output, as the real documents' preconditions do.
func (v *Invocation) runShell() {
	windows := v.Command.Document == "AWS-RunPowerShellScript"
	script := strings.Join(v.Command.Parameters["commands"], "\n")
	v.busy(scriptTime, func() {
		if v.Instance.Disk().os.Windows() != windows {
			v.end("Success", 0, "", "")
			return
		}
		code, stdout, stderr := v.Instance.Shell(script)
		status := "Success"
		if code != 0 {
			status = "Failed"
		}
		v.end(status, code, stdout, stderr)
	})
}

// Shell runs a script on the machine. The simulated shell is no shell: it knows two read-only scripts, by their first
// line, and fails on any other with exit code 127.
//
//	# patchtide:facts               one JSON line: boot id, operating system, kernel, pending reboot, packages
//	# patchtide:http <port> <path>  the HTTP status a GET to localhost gets, or 000 when nothing listens
func (i *Instance) Shell(script string) (code int, stdout, stderr string) {
	first, _, _ := strings.Cut(strings.TrimLeft(script, "\r\n"), "\n")
	words := strings.Fields(first)
	switch {
	case len(words) == 2 && words[0] == "#" && words[1] == "patchtide:facts":
		return 0, i.factsLine(), ""
	case len(words) == 4 && words[0] == "#" && words[1] == "patchtide:http":
		port, err := strconv.Atoi(words[2])
		if err != nil {
			return 2, "", "patchtide:http: the port is not a number: " + words[2] + "\n"
		}
		return 0, fmt.Sprintf("%03d\n", i.HTTPStatus(port, words[3])), ""
	}
	return 127, "", fmt.Sprintf("the simulated machine's shell does not know this script; its first line is %q, "+
		"and only \"# patchtide:facts\" and \"# patchtide:http <port> <path>\" are modelled\n", first)
}

// named is a list as a script prints it: there, also when it is empty.
func named(list []string) []string { return append([]string{}, list...) }

// PackageList is one line "name version" for each installed package, sorted.
func (d *Disk) PackageList() string {
	var list strings.Builder
	for _, p := range d.Packages() {
		list.WriteString(p.Name + " " + p.Version + "\n")
	}
	return list.String()
}

// listedPackages are those that the machine's own list has: on Windows the hotfixes.
func (i *Instance) listedPackages() string {
	disk := i.Disk()
	var list strings.Builder
	for _, p := range disk.Packages() {
		if !slices.ContainsFunc(i.Region.World.Scenario.Patches, func(known Patch) bool {
			return known.Unlisted && known.OS == disk.os.Name && known.ID == p.Name
		}) {
			list.WriteString(p.Name + " " + p.Version + "\n")
		}
	}
	return list.String()
}

// packers are used again and again: each holds most of a megabyte.
var packers = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// JoinDomain makes a Windows machine a member of an Active Directory domain.
func (i *Instance) JoinDomain() { i.machine.domain = true }

// applicationHash is of the application's files, which the simulated disk has one of; Windows does not tell.
func (d *Disk) applicationHash() string {
	if d.os.Windows() {
		return ""
	}
	sum := sha256.Sum256([]byte("/srv/" + d.app.Name + " " + d.app.Version + "\n"))
	return hex.EncodeToString(sum[:])
}

// Deploy puts another version of its application on the instance, past every package manager.
func (i *Instance) Deploy(version string) { i.Disk().app.Version = version }

func (i *Instance) factsLine() string {
	disk := i.Disk()
	list := i.listedPackages()
	sum := sha256.Sum256([]byte(list))
	var packed bytes.Buffer
	writer := packers.Get().(*gzip.Writer)
	defer packers.Put(writer)
	writer.Reset(&packed)
	if _, err := writer.Write([]byte(list)); err != nil {
		panic("writing to memory does not fail: " + err.Error())
	}
	if err := writer.Close(); err != nil {
		panic("writing to memory does not fail: " + err.Error())
	}
	var domain *bool
	if disk.os.Windows() {
		domain = &i.machine.domain
	}
	line, err := json.Marshal(struct {
		BootID         string   `json:"boot_id"`
		OS             string   `json:"os"`
		Release        string   `json:"release"`
		Kernel         string   `json:"kernel"`
		PendingReboot  bool     `json:"pending_reboot"`
		Elsewhere      []string `json:"elsewhere"`
		Patchers       []string `json:"patchers"`
		Broken         []string `json:"broken"`
		Application    string   `json:"application_sha256,omitempty"`
		DomainJoined   *bool    `json:"domain_joined,omitempty"`
		PackagesSHA256 string   `json:"packages_sha256"`
		PackagesGZ     string   `json:"packages_gz"`
	}{
		i.machine.bootID, disk.os.Name, disk.os.Release, i.machine.kernel, disk.PendingReboot(), named(i.Elsewhere),
		named(i.Patchers), named(i.Broken), disk.applicationHash(), domain,
		hex.EncodeToString(sum[:]), base64.StdEncoding.EncodeToString(packed.Bytes()),
	})
	if err != nil {
		panic("strings and a bool are always JSON: " + err.Error())
	}
	return string(line) + "\n"
}
