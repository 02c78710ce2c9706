package world

import (
	"io/fs"
	"strings"

	"github.com/patchtide/patchtide/internal/awssim/world/runbooks"
)

// ownedRunbook is an Automation document that AWS owns and every account sees.
type ownedRunbook struct {
	name, content string
	book          *runbook
}

// readOwnedRunbooks reads the embedded documents, in order of their names; all regions share what is read.
func readOwnedRunbooks() []ownedRunbook {
	files, err := fs.Glob(runbooks.Files, "*.yaml")
	if err != nil {
		panic("the pattern is well formed: " + err.Error())
	}
	var owned []ownedRunbook
	for _, file := range files {
		content, err := runbooks.Files.ReadFile(file)
		if err != nil {
			panic("the file was just listed: " + err.Error())
		}
		book, err := parseBook(string(content), true)
		if err != nil {
			panic("the embedded runbook " + file + " is wrong, which its test finds: " + err.Error())
		}
		owned = append(owned, ownedRunbook{name: strings.TrimSuffix(file, ".yaml"), content: string(content), book: book})
	}
	return owned
}
