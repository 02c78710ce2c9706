package world

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
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
	if v.Instance.Disk().os.Windows() != windows {
		v.busy(scriptTime, func() { v.end("Success", 0, "", "") })
		return
	}
	v.runScript(strings.Join(v.Command.Parameters["commands"], "\n"), func(done said) {
		status := "Success"
		if done.code != 0 {
			status = "Failed"
		}
		v.end(status, done.code, done.stdout, done.stderr)
	})
}

// runScript is a script as the agent runs it, which says of one that failed so below what it said itself (runscript.go
// of amazon-ssm-agent). A script of ours tells how the machine is when it ends.
func (v *Invocation) runScript(script string, then func(said)) {
	i := v.Instance
	if probe := probeOf(script); probe != nil {
		v.runProbe(probe, then)
		return
	}
	known := v.Instance.ours(script) != nil
	done := said{}
	if !known {
		done = v.Instance.Shell(script)
	}
	v.busy(scriptTime+done.took, func() {
		if known {
			done = v.Instance.Shell(script)
		}
		if done.code == i.rebootCode() {
			v.rebootAnd(func() { v.runScript(script, then) })
			return
		}
		if done.code != 0 {
			agents := fmt.Sprintf("\nfailed to run commands: exit status %d", done.code)
			done.stderr = strings.TrimLeft(strings.TrimRight(done.stderr, "\n")+agents, "\n")
		}
		then(done)
	})
}

// Shell runs a script on the machine. Scripts of Patchtide's are known by their first line; any other is a shell's.
//
//	# patchtide:reboot        ends with the agent's code for a reboot until the boot id is another
//	# patchtide:facts         one JSON line: boot id, operating system, kernel, pending reboot, packages
//	# patchtide:list          one JSON line: what came of reading an object of S3
//	# patchtide:offers        one JSON line: what a dry install of packages in exact versions says
//	# patchtide:probe <JSON>  health checks, once or for as long as a bake: see runProbe
func (i *Instance) Shell(script string) said {
	if run := i.ours(script); run != nil {
		return run()
	}
	if i.Disk().os.Windows() {
		return powerShell(script)
	}
	return i.posix(script)
}

// ours is a script of Patchtide's; nil: it is none.
func (i *Instance) ours(script string) func() said {
	first, _, _ := strings.Cut(strings.TrimLeft(script, "\r\n"), "\n")
	words := strings.Fields(first)
	switch {
	case len(words) < 2 || words[0] != "#" || !strings.HasPrefix(words[1], "patchtide:"):
		return nil
	case words[1] == "patchtide:facts":
		return func() said { return said{stdout: i.factsLine()} }
	case words[1] == "patchtide:reboot":
		return func() said { return i.rebootScript(script) }
	case words[1] == "patchtide:list":
		return func() said { return i.readList(script) }
	case words[1] == "patchtide:offers":
		return func() said { return i.dryInstall(script) }
	case words[1] == "patchtide:probe":
		return func() said {
			spec := probeOf(script)
			if spec == nil {
				return said{code: codeSyntax, stderr: "patchtide:probe: its first line is no JSON\n"}
			}
			one := &probing{probeSpec: probeSpec{Checks: spec.Checks}, on: i}
			one.look()
			return one.printed()
		}
	}
	return func() said { // it would need to know how the machine is
		return said{code: codeUnknown, stderr: "the simulated machine does not know " + words[1] + "\n"}
	}
}

// setsVariable is a line of PowerShell that sets a variable of the environment to a text.
var setsVariable = regexp.MustCompile(`^\$env:[A-Za-z_]+ = '(?:[^']|'')*'$`)

// powerShell runs lines of `echo`, `Write-Output`, `Start-Sleep`, `exit` and those that set a variable, which nothing
// reads, and fails on any other.
func powerShell(script string) (done said) {
	for line := range strings.Lines(script) {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") || setsVariable.MatchString(strings.TrimSpace(line)) {
			continue
		}
		number, err := strconv.Atoi(words[len(words)-1])
		plain := !strings.ContainsAny(line, "$`|&;<>(){}*?\\~")
		switch command := strings.ToLower(words[0]); {
		case plain && (command == "echo" || command == "write-output"):
			done.stdout += strings.NewReplacer(`"`, "", "'", "").Replace(strings.Join(words[1:], " ")) + "\r\n"
		case plain && command == "start-sleep" && err == nil:
			done.took += time.Duration(number) * time.Second
		case plain && command == "exit" && (len(words) == 1 || err == nil):
			done.code = number
			return done
		default:
			done.code, done.stderr = 1, done.stderr+fmt.Sprintf("the simulated PowerShell does not know %q; echo, "+
				"Write-Output, Start-Sleep and exit are modelled\n", strings.TrimSpace(line))
			return done
		}
	}
	return done
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
	pending, by, whom := i.saysOfReboots()
	line, err := json.Marshal(struct {
		BootID         string   `json:"boot_id"`
		OS             string   `json:"os"`
		Release        string   `json:"release"`
		Releasever     string   `json:"releasever"`
		Kernel         string   `json:"kernel"`
		PendingReboot  bool     `json:"pending_reboot"`
		RebootBy       string   `json:"reboot_by"`
		RebootFor      []string `json:"reboot_for"`
		LivePatches    []string `json:"live_patches"`
		Elsewhere      []string `json:"elsewhere"`
		Patchers       []string `json:"patchers"`
		Broken         []string `json:"broken"`
		Application    string   `json:"application_sha256,omitempty"`
		DomainJoined   *bool    `json:"domain_joined,omitempty"`
		PackagesSHA256 string   `json:"packages_sha256"`
		PackagesGZ     string   `json:"packages_gz"`
	}{
		i.machine.bootID, disk.os.releaseID(), disk.release(), disk.releasever, i.machine.kernel, pending, by, named(whom),
		named(i.LivePatches), named(i.Elsewhere), named(i.Patchers), named(i.Broken), disk.applicationHash(), domain,
		hex.EncodeToString(sum[:]), base64.StdEncoding.EncodeToString(packed.Bytes()),
	})
	if err != nil {
		panic("strings and a bool are always JSON: " + err.Error())
	}
	return string(line) + "\n"
}
