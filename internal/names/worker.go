package names

import (
	"fmt"
	"regexp"
	"strconv"
)

// Worker is what a worker says of itself in its identity, which Temporal tells of everybody who polls a queue.
type Worker struct {
	Process string // its process and machine: PID@HOST
	Config  string // the fingerprint of its configuration, by config.Config's Fingerprint
	Journal string // of where it keeps evidence and what it signs with, by evidence.Store's Fingerprints
}

// UnknownJournal is that of a worker that could not read its evidence store when it started.
const UnknownJournal = "0"

var workerIdentity = regexp.MustCompile(`^(.+)@config-([0-9a-f]+)@journal-([0-9a-f]+)$`)

// WorkerProcess names a process of a machine.
func WorkerProcess(pid int, host string) string { return strconv.Itoa(pid) + "@" + host }

// Identity is how Temporal gets to know the worker.
func (w Worker) Identity() string {
	return fmt.Sprintf("%s@config-%s@journal-%s", w.Process, w.Config, w.Journal)
}

// ParseWorker reads the identity of somebody who polls; found is false where it is no worker of ours.
func ParseWorker(identity string) (worker Worker, found bool) {
	parts := workerIdentity.FindStringSubmatch(identity)
	if parts == nil {
		return Worker{}, false
	}
	return Worker{Process: parts[1], Config: parts[2], Journal: parts[3]}, true
}
