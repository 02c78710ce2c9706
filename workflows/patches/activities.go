package patches

import "github.com/patchtide/patchtide/activities"

// Activities are named by method references on nil pointers, so that a misspelt or retyped one does not compile.
var (
	control *activities.Control
)
