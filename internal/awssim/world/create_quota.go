package world

import "github.com/patchtide/patchtide/internal/awssim/api"

// MaxInstances is how many instances a region of an account holds: AWS's quota in vCPUs, roughly, and what keeps one
// thoughtless request from filling the memory.
const MaxInstances = 5000

// withinQuota refuses a launch that the account's quota does not allow.
func (r *Region) withinQuota() error {
	if len(r.instances.ids) >= MaxInstances {
		return api.Errorf(
			"InstanceLimitExceeded", "You have requested more instances (%d) than your current instance limit of %d allows.",
			MaxInstances+1, MaxInstances,
		)
	}
	return nil
}
