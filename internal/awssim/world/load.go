package world

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/patchtide/patchtide/internal/awssim/scenarios"
)

// ScenarioNames lists the embedded scenarios; the fleet they extend is not one of them.
func ScenarioNames() []string {
	files, err := fs.Glob(scenarios.Files, "*.yaml")
	if err != nil {
		panic("the pattern is well formed: " + err.Error())
	}
	var names []string
	for _, file := range files {
		if name := strings.TrimSuffix(file, ".yaml"); name != sharedFleet {
			names = append(names, name)
		}
	}
	return names
}

const sharedFleet = "fleet"

// LoadScenario reads an embedded scenario by name, or a file when the argument ends in .yaml or .yml or holds a path
// separator. Unknown keys, wrong types and references to what does not exist are errors that say file:line.
func LoadScenario(nameOrPath string) (*Scenario, error) {
	s, err := readScenario(nameOrPath, "", nil)
	if err != nil {
		return nil, err
	}
	if problems := s.problems(); len(problems) > 0 {
		return nil, fmt.Errorf("scenario %s: %w", nameOrPath, errors.Join(problems...))
	}
	return s, nil
}

// ParseScenario reads one scenario from data; file is its name in errors. A scenario it extends is looked for beside
// file and among the embedded ones.
func ParseScenario(file string, data []byte) (*Scenario, error) {
	s, err := decodeScenario(file, data)
	if err != nil {
		return nil, err
	}
	if err := s.extend(filepath.Dir(file), []string{file}); err != nil {
		return nil, err
	}
	if problems := s.problems(); len(problems) > 0 {
		return nil, fmt.Errorf("%s: %w", file, errors.Join(problems...))
	}
	return s, nil
}

func readScenario(nameOrPath, dir string, chain []string) (*Scenario, error) {
	if slices.Contains(chain, nameOrPath) {
		return nil, fmt.Errorf("scenario %s extends itself: %s", nameOrPath, strings.Join(chain, " -> "))
	}
	file, data, err := openScenario(nameOrPath, dir)
	if err != nil {
		return nil, err
	}
	s, err := decodeScenario(file, data)
	if err != nil {
		return nil, err
	}
	return s, s.extend(filepath.Dir(file), append(chain, nameOrPath))
}

func openScenario(nameOrPath, dir string) (file string, data []byte, err error) {
	ending := filepath.Ext(nameOrPath)
	if ending == ".yaml" || ending == ".yml" || strings.ContainsRune(nameOrPath, filepath.Separator) {
		file = nameOrPath
		if dir != "" && !filepath.IsAbs(file) {
			file = filepath.Join(dir, file)
		}
		data, err = os.ReadFile(file)
		if err != nil {
			return "", nil, fmt.Errorf("read the scenario: %w", err)
		}
		return file, data, nil
	}
	file = nameOrPath + ".yaml"
	data, err = scenarios.Files.ReadFile(file)
	if err != nil {
		return "", nil, fmt.Errorf("there is no scenario %q; choose one of %s, or give a path that ends in .yaml",
			nameOrPath, strings.Join(ScenarioNames(), ", "))
	}
	return file, data, nil
}

func decodeScenario(file string, data []byte) (*Scenario, error) {
	s := &Scenario{Name: strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)), Durations: DefaultDurations()}
	err := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(s)
	if err != nil && !errors.Is(err, io.EOF) {
		var located yaml.Error
		if errors.As(err, &located) && located.GetToken() != nil {
			return nil, fmt.Errorf("%s:%d: %s", file, located.GetToken().Position.Line, located.GetMessage())
		}
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return s, nil
}

// extend fills the sections this scenario leaves out with those of the scenario it extends.
func (s *Scenario) extend(dir string, chain []string) error {
	if s.Extends == "" {
		return nil
	}
	base, err := readScenario(s.Extends, dir, chain)
	if err != nil {
		return fmt.Errorf("%s: extends: %w", chain[len(chain)-1], err)
	}
	if s.Description == "" {
		s.Description = base.Description
	}
	if s.Seed == 0 {
		s.Seed = base.Seed
	}
	if s.Home == (Home{}) {
		s.Home = base.Home
	}
	if s.Durations == DefaultDurations() {
		s.Durations = base.Durations
	}
	if s.OperatingSystems == nil {
		s.OperatingSystems = base.OperatingSystems
	}
	if s.Images == nil {
		s.Images = base.Images
	}
	if s.Patches == nil {
		s.Patches = base.Patches
	}
	if s.Accounts == nil {
		s.Accounts = base.Accounts
	}
	if s.Faults.API == nil {
		s.Faults.API = base.Faults.API
	}
	if s.Faults.World == nil {
		s.Faults.World = base.Faults.World
	}
	if s.Decide == "" {
		s.Decide = base.Decide
	}
	if s.Expect == (Expect{}) {
		s.Expect = base.Expect
	}
	return nil
}
