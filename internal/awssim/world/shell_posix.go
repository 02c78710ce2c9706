package world

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing/fstest"
	"time"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

// said is what a script came to.
type said struct {
	code           int
	stdout, stderr string
	took           time.Duration // by the machine's clock
}

// mostWork is how much of this computer's time a script may use. One that needs more never ends on the machine either.
const (
	mostWork = 5 * time.Second
	forEver  = 1000 * time.Hour
)

// Exit codes of shells: a script that is no script, and a command that nobody knows.
const (
	codeSyntax  = 2
	codeUnknown = 127
)

// posixShell runs a script on one Linux machine. Whatever the shell does by itself is an interpreter's, and real; of
// programs there are those of the switch in run. It sees nothing of the computer on which it is simulated: files are a
// few of the machine's, and those that it writes itself.
type posixShell struct {
	it    *Instance
	files fstest.MapFS
	slept time.Duration
}

// posix runs a script, which ends at once: what it sleeps is told.
func (i *Instance) posix(script string) said {
	parsed, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(script), "sh")
	if err != nil {
		return said{code: codeSyntax, stderr: err.Error() + "\n"}
	}
	s := &posixShell{it: i, files: i.scriptFiles()}
	var stdout, stderr bytes.Buffer
	runner, err := interp.New(
		interp.StdIO(nil, &stdout, &stderr), interp.Dir("/"),
		// No folder of this computer has programs for it.
		interp.Env(expand.ListEnviron("HOME=/root", "PATH=/simulated/bin", "PWD=/")),
		interp.ExecHandlers(func(interp.ExecHandlerFunc) interp.ExecHandlerFunc { return s.run }),
		interp.OpenHandler(s.open), interp.StatHandler(s.stat), interp.AccessHandler(s.access),
		interp.ReadDirHandler2(s.list),
	)
	if err != nil {
		panic("a shell of constants is always one: " + err.Error())
	}
	ctx, stop := context.WithTimeout(context.Background(), mostWork)
	defer stop()
	err = runner.Run(ctx, parsed)
	done := said{stdout: stdout.String(), stderr: stderr.String(), took: s.slept}
	var status interp.ExitStatus
	exited := errors.As(err, &status)
	switch {
	case ctx.Err() != nil:
		done.took = forEver
	case exited:
		done.code = int(status)
	case err != nil:
		done.code, done.stderr = 1, done.stderr+"sh: "+err.Error()+"\n"
	}
	return done
}

