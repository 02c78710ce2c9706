package facts

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"

	"github.com/patchtide/patchtide/internal/patch"
)

//go:embed scripts/list.sh
var shellList string

//go:embed scripts/list.ps1
var powerShellList string

// anAddress is an object of S3 by what its bucket and key may be made of: whatever else stands in it would be a command
// in the script.
var anAddress = regexp.MustCompile(`^s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/([A-Za-z0-9._/-]+)$`)

var aRegion = regexp.MustCompile(`^[a-z0-9-]+$`)

// ListScript is the script that has a machine read an object of S3 with its own credentials, a line each, and the
// document that runs it.
func ListScript(platform patch.Platform, address, region string) (document string, lines []string, err error) {
	parts := anAddress.FindStringSubmatch(address)
	if parts == nil || !aRegion.MatchString(region) {
		return "", nil, fmt.Errorf("%q in %q is no object of S3", address, region)
	}
	document, script, empty := shellDocument, shellList, "bucket='' key='' region=''"
	object := "bucket=" + parts[1] + " key=" + parts[2] + " region=" + region
	if platform == patch.Windows {
		document, script, empty = powerShellDocument, powerShellList, "$bucket = ''; $key = ''; $region = ''"
		object = "$bucket = '" + parts[1] + "'; $key = '" + parts[2] + "'; $region = '" + region + "'"
	}
	for i, line := range strings.Split(strings.TrimRight(script, "\n"), "\n") {
		switch {
		case line == empty:
			lines = append(lines, object)
		case i == 0 || !strings.HasPrefix(line, "#"):
			lines = append(lines, line)
		}
	}
	return document, lines, nil
}

// ListRead is what came of a machine's reading.
type ListRead struct {
	Status int    `json:"status"` // S3's, 200 where it was read; 0: S3 was not asked, and Why says why
	Code   string `json:"code"`   // S3's: AccessDenied
	SHA256 string `json:"sha256"` // of what was read, in hexadecimal
	Why    string `json:"why"`
}

// ParseList reads what the script printed.
func ParseList(output string) (*ListRead, error) {
	return printedObject[ListRead](output, "the script that reads a list")
}
