// Package workflows is the durable order of steps, and nothing else: a wave, its groups and their instances. What comes next
// is decided by internal/patch; every side effect is an activity.
package workflows

import "github.com/patchtide/patchtide/activities"

// Activities are named by method references on nil pointers, so that a misspelt or retyped one does not compile.
var (
	aws     *activities.AWS
	control *activities.Control
)
