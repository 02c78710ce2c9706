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
	v.busy(timeOf(script), func() {
		if v.Instance.Disk().os.Windows() != windows {
			v.end("Success", 0, "", "")
			return
		}
		code, stdout, stderr := v.Instance.runScript(script)
		status := "Success"
		if code != 0 {
			status = "Failed"
		}
		v.end(status, code, stdout, stderr)
	})
}

// timeOf is how long a script takes: a moment, and as long as its lines sleep.
func timeOf(script string) time.Duration {
	takes := scriptTime
	for line := range strings.Lines(script) {
		if words := strings.Fields(line); len(words) == 2 && words[0] == "sleep" {
			if seconds, err := strconv.Atoi(words[1]); err == nil {
				takes += time.Duration(seconds) * time.Second
			}
		}
	}
	return takes
}

// runScript is Shell as the agent runs it, which says of a script that failed so below what it said itself
// (runscript.go of amazon-ssm-agent).
func (i *Instance) runScript(script string) (code int, stdout, stderr string) {
	code, stdout, stderr = i.Shell(script)
	if code != 0 {
		agents := fmt.Sprintf("\nfailed to run commands: exit status %d", code)
		stderr = strings.TrimLeft(strings.TrimRight(stderr, "\n")+agents, "\n")
	}
	return code, stdout, stderr
}

// Shell runs a script on the machine. The simulated shell is no shell: it knows two read-only scripts, by their first
// line, and lines of `echo`, `true`, `false`, `:`, `sleep` and `exit`; it fails on any other with exit code 127.
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
	return plainShell(script)
}

// plainShell runs the commands that need no machine, line by line.
func plainShell(script string) (code int, stdout, stderr string) {
	for line := range strings.Lines(script) {
		words := strings.Fields(line)
		ours := strings.HasPrefix(line, "# patchtide:") // a script of Patchtide's that is not modelled
		if len(words) == 0 || strings.HasPrefix(words[0], "#") && !ours {
			continue
		}
		code = 0
		plain := !strings.ContainsAny(line, "$`|&;<>(){}*?\\~")
		switch {
		case plain && words[0] == "echo":
			stdout += strings.NewReplacer(`"`, "", "'", "").Replace(strings.Join(words[1:], " ")) + "\n"
		case plain && (words[0] == "true" || words[0] == ":"):
		case plain && words[0] == "sleep" && len(words) == 2: // see timeOf
		case plain && words[0] == "false":
			code = 1
		case plain && words[0] == "exit" && len(words) <= 2:
			last, err := strconv.Atoi(strings.Join(append(words[1:], "0")[:1], ""))
			if err != nil {
				return 2, stdout, stderr + "exit: " + words[1] + ": numeric argument required\n"
			}
			return last & 0xff, stdout, stderr
		default:
			return 127, stdout, stderr + fmt.Sprintf("the simulated machine's shell does not know %q; \"# patchtide:facts\", "+
				"\"# patchtide:http <port> <path>\", echo, true, false, sleep and exit are modelled\n", strings.TrimSpace(line))
		}
	}
	return code, stdout, stderr
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
