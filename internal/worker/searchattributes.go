package worker

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/names"
)

// SearchAttribute is one of ours that a namespace lacks, or has as something else than a keyword.
type SearchAttribute struct {
	Name string
	Is   string // the type it has; "": it is missing
	Mend string // shell commands, joined by &&
}

func (a SearchAttribute) String() string {
	if a.Is == "" {
		return a.Name + " is missing"
	}
	return a.Name + " is of type " + a.Is + " instead of Keyword"
}

// WrongSearchAttributes lists those of ours that are not in the namespace as they must be, each with what makes it so.
func WrongSearchAttributes(ctx context.Context, c client.Client, namespace string) ([]SearchAttribute, error) {
	answer, err := c.OperatorService().ListSearchAttributes(
		ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace},
	)
	if err != nil {
		return nil, fmt.Errorf("ask Temporal for its search attributes: %w", err)
	}
	var wrong []SearchAttribute
	for _, name := range names.SearchAttributes() {
		kind, found := answer.GetCustomAttributes()[name]
		of := fmt.Sprintf("--namespace %s --name %s", names.ShellWord(namespace), name)
		attribute := SearchAttribute{Name: name, Mend: "temporal operator search-attribute create --type Keyword " + of}
		switch {
		case kind == enums.INDEXED_VALUE_TYPE_KEYWORD:
			continue
		case found:
			attribute.Is = kind.String()
			attribute.Mend = "temporal operator search-attribute remove --yes " + of + " && " + attribute.Mend
		}
		wrong = append(wrong, attribute)
	}
	return wrong, nil
}

// checkSearchAttributes refuses to start without them and tells the commands that make them.
func checkSearchAttributes(ctx context.Context, c client.Client, namespace string) error {
	wrong, err := WrongSearchAttributes(ctx, c, namespace)
	if err != nil || len(wrong) == 0 {
		return err
	}
	var text strings.Builder
	for _, attribute := range wrong {
		fmt.Fprintf(&text, "\n  %s: %s", attribute, attribute.Mend)
	}
	return errors.New(
		"search attributes of the namespace " + namespace +
			" are not as they must be, without which every workflow task would fail:" + text.String(),
	)
}
