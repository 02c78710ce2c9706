// Package runbooks holds the Automation documents of the simulated AWS: our own writing of what AWS's documents of the
// same names are known to do, their defects included. The CloudFormation stacks and Lambda functions by which the
// originals act are replaced by plain API calls and the time they take.
package runbooks

import "embed"

// Files holds one YAML document each, named as the document is.
//
//go:embed *.yaml
var Files embed.FS
