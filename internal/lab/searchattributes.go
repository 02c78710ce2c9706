package lab

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
)

// ensureSearchAttributes adds what the namespace lacks and waits until every attribute is accepted in a query. A
// database kept from an older release has a namespace without the newer attributes, and creating the namespace again
// changes nothing; a workflow that then sets a missing attribute fails its task for ever.
func ensureSearchAttributes(ctx context.Context, c client.Client, wanted map[string]enumspb.IndexedValueType) error {
	if len(wanted) == 0 {
		return nil
	}
	listed, err := c.OperatorService().ListSearchAttributes(ctx,
		&operatorservice.ListSearchAttributesRequest{Namespace: Namespace})
	if err != nil {
		return fmt.Errorf("list the search attributes of namespace %s: %w", Namespace, err)
	}
	missing, err := missingAttributes(wanted, listed.GetCustomAttributes())
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		_, err := c.OperatorService().AddSearchAttributes(ctx,
			&operatorservice.AddSearchAttributesRequest{Namespace: Namespace, SearchAttributes: missing})
		if taken := (*serviceerror.AlreadyExists)(nil); err != nil && !errors.As(err, &taken) {
			return fmt.Errorf("add search attributes %s to namespace %s: %w", names(missing), Namespace, err)
		}
	}
	query := usesAll(wanted)
	err = poll(ctx, readyPoll, func() error {
		_, err := c.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Namespace: Namespace, Query: query})
		return err
	})
	if err != nil {
		return fmt.Errorf("search attributes %s of namespace %s are not usable: %w", names(wanted), Namespace, err)
	}
	return nil
}

// missingAttributes compares by name and type. An attribute's type cannot be changed, so another type is an error.
func missingAttributes(
	wanted, present map[string]enumspb.IndexedValueType,
) (map[string]enumspb.IndexedValueType, error) {
	missing := map[string]enumspb.IndexedValueType{}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		kind, found := present[name]
		switch {
		case !found:
			missing[name] = wanted[name]
		case kind != wanted[name]:
			return nil, fmt.Errorf("search attribute %s of namespace %s has type %s, not %s: a type cannot be changed; "+
				"start with another data folder", name, Namespace, kind, wanted[name])
		}
	}
	return missing, nil
}

// usesAll is a visibility query that names every attribute and matches whatever there is.
func usesAll(attributes map[string]enumspb.IndexedValueType) string {
	parts := make([]string, 0, len(attributes))
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		parts = append(parts, fmt.Sprintf("`%s` is null", name))
	}
	return strings.Join(parts, " or ")
}

func names(attributes map[string]enumspb.IndexedValueType) string {
	return strings.Join(slices.Sorted(maps.Keys(attributes)), ", ")
}
