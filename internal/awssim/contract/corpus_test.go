package contract_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/contract"
	"github.com/patchtide/patchtide/internal/awssim/contract/shapes"
)

// TestEveryOperationAnswersAsAWSDescribesIt plays the contract and the corpus on one simulator, whose every reply is
// checked against AWS's own descriptions, and fails for each operation that no call of them made to succeed.
func TestEveryOperationAnswersAsAWSDescribesIt(t *testing.T) {
	s := newSimulator(t)
	endpoint := s.endpoint(t)
	ctx := context.Background()
	for _, scenario := range append(contract.Scenarios(), corpus(s)...) {
		clients := endpoint.Dial()
		for _, step := range scenario.Steps(clients) {
			require.NoError(t, step.Do(ctx), "%s: %s", scenario.Name, step.Name)
		}
		require.NoError(t, clients.CleanUp(ctx), scenario.Name)
	}
	var silent []string
	for _, operation := range s.Operations() {
		service, name, _ := strings.Cut(operation, ":")
		id := shapes.ServiceIDs[service]
		require.NotEmpty(t, id, "name the service %q in shapes.ServiceIDs", service)
		if s.transport.Succeeded(id, name) == 0 {
			silent = append(silent, operation)
		}
	}
	require.Empty(t, silent, "no call to these operations was tried; add them to the corpus")
	t.Logf("%d operations checked", len(s.Operations()))
}
