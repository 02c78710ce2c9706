package names_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/names"
)

func TestAWorkerIsReadFromItsIdentity(t *testing.T) {
	worker := names.Worker{Process: names.WorkerProcess(17, "box@home"), Config: "00ff", Journal: "12ab"}
	require.Equal(t, "17@box@home@config-00ff@journal-12ab", worker.Identity())
	read, found := names.ParseWorker(worker.Identity())
	require.True(t, found)
	require.Equal(t, worker, read)
	for _, other := range []string{"", "17@box@", "somebody's", "17@box@config-00ff"} {
		_, found := names.ParseWorker(other)
		require.False(t, found, other)
	}
}
