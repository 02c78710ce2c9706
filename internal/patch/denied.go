package patch

import (
	"fmt"
	"strings"
)

// MendDenied is what to do where AWS denied our role something, by AWS's own words: allow is what helps where nothing
// allows it. Where something denies it, no Allow does.
func MendDenied(said, allow string) string {
	for _, by := range []struct{ words, owner string }{
		{"service control policy", "ask who owns the organisation's policies"},
		{"resource control policy", "ask who owns the organisation's policies"},
		{"permissions boundary", "ask who owns the role's permissions boundary"},
		{"session policy", "ask who hands out the worker's credentials, whose session is limited"},
		{"VPC endpoint policy", "ask who owns the VPC endpoint that the worker calls through"},
		{"resource-based policy", "ask who owns the policy of the resource that it names"},
		{"explicit deny", "take the Deny out of the role's policies, or what it names"},
	} {
		if strings.Contains(said, "no "+by.words+" allows") ||
			strings.Contains(said, by.words) && strings.Contains(said, "explicit deny") {
			return fmt.Sprintf("an Allow in the role's policy changes nothing: %s", by.owner)
		}
	}
	return allow
}
