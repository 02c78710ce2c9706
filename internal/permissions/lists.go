package permissions

import "strings"

// PutList and GetList are what the lists of packages need by which `pin: manifest` binds machines: of the worker's own
// role that it puts them into the bucket of `manifests`, of the profiles of a plan's instances that they read them.
const (
	PutList = "s3:PutObject"
	GetList = "s3:GetObject"
)

// ListsPolicy is what the worker's own role, or with read an instance's profile, must be allowed to do with the lists
// below an address, s3://bucket/prefix.
func ListsPolicy(address string, read bool) Document {
	action, sid := PutList, "PutLists"
	if read {
		action, sid = GetList, "ReadLists"
	}
	place := strings.TrimSuffix(strings.TrimPrefix(address, "s3://"), "/")
	return Document{Version: version, Statement: []Statement{{
		Sid: sid, Effect: "Allow", Action: []string{action}, Resource: "arn:aws:s3:::" + place + "/*",
	}}}
}

// ListsTable is both as a table of Markdown.
func ListsTable() string {
	name := func(action string) string { return "`" + strings.TrimPrefix(action, "s3:") + "`" }
	return "| of | service | actions | where |\n|---|---|---|---|\n" +
		"| the worker's own role | s3 | " + name(PutList) + " | on what is below `manifests` |\n" +
		"| the profiles of a plan's instances | s3 | " + name(GetList) + " | on what is below `manifests` |\n"
}
