// Package shelltest runs the scripts that are sent to machines for real, in the shells that machines have as their sh.
package shelltest

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Shell is a program that may be a machine's sh.
type Shell struct {
	Name    string
	command []string
}

// Shells are those of Debian and Ubuntu, of Amazon Linux, Red Hat and SUSE, and of what is as small as can be.
func Shells(t *testing.T) []Shell {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the scripts are for Linux, and this is " + runtime.GOOS)
	}
	bash := filepath.Join(t.TempDir(), "sh") // by this name it is a POSIX shell
	require.NoError(t, os.Symlink(Need(t, "bash", "bash"), bash))
	return []Shell{
		{"dash", []string{Need(t, "dash", "dash")}},
		{"bash", []string{bash}},
		{"busybox", []string{Need(t, "busybox", "busybox"), "sh"}},
	}
}

// Need finds a tool. Where it is missing the test is skipped, but fails in CI, which installs it.
func Need(t *testing.T, tool, debianPackage string) string {
	t.Helper()
	path, err := exec.LookPath(tool)
	if err != nil {
		lacks := "this machine has no " + tool + " (Debian's package " + debianPackage + ", which .ci/run installs)"
		if os.Getenv("CI") != "" {
			t.Fatal(lacks)
		}
		t.Skip(lacks)
	}
	return path
}

// Ran is what a script printed, and how it ended.
type Ran struct {
	Stdout, Stderr string
	Code           int
}

// Run runs a script as the agent does: as a file whose lines name no interpreter, by `sh -c FILE`, and nobody types.
// The environment is empty but for what is given.
func (s Shell) Run(t *testing.T, script string, env ...string) Ran {
	t.Helper()
	return s.run(t, "", script, env)
}

// RunWithFullDisk runs a script that cannot write a byte into any file.
func (s Shell) RunWithFullDisk(t *testing.T, script string, env ...string) Ran {
	t.Helper()
	return s.run(t, "ulimit -f 0; ", script, env)
}

func (s Shell) run(t *testing.T, before, script string, env []string) Ran {
	t.Helper()
	file := filepath.Join(t.TempDir(), "_script.sh")
	require.NoError(t, os.WriteFile(file, []byte(script), 0o700))
	command := exec.Command(s.command[0], append(s.command[1:len(s.command):len(s.command)], "-c", before+file)...)
	command.Env = append([]string{}, env...)
	command.Dir = t.TempDir()
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	return Ran{stdout.String(), stderr.String(), command.ProcessState.ExitCode()}
}

// Tools makes a folder that holds nothing but the tools named, as they are on this machine.
func Tools(t *testing.T, names ...string) string {
	t.Helper()
	folder := t.TempDir()
	for _, name := range names {
		path, err := exec.LookPath(name)
		require.NoError(t, err)
		require.NoError(t, os.Symlink(path, filepath.Join(folder, name)))
	}
	return folder
}

// Fake puts a tool into a folder that does as a line of shell says.
func Fake(t *testing.T, folder, name, body string) {
	t.Helper()
	path := filepath.Join(folder, name)
	require.NoError(t, os.RemoveAll(path)) // a link is not written through
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o755))
}

// Replace is a script with one part of it put in place of another, which must be in it once.
func Replace(t *testing.T, script, what, by string) string {
	t.Helper()
	require.Equal(t, 1, strings.Count(script, what), "%q in the script", what)
	return strings.Replace(script, what, by, 1)
}
