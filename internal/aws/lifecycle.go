package aws

import (
	"strings"

	"github.com/patchtide/patchtide/internal/patch"
)

// Filling reports whether desired counts a member in this state.
func Filling(lifecycle string) bool {
	return lifecycle == patch.LifecycleInService || ComingIn(lifecycle)
}

// Leaving reports whether a member is one that its group is about to lose.
func Leaving(lifecycle string) bool {
	return strings.HasPrefix(lifecycle, "Terminat") || strings.HasPrefix(lifecycle, "Detach")
}

// ComingIn reports whether a member is on its way into service: Pending, Pending:Wait, Pending:Proceed.
func ComingIn(lifecycle string) bool { return strings.HasPrefix(lifecycle, patch.LifecyclePending) }
