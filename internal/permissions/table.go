package permissions

import (
	"fmt"
	"strings"
)

//go:generate go test -run ^TestTheInstallingPageListsThePolicy$ -update .

// Table is the role's policy as a table of Markdown: a row a service and occasion.
func Table() string {
	var text strings.Builder
	text.WriteString("| service | actions | where |\n|---|---|---|\n")
	for _, each := range grants() {
		for actions := each.actions; len(actions) > 0; {
			service, _, _ := strings.Cut(actions[0], ":")
			var names []string
			for len(actions) > 0 && strings.HasPrefix(actions[0], service+":") {
				names = append(names, "`"+strings.TrimPrefix(actions[0], service+":")+"`")
				actions = actions[1:]
			}
			when := each.when
			if when == "" {
				when = "always"
			}
			fmt.Fprintf(&text, "| %s | %s | %s |\n", service, strings.Join(names, ", "), when)
		}
	}
	return text.String()
}
