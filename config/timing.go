package config

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/patch"
)

// TimingKey is one interval or budget that a plan may set under `timing:`.
type TimingKey struct {
	Key     string
	Default time.Duration // from patch.DefaultTiming
	Doc     string
	index   int
}

// timingDoc says in an operator's words what each does; the reasons stand with the fields of patch.Timing.
func timingDoc() map[string]string {
	return map[string]string{
		"act":         "How long one attempt to change something in AWS may take.",
		"look":        "How long one attempt to read something may take.",
		"poll":        "Time between two looks at something slow, such as an installation or a restore.",
		"health_poll": "Time between two looks at health, also while baking.",
		"act_budget":  "How long a failing change is repeated while going forward. Putting back has no such bound.",
		"scan":        "How long a patch scan of one batch of instances may take.",
		"drain":       "How long entering standby and draining may take; a target group may ask for an hour.",
		"install": "How long installation, reboot and collecting facts may take once they run. More than 5h needs " +
			"automation_role_arn in each account.",
		"stop":          "How long a stopped execution and its command may take to end.",
		"in_service":    "How long the way from standby back to InService and healthy targets may take.",
		"health_budget": "How long health checks may take to pass after the return, before the bake begins.",
		"snapshot":      "How long a restore waits for its snapshot; the first of a large volume takes hours.",
		"restore_root":  "How long replacing a root volume, with the reboot it brings, may take.",
		"surge":         "How long one more instance may take from its launch until it is healthy.",
		"agent":         "How long the agent may stay silent after a reboot.",
		"start": "How long a stopped instance may take from its start until Systems Manager hears of it, and to be stopped " +
			"again.",
		"instance": "How long one instance usually takes, without draining and bake. With the bake it stands for " +
			"estimates.patch in a stage whose bake alone takes longer than that.",
		"read_lag": "How long AWS's lists may not yet show what was just made.",
		"rollback_max_age": "How old a backup may be, by AWS's clock, before rolling back a closed wave asks for " +
			"--accept-loss: what was written since is lost.",
		"retry": "The first pause before a failed change is tried again, at most 1m; it doubles up to a minute.",
	}
}

// TimingTable lists every key of `timing:` in the order of patch.Timing.
func TimingTable() []TimingKey {
	docs, defaults := timingDoc(), reflect.ValueOf(patch.DefaultTiming())
	table := make([]TimingKey, defaults.NumField())
	for i := range table {
		key, _, _ := strings.Cut(defaults.Type().Field(i).Tag.Get("json"), ",")
		table[i] = TimingKey{Key: key, Default: time.Duration(defaults.Field(i).Int()), Doc: docs[key], index: i}
	}
	return table
}

// resolveTiming puts what a plan says over the defaults. Unknown keys were refused before.
func resolveTiming(written map[string]patch.Duration) patch.Timing {
	timing := patch.DefaultTiming()
	target := reflect.ValueOf(&timing).Elem()
	for _, t := range TimingTable() {
		if value, ok := written[t.Key]; ok {
			target.Field(t.index).SetInt(int64(value))
		}
	}
	return timing
}

func (v *validator) checkTiming(at string, written map[string]patch.Duration) {
	known := timingKeys()
	for key := range written {
		if !slices.Contains(known, key) {
			v.doc.Problem(at+"."+key, "unknown key; known here: %s", strings.Join(known, ", "))
		}
	}
	if retry := written["retry"]; retry > patch.LongestRetry {
		v.doc.Problem(at+".retry", "%s is more than %s, the longest allowed: no failed change is left alone for longer",
			shortDuration(retry.D()), shortDuration(patch.LongestRetry.D()))
	}
}

func timingKeys() []string {
	var keys []string
	for _, t := range TimingTable() {
		keys = append(keys, t.Key)
	}
	slices.Sort(keys)
	return keys
}
