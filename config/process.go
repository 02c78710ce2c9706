package config

import (
	"github.com/spf13/pflag"

	"github.com/patchtide/patchtide/internal/strictyaml"
)

// Process resolves the process settings from flags and the environment alone: an operator's command needs to know where
// Temporal is, and no accounts or plans. The error is Errors.
func Process(flags *pflag.FlagSet) (Settings, error) {
	doc := strictyaml.Parse("settings", []byte("{}\n"))
	var f file
	doc.Decode(&f)
	settings, problems := resolve(doc, f.Settings, flags)
	if len(problems) > 0 {
		return settings, problems
	}
	return settings, nil
}
