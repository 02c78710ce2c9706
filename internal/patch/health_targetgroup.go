package patch

import "fmt"

// targetGroupHealth: the instance must be healthy again in each target group that it was healthy in before.
var targetGroupHealth = HealthKind{
	Key:   "target_group",
	Asks:  func(check HealthCheck) bool { return check.TargetGroup != "" },
	Judge: judgeTargets,
}

func judgeTargets(health *Health, view HealthView) {
	for _, check := range view.Checks {
		for _, was := range view.Before {
			if !check.names(was) {
				continue
			}
			if !was.Judged() {
				said := fmt.Sprintf("%s was %s and is not judged", was.Where(), was.Health)
				health.Unsaid = append(health.Unsaid, said)
				continue
			}
			if is := findTarget(view.Now.Member.Targets, was); is == nil {
				health.wait("not registered in %s", was.Where())
			} else if is.Health != TargetHealthy {
				health.wait("%s in %s %s", is.Health, was.Where(), is.Reason)
			}
		}
	}
}

func findTarget(targets []Target, like Target) *Target {
	for i, target := range targets {
		if target.TargetGroupARN == like.TargetGroupARN && target.ID == like.ID && target.Port == like.Port {
			return &targets[i]
		}
	}
	return nil
}
