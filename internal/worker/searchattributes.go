package worker

import (
	"context"
	"fmt"
	"strings"

	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/names"
)

// MissingSearchAttributes lists those of ours that the namespace lacks.
func MissingSearchAttributes(ctx context.Context, c client.Client, namespace string) ([]string, error) {
	answer, err := c.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	if err != nil {
		return nil, fmt.Errorf("ask Temporal for its search attributes: %w", err)
	}
	var missing []string
	for _, name := range names.SearchAttributes() {
		if _, found := answer.GetCustomAttributes()[name]; !found {
			missing = append(missing, name)
		}
	}
	return missing, nil
}

// CreateSearchAttribute is the command that makes one.
func CreateSearchAttribute(name string) string {
	return "temporal operator search-attribute create --type Keyword --name " + name
}

// checkSearchAttributes refuses to start without them and tells the command that makes them.
func checkSearchAttributes(ctx context.Context, c client.Client, namespace string) error {
	missing, err := MissingSearchAttributes(ctx, c, namespace)
	if err != nil || len(missing) == 0 {
		return err
	}
	commands := make([]string, len(missing))
	for i, name := range missing {
		commands[i] = "  " + CreateSearchAttribute(name)
	}
	return fmt.Errorf("the namespace lacks search attributes, without which every workflow task would fail; create them:\n%s", strings.Join(commands, "\n"))
}
