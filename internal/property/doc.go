// Package property plays waves that are drawn at random, with trouble, other people and parked nights, and judges each
// from the simulator. All of it is in its tests: `make property` plays 2,000 of them, `go test` 200.
package property
