// Package facts holds the read-only scripts that ask a machine what it is and has, and reads what they print.
package facts

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/plain"
)

//go:embed scripts/facts.sh
var shell string

//go:embed scripts/facts.ps1
var powerShell string

// Documents of AWS that run a script.
const (
	shellDocument      = "AWS-RunShellScript"
	powerShellDocument = "AWS-RunPowerShellScript"
)

// Script is the read-only script for a platform, a line each, and the document that runs it. An Automation parameter
// takes 50 values of 1 to 512 characters: API reference of StartAutomationExecution. Comments stay here, but for the
// first line, which says whose script it is.
func Script(platform patch.Platform) (document string, lines []string) {
	document, script := shellDocument, shell
	if platform == patch.Windows {
		document, script = powerShellDocument, powerShell
	}
	for i, line := range strings.Split(strings.TrimRight(script, "\n"), "\n") {
		if i == 0 || !strings.HasPrefix(strings.TrimSpace(line), "#") {
			lines = append(lines, line)
		}
	}
	return document, lines
}

// awaitCloudInit waits until what a machine does as it boots first is done: packages may be installed by it
// (cloud-init's documentation, CLI commands: `status --wait` blocks until it has completed). A machine
// that has no cloud-init, or has it disabled, is not waited for, and how it ended is not judged here.
const awaitCloudInit = `if command -v cloud-init >/dev/null; then timeout 120 cloud-init status --wait >/dev/null 2>&1; ` +
	`[ $? -ne 124 ] || fail "cloud-init is at work still"; fi`

// SettledScript is Script for a machine that has booted as if launched anew: it tells nothing until cloud-init is done.
func SettledScript(platform patch.Platform) (document string, lines []string) {
	document, lines = Script(platform)
	at := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, "fail() {") })
	if at < 0 { // Windows has none
		return document, lines
	}
	return document, slices.Insert(lines, at+1, awaitCloudInit)
}

// printed is what the scripts print. Packages come last, so that a reply cut short by AWS loses only them.
type printed struct {
	patch.MachineFacts
	// PackagesGZ is the base64 of the gzip of lines "name.arch epoch:version-release", with dpkg's state behind what is
	// installed by half: "libc6.amd64 0:2.36-9 half-configured".
	PackagesGZ string `json:"packages_gz"`
}

// mostPackages bounds what a reply may unpack to.
const mostPackages = 16 << 20

// lastObject is the last line of JSON that a script printed; "": it printed none.
func lastObject(output string) (line string) {
	for text := range strings.Lines(output) {
		if text = strings.TrimSpace(text); strings.HasPrefix(text, "{") {
			line = text
		}
	}
	return line
}

// printedObject reads the line of JSON that a script printed, and makes its text plain; who printed it stands in
// errors.
func printedObject[T any](output, who string) (*T, error) {
	line, read := lastObject(output), new(T)
	if line == "" {
		return nil, errors.New(who + " printed no line of JSON")
	}
	if err := json.Unmarshal([]byte(line), read); err != nil {
		return nil, fmt.Errorf("the line of %s is no JSON: %w", who, err)
	}
	plain.Strings(read)
	return read, nil
}

// Parse reads a script's output. The packages are nil when AWS cut them off (it keeps 24,000 characters of output),
// which is no error: their hash stands before them.
func Parse(output string) (*patch.MachineFacts, []string, error) {
	line := lastObject(output)
	if line == "" {
		return nil, nil, errors.New("the facts script printed no line of JSON: an agent whose disk is full passes nothing on")
	}
	var facts printed
	if err := json.Unmarshal([]byte(line), &facts); err != nil {
		whole, _, cut := strings.Cut(line, `,"packages_gz"`)
		if !cut || json.Unmarshal([]byte(whole+"}"), &facts) != nil {
			return nil, nil, fmt.Errorf("the facts script's line is no JSON: %w", err)
		}
	}
	plain.Strings(&facts.MachineFacts) // what JSON had escaped
	if facts.BootID == "" || facts.PackagesSHA256 == "" {
		return nil, nil, errors.New("the facts script told no boot id or no hash of the packages")
	}
	if facts.PackagesGZ == "" {
		return &facts.MachineFacts, nil, nil
	}
	packages, err := unpack(facts.PackagesGZ, facts.PackagesSHA256)
	return &facts.MachineFacts, packages, err
}

func unpack(packed, hash string) ([]string, error) {
	raw, err := base64.StdEncoding.DecodeString(packed)
	if err != nil {
		return nil, fmt.Errorf("the package list is no base64: %w", err)
	}
	reader, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("the package list is no gzip: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(reader, mostPackages))
	if err != nil {
		return nil, fmt.Errorf("the package list is damaged: %w", err)
	}
	if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != hash {
		return nil, errors.New("the package list does not have the hash it was sent with")
	}
	return strings.Split(strings.TrimRight(plain.Text(string(text)), "\n"), "\n"), nil
}
