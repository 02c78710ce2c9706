package config

import (
	"fmt"
	"slices"
	"strings"
)

// checkAfterPlans refuses plans that wait for one that there is not, or for each other.
func (v *validator) checkAfterPlans() {
	after, names := map[string]string{}, []string{}
	for _, plan := range v.file.Plans {
		names = append(names, plan.Name)
		if plan.AfterPlan != nil {
			after[plan.Name] = plan.AfterPlan.Plan
		}
	}
	for i, plan := range v.file.Plans {
		if plan.AfterPlan == nil || plan.AfterPlan.Plan == "" {
			continue
		}
		at := fmt.Sprintf("plans[%d].after_plan", i)
		if v.doc.Has(at + ".plan") {
			at += ".plan"
		}
		if !slices.Contains(names, plan.AfterPlan.Plan) {
			v.doc.Problem(at, "there is no plan %q; known: %s", plan.AfterPlan.Plan, strings.Join(names, ", "))
			continue
		}
		chain := []string{plan.Name}
		for next := after[plan.Name]; next != ""; next = after[next] {
			again := slices.Contains(chain, next)
			chain = append(chain, next)
			if again && next == plan.Name {
				v.doc.Problem(at, "plans that wait for each other never begin: %s; remove one of them",
					strings.Join(chain, " waits for "))
			}
			if again {
				break
			}
		}
	}
}
