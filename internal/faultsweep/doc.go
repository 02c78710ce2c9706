// Package faultsweep puts each AWS call of a wave in trouble, one at a time, and judges the fleet afterwards. All of it
// is in its tests: `make sweep` runs every case, `go test` a fixed slice.
package faultsweep
