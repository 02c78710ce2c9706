package image

import "github.com/patchtide/patchtide/activities"

// aws names activities by method references on a nil pointer.
var aws *activities.AWS
