package facts

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"
)

//go:embed scripts/offers.sh
var shellOffers string

// anEntry is a package in a version, by what rpm and dpkg let names and versions be made of. Whatever else another
// machine has told would be a command in the script.
var anEntry = regexp.MustCompile(
	`^[A-Za-z0-9][A-Za-z0-9._+-]*\.[A-Za-z0-9_]+ [0-9]+:[A-Za-z0-9][A-Za-z0-9._+~^:-]*$`,
)

// OffersScript is the script that has a Linux machine's own package manager tell, by a dry install, what it would make
// of packages in exact versions, lines "name.arch epoch:version"; a line each, and the document that runs it. There is
// none for Windows, whose updates cannot be installed without being installed.
func OffersScript(wanted []string) (document string, lines []string, err error) {
	lines = append(lines, "")
	asked := []string{"wanted() {", "cat <<'END'"}
	for _, entry := range wanted {
		if !anEntry.MatchString(entry) {
			return "", nil, fmt.Errorf("%q is no package in a version", entry)
		}
		asked = append(asked, entry)
	}
	asked = append(asked, "END", "}")
	replaced := false
	for i, line := range strings.Split(strings.TrimRight(shellOffers, "\n"), "\n") {
		switch trimmed := strings.TrimSpace(line); {
		case i == 0:
			lines[0] = line
		case trimmed == "# begin":
			replaced = true
			lines = append(lines, asked...)
		case trimmed == "# end":
			replaced = false
		case !replaced && trimmed != "" && !strings.HasPrefix(trimmed, "#"):
			lines = append(lines, line)
		}
	}
	return shellDocument, lines, nil
}

// Offers is what a machine's package manager says of packages in exact versions. Its lists have lines "name.arch
// epoch:version", and not all of them where they are long.
type Offers struct {
	By         string   `json:"by"`         // apt, zypper, dnf or yum
	Asked      int      `json:"asked"`      // how many it was asked for
	Absent     []string `json:"absent"`     // what its repositories do not serve
	Held       []string `json:"held"`       // what is held there, and by what: "curl.x86_64 0:8-2: a version lock (curl-0:8-1.*)"
	Left       []string `json:"left"`       // what it would not install for no reason that it tells
	Beside     []string `json:"beside"`     // what would come with it
	Gone       []string `json:"gone"`       // what would be taken away
	Unresolved string   `json:"unresolved"` // why it cannot be installed together
}

// ParseOffers reads what the script printed of so many packages.
func ParseOffers(output string, asked int) (*Offers, error) {
	offers, err := printedObject[Offers](output, "the dry install")
	if err == nil && offers.Asked != asked {
		return nil, fmt.Errorf("the dry install was of %d packages, and %d were asked for", offers.Asked, asked)
	}
	return offers, err
}
