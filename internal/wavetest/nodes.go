package wavetest

import (
	"bytes"
	"slices"

	"github.com/patchtide/patchtide/internal/awssim/world"
)

// tillPlan patches the tills of shops, which are managed nodes.
const tillPlan = `plans:
  - name: web
    baseline: amazon-linux-2023
    backup: none
    restore: none
    stages:
      - name: tills
        groups: [{account: staging, region: ap-northeast-1, managed_nodes: {Role: till}}]
        health: [{target_group: auto}, {http: {path: /healthz, port: 80}}]
        bake: 5m
        on_failure: {action: hold, timeout: 30m, then: abort}

`

// TillPlan puts a plan of managed nodes in the place of the example's.
func TillPlan(file []byte) []byte {
	from, to := bytes.Index(file, []byte("plans:\n")), bytes.Index(file, []byte("# Who is told."))
	return slices.Concat(file[:from], []byte(tillPlan), file[to:])
}

// Tills has two managed nodes of an image's system in staging's account, behind load balancers where some are named.
func Tills(image string, targetGroups ...string) func(*world.Scenario) {
	return func(s *world.Scenario) {
		region := &s.Accounts[0].Regions[0]
		for _, name := range targetGroups {
			group := region.TargetGroups[0]
			group.Name, group.TargetType, group.LoadBalancer = name, "ip", name
			region.TargetGroups = append(region.TargetGroups, group)
		}
		region.Nodes = append(region.Nodes, world.NodeSpec{
			Name: "till", Count: 2, Image: image, TargetGroups: targetGroups,
			Tags: map[string]string{"Role": "till", "PatchGroup": "amazon-linux-2023"},
		})
	}
}