// scriptFiles are the files that scripts of people look into.
func (i *Instance) scriptFiles() fstest.MapFS {
	os := i.Disk().os
	id, _, _ := strings.Cut(os.Name, "-")
	if strings.HasPrefix(os.Name, "amazon") {
		id = "amzn"
	}
	files := fstest.MapFS{"tmp": &fstest.MapFile{Mode: fs.ModeDir}}
	for name, content := range map[string]string{
		"etc/os-release": fmt.Sprintf("ID=%q\nVERSION_ID=%q\n", id, os.Release),
		"etc/hostname":   i.hostName() + "\n",

		"proc/sys/kernel/random/boot_id": i.machine.bootID + "\n",
		"proc/sys/kernel/osrelease":      i.machine.kernel + "\n",
	} {
		files[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return files
}

func (i *Instance) hostName() string { return "ip-" + strings.ReplaceAll(i.PrivateIP, ".", "-") }

// run is one program.
func (s *posixShell) run(ctx context.Context, args []string) error {
	shell := interp.HandlerCtx(ctx)
	answer := func(line string) error {
		_, err := fmt.Fprintln(shell.Stdout, line)
		return err
	}
	switch strings.Join(args, " ") {
	case "hostname", "uname -n":
		return answer(s.it.hostName())
	case "uname", "uname -s":
		return answer("Linux")
	case "uname -r":
		return answer(s.it.machine.kernel)
	case "whoami", "id -un":
		return answer("root")
	case "id -u":
		return answer("0")
	case "date":
		return answer(s.it.Region.World.now.UTC().Format(time.UnixDate))
	}
	switch args[0] {
	case "cat":
		return s.cat(shell, args[1:])
	case "systemctl":
		return s.systemctl(shell, args[1:])
	case "sleep":
		if len(args) == 2 {
			if seconds, err := strconv.ParseFloat(strings.TrimSuffix(args[1], "s"), 64); err == nil && seconds >= 0 {
				s.slept += time.Duration(seconds * float64(time.Second))
				return nil
			}
		}
		return failed(shell, 1, "sleep: invalid time interval '%s'", strings.Join(args[1:], " "))
	}
	return failed(shell, codeUnknown, "sh: line %d: %s: command not found", shell.Pos.Line(), args[0])
}

func failed(shell interp.HandlerContext, code uint8, format string, words ...any) error {
	if _, err := fmt.Fprintf(shell.Stderr, format+"\n", words...); err != nil {
		return err
	}
	return interp.ExitStatus(code)
}

func (s *posixShell) cat(shell interp.HandlerContext, names []string) error {
	if len(names) == 0 {
		_, err := io.Copy(shell.Stdout, shell.Stdin)
		return err
	}
	for _, name := range names {
		known := s.files[inside(shell, name)]
		if known == nil {
			return failed(shell, 1, "cat: %s: No such file or directory", name)
		}
		if _, err := shell.Stdout.Write(known.Data); err != nil {
			return err
		}
	}
	return nil
}

// systemctl is `systemctl is-active [--quiet] UNIT`, and stop and start: the application's unit is active while it
// answers well, and nobody knows another.
func (s *posixShell) systemctl(shell interp.HandlerContext, args []string) error {
	quiet := slices.Contains(args, "--quiet") || slices.Contains(args, "-q")
	units := slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return strings.HasPrefix(arg, "-") })
	if len(units) != 2 || !slices.Contains([]string{"is-active", "stop", "start"}, units[0]) {
		return failed(shell, codeUnknown, "systemctl: only is-active, stop and start of a UNIT are modelled")
	}
	app := s.it.Disk().app.Name
	known := units[1] == app || units[1] == app+".service"
	if units[0] != "is-active" {
		if !known {
			return failed(shell, 5, "Failed to %s %s: Unit %s not loaded.", units[0], units[1], units[1])
		}
		s.it.machine.appUp = units[0] == "start"
		return nil
	}
	state, code := "inactive", uint8(4) // no such unit
	if known {
		if state, code = "active", 0; !s.it.AppHealthy() {
			state, code = "failed", 3
		}
	}
	if !quiet {
		if _, err := fmt.Fprintln(shell.Stdout, state); err != nil {
			return err
		}
	}
	if code == 0 {
		return nil
	}
	return interp.ExitStatus(code)
}

// inside is a file's name as fs.FS has it.
func inside(shell interp.HandlerContext, name string) string {
	if !path.IsAbs(name) {
		name = path.Join(shell.Dir, name)
	}
	return strings.TrimPrefix(path.Clean(name), "/")
}

func missing(name string) error { return &os.PathError{Op: "open", Path: name, Err: fs.ErrNotExist} }

// open opens a file for reading, or one of the script's own for writing.
func (s *posixShell) open(ctx context.Context, name string, flag int, _ os.FileMode) (io.ReadWriteCloser, error) {
	at := inside(interp.HandlerCtx(ctx), name)
	file := &scriptFile{}
	known := s.files[at]
	switch reads := flag&(os.O_WRONLY|os.O_RDWR) == 0; {
	case name == os.DevNull:
		return file, nil
	case reads && known == nil:
		return nil, missing(name)
	case !reads:
		file.keep = func(content []byte) { s.files[at] = &fstest.MapFile{Data: content} }
	}
	if known != nil && flag&os.O_TRUNC == 0 {
		file.Buffer = *bytes.NewBuffer(bytes.Clone(known.Data))
	}
	return file, nil
}

// scriptFile is a file as a script has it open.
type scriptFile struct {
	bytes.Buffer
	keep func([]byte) // nil: nothing of it is kept
}

// Close keeps what was written. One that is only read may be read still: a command gets it through a pipe.
func (f *scriptFile) Close() error {
	if f.keep != nil {
		f.keep(bytes.Clone(f.Bytes()))
	}
	return nil
}

func (s *posixShell) stat(ctx context.Context, name string, _ bool) (fs.FileInfo, error) {
	return s.files.Stat(cmp.Or(inside(interp.HandlerCtx(ctx), name), "."))
}

func (s *posixShell) access(ctx context.Context, name string, _ interp.AccessMode) error {
	_, err := s.stat(ctx, name, true)
	return err
}

func (s *posixShell) list(ctx context.Context, name string) ([]fs.DirEntry, error) {
	return s.files.ReadDir(cmp.Or(inside(interp.HandlerCtx(ctx), name), "."))
}
