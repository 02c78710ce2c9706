// Package wavetest is the scene in which sagas are tried: Temporal's test environment, the real activities and clients,
// and the simulated AWS, with an operator who answers what a wave asks. What a test knows of a wave's end it reads from
// the simulator.
package wavetest
