package config

import (
	"errors"
	"io/fs"
	"os"

	"github.com/spf13/pflag"

	"github.com/patchtide/patchtide/internal/strictyaml"
)

// BaselinesDir is where the user's own baselines are, whatever else may be wrong in the file or in them: who writes
// baselines has not always a configuration that is right, or any. there reports whether the file is.
func BaselinesDir(path string, flags *pflag.FlagSet) (directory string, there bool, err error) {
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		data = []byte("{}")
	case err != nil:
		return "", false, err
	default:
		there = true
	}
	doc := strictyaml.Parse(path, data)
	doc.UnknownKey = refuseSecretKey
	var f file
	doc.Decode(&f)
	settings, _ := resolve(doc, f.Settings, flags)
	return settings.BaselinesDir, there, nil
}
