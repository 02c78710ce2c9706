package names

import (
	"strings"
	"unicode"
)

// Words is the name of an activity or a workflow as people read it: "AwaitInService" is "await in service".
func Words(name string) string {
	var text strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			text.WriteByte(' ')
		}
		text.WriteRune(unicode.ToLower(r))
	}
	return text.String()
}

// Locked is what a lock's workflow id says that it locks: an instance's id, "region/name" of a group, a service's name;
// "" for any other workflow.
func Locked(workflowID string) string {
	if id, found := strings.CutPrefix(workflowID, instanceLock); found {
		return id[strings.LastIndex(id, "/")+1:]
	}
	if place, found := strings.CutPrefix(workflowID, groupLock); found {
		_, group, _ := strings.Cut(place, "/") // behind its account's id
		return group
	}
	service, _ := strings.CutPrefix(workflowID, serviceLock)
	if service == workflowID {
		return ""
	}
	return service
}

// InstanceOf is the lock of an instance of the group whose lock is given; "" where that is no group's.
func InstanceOf(group, instance string) string {
	place, found := strings.CutPrefix(group, groupLock)
	parts := strings.SplitN(place, "/", 3) // account, region, name
	if !found || len(parts) < 3 {
		return ""
	}
	return instanceLock + parts[0] + "/" + parts[1] + "/" + instance
}
