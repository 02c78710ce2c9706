package config

import (
	_ "embed" // example.yaml
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/patchtide/patchtide/baselines"
	"github.com/patchtide/patchtide/internal/strictyaml"
)

// DefaultFile is read where neither --config nor FileVariable names another.
const DefaultFile = "patchtide.yaml"

// FileVariable is the environment variable that names the file.
const FileVariable = EnvironmentPrefix + "CONFIG"

// Error is one mistake: file, line, key and what to write instead.
type Error = strictyaml.Error

// Errors are all the mistakes found, sorted by file and line.
type Errors = strictyaml.Errors

// Config is a configuration that is right as far as can be told without asking AWS.
type Config struct {
	File      string
	Settings  Settings
	Accounts  []Account
	Plans     []Plan     // as written, with defaults; Plan resolves one
	Blackout  []Blackout // of all plans
	Notify    []Notify
	Baselines *baselines.Catalog

	JournalOlderKeysFrom []Source // see Settings.JournalKeyFrom

	doc *strictyaml.Document
}

//go:embed example.yaml
var example []byte

// Example returns example.yaml: what the laboratory's demo runs, and what a newcomer begins with.
func Example() []byte { return slices.Clone(example) }

// Load reads a file. flags may be nil; see AddFlags. The error is Errors: every mistake, not only the first.
func Load(path string, flags *pflag.FlagSet) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		var why *os.PathError
		if errors.As(err, &why) {
			err = why.Err
		}
		return nil, Errors{
			{File: path, Message: fmt.Sprintf("cannot be read: %v; give the configuration file with --config", err)},
		}
	}
	return Parse(path, data, flags)
}

// Parse is Load for a file that has been read; path only names it in errors.
func Parse(path string, data []byte, flags *pflag.FlagSet) (*Config, error) {
	doc := strictyaml.Parse(path, data)
	doc.UnknownKey = refuseSecretKey
	var f file
	doc.Decode(&f)
	settings, problems := resolve(doc, f.Settings, flags)
	catalog, err := baselines.Open(settings.BaselinesDir)
	var inBaselines Errors
	switch {
	case errors.As(err, &inBaselines):
		problems = append(problems, inBaselines...)
	case err != nil:
		problems = append(problems, settingProblem(doc, flags, "baselines_dir", err.Error())...)
	}
	if !doc.Broken() {
		(&validator{doc: doc, file: &f, baselines: catalog, manifests: settings.Manifests}).run()
	}
	findSecrets(doc, data)

	var inFile Errors
	if errors.As(doc.Err(), &inFile) {
		problems = append(problems, inFile...)
	}
	if len(problems) > 0 {
		for _, one := range problems {
			one.Message, one.Key = redact(one.Message), redact(one.Key)
		}
		problems.Sort()
		return nil, problems
	}
	return &Config{
		File: path, Settings: settings, Accounts: f.Accounts, Plans: f.Plans, Blackout: f.Blackout, Notify: f.Notify,
		Baselines: catalog, JournalOlderKeysFrom: f.JournalOlderKeysFrom, doc: doc,
	}, nil
}

// CheckWorker tells what keeps a worker from starting with this configuration although everything in it is well formed:
// evidence that a second worker would not see, or no key to sign the journal with. The error is Errors.
func (c *Config) CheckWorker() error {
	var problems Errors
	add := func(key, message string) {
		problem := &Error{File: c.File, Key: key, Message: message}
		if c.doc.Has(key) {
			problem.Line = c.doc.Line(key)
		}
		problems = append(problems, problem)
	}
	if !strings.HasPrefix(c.Settings.Evidence, "s3://") && !c.Settings.SingleWorker {
		add(
			"evidence",
			"is a local folder, which a second worker would not see; write evidence: s3://bucket/prefix, or single_worker: "+
				"true if there will never be a second one",
		)
	}
	if c.Settings.JournalKeyFrom == "" {
		add(
			"journal_key_from",
			"is missing, and without it no change can be journalled; write it like journal_key_from: ssm:/patchtide/journal-key",
		)
	}
	if len(problems) == 0 {
		return nil
	}
	problems.Sort()
	return problems
}

// PlanNames lists the plans, sorted.
func (c *Config) PlanNames() []string {
	names := make([]string, len(c.Plans))
	for i, plan := range c.Plans {
		names[i] = plan.Name
	}
	slices.Sort(names)
	return names
}
