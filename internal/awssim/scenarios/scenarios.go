// Package scenarios holds the worlds that come with the laboratory: YAML files, one per scenario, and the fleet they
// share. Their shape is world.Scenario.
package scenarios

import "embed"

// Files holds every scenario as name.yaml.
//
//go:embed *.yaml
var Files embed.FS
