package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/lab"
)

// variable is one that another shell exports to find the laboratory.
type variable struct{ name, value string }

// awsVariables let the AWS CLI, the SDKs and Patchtide find a simulated AWS. All keys are made up.
func awsVariables(url string, scenario *world.Scenario) []variable {
	return []variable{
		{"AWS_ENDPOINT_URL", url},
		{"AWS_ACCESS_KEY_ID", scenario.Home.AccessKeyID},
		{"AWS_SECRET_ACCESS_KEY", scenario.Home.SecretAccessKey},
		{"AWS_REGION", firstRegion(scenario)},
		{externalIDEnv, externalIDs(scenario)[externalIDEnv]},
	}
}

// temporalVariables let Patchtide, and Temporal's own tools, find the laboratory's Temporal.
func temporalVariables(temporal *lab.Temporal) []variable {
	return []variable{
		{"TEMPORAL_ADDRESS", temporal.Address()},
		{"TEMPORAL_NAMESPACE", lab.Namespace},
		{"PATCHTIDE_TEMPORAL_UI", temporal.UIURL()},
	}
}

// guide tells what to export in another shell and what to type there then.
func guide(w io.Writer, variables []variable, commands ...string) {
	fmt.Fprint(w, "\nTo go on, in another shell (all keys are made up):\n\n")
	if folder := unfound("patchtide"); folder != "" {
		fmt.Fprintf(w, "  export PATH=\"%s:$PATH\"\n", folder)
	}
	for _, v := range variables {
		fmt.Fprintf(w, "  export %s=%s\n", v.name, v.value)
	}
	if len(commands) > 0 {
		fmt.Fprintln(w)
	}
	for _, command := range commands {
		fmt.Fprintf(w, "  %s\n", command)
	}
}

// unfound is the folder of a program that stands beside this one while a shell would not find it; "" where it would, or
// where there is none.
func unfound(program string) string {
	if _, err := exec.LookPath(program); err == nil {
		return ""
	}
	here, err := os.Executable()
	if err != nil {
		return ""
	}
	folder := filepath.Dir(here)
	if _, err := os.Stat(filepath.Join(folder, program)); err != nil {
		return ""
	}
	return folder
}

// stopIt is the last that is said before the laboratory waits.
func stopIt(w io.Writer) { fmt.Fprint(w, "\nStop it with Ctrl-C.\n") }
