package baselines

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/strictyaml"
)

//go:embed *.yaml
var embedded embed.FS

// Catalog is every baseline a plan may name.
type Catalog struct {
	byName map[string]Baseline
	files  map[string]string // by name, where each was read
}

// Open reads the embedded baselines and, when directory is not empty, every *.yaml in it. The user's may add but not
// replace: a plan's baseline must not change because of a file that merely has the same name. All mistakes of all files
// come back together.
func Open(directory string) (*Catalog, error) {
	c := &Catalog{byName: map[string]Baseline{}, files: map[string]string{}}
	var problems strictyaml.Errors
	if err := c.add(embedded, "", &problems); err != nil {
		return nil, err
	}
	if directory != "" {
		if err := c.add(os.DirFS(directory), directory, &problems); err != nil {
			var why *fs.PathError
			if errors.As(err, &why) {
				err = why.Err // its path is relative to the directory and would only confuse
			}
			return nil, fmt.Errorf("%s cannot be read: %w; give a directory of *.yaml files, or leave it out", directory, err)
		}
	}
	if len(problems) > 0 {
		problems.Sort()
		return nil, problems
	}
	return c, nil
}

func (c *Catalog) add(files fs.FS, directory string, problems *strictyaml.Errors) error {
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.IsDir() || filepath.Ext(entry.Name()) != ".yaml" {
			continue
		}
		data, err := fs.ReadFile(files, entry.Name())
		if err != nil {
			return err
		}
		file := filepath.Join(directory, entry.Name())
		b, err := Parse(file, data)
		var mistakes strictyaml.Errors
		switch _, taken := c.byName[b.Name]; {
		case errors.As(err, &mistakes):
			*problems = append(*problems, mistakes...)
		case err != nil:
			return err
		case taken:
			*problems = append(
				*problems,
				&strictyaml.Error{
					File: file, Line: 1, Key: "name", Message: b.Name + " is a built-in baseline's name; choose another",
				},
			)
		default:
			if twin := c.namesake(b); twin != "" {
				*problems = append(*problems, &strictyaml.Error{
					File: file, Line: 1, Key: "name", Message: fmt.Sprintf("%s is called %s in Systems Manager, and so is %s; two "+
						"files would undo each other's changes: remove one, or write another ssm_name", b.Name, b.SSMName(), twin),
				})
			}
			c.byName[b.Name], c.files[b.Name] = b, file
		}
	}
	return nil
}

// namesake is a baseline that is the same one in Systems Manager; "" where none is.
func (c *Catalog) namesake(b Baseline) string {
	for _, name := range c.Names() {
		if other := c.byName[name]; other.SSMName() == b.SSMName() && other.OperatingSystem == b.OperatingSystem {
			return name
		}
	}
	return ""
}

// File is where a baseline was read; "" for one that is built in.
func (c *Catalog) File(name string) string {
	if file := c.files[name]; filepath.Base(file) != file {
		return file
	}
	return ""
}

// Names lists the baselines, sorted.
func (c *Catalog) Names() []string {
	names := make([]string, 0, len(c.byName))
	for name := range c.byName {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Load returns a baseline by name. The error for an unknown one lists those that exist. That of a plan which adopts
// what Systems Manager has is of a platform and holds nothing.
func (c *Catalog) Load(name string) (Baseline, error) {
	if platform, adopts := patch.Adopts(name); adopts {
		return Baseline{Name: name, Platform: platform, Adopts: true}, nil
	}
	b, ok := c.byName[name]
	if !ok {
		return Baseline{}, fmt.Errorf("there is no baseline %q; known: %s", name, strings.Join(c.Names(), ", "))
	}
	return b, nil
}

// Names lists the embedded baselines, sorted.
func Names() []string { return builtIn().Names() }

// Load returns an embedded baseline by name. The error for an unknown one lists those that exist.
func Load(name string) (Baseline, error) { return builtIn().Load(name) }

func builtIn() *Catalog {
	c, err := Open("")
	if err != nil {
		panic(err) // the embedded files are part of the program and a test reads them all
	}
	return c
}
