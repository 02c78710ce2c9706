package starter

import (
	"bytes"
	_ "embed" // starter.yaml.tmpl
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template"

	"github.com/patchtide/patchtide/config"
)

//go:embed starter.yaml.tmpl
var text string

// Settings are what a person decides, beside what is in the accounts.
type Settings struct {
	Evidence       string
	JournalKeyFrom string
	Manifests      string // where machines read what binds them; "": nowhere
}

// Write makes the file. It is checked as `patchtide check` does before anybody gets it; path only names it in errors.
func Write(path string, fleet Fleet, settings Settings) ([]byte, error) {
	page, err := template.New("starter").Funcs(
		template.FuncMap{"quote": quote, "tags": tags, "join": strings.Join},
	).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("the built-in template: %w", err)
	}
	var out bytes.Buffer
	err = page.Execute(&out, map[string]any{
		"Accounts": fleet.Accounts, "Plans": Plans(fleet.Groups), "LeftOut": fleet.LeftOut, "Settings": settings,
		"Local": !strings.HasPrefix(settings.Evidence, "s3://"),
	})
	if err != nil {
		return nil, fmt.Errorf("write the starter file: %w", err)
	}
	loaded, err := config.Parse(path, out.Bytes(), nil)
	if err == nil {
		err = loaded.CheckWorker()
	}
	if err != nil {
		return nil, fmt.Errorf("what was found makes no valid configuration: %w", err)
	}
	return out.Bytes(), nil
}

// quote writes a text as YAML reads it whatever is in it: JSON's strings are YAML's.
func quote(text string) (string, error) {
	quoted, err := json.Marshal(text)
	return string(quoted), err
}

func tags(all map[string]string) (string, error) {
	var pairs []string
	for _, key := range slices.Sorted(maps.Keys(all)) {
		k, err := quote(key)
		if err != nil {
			return "", err
		}
		v, err := quote(all[key])
		if err != nil {
			return "", err
		}
		pairs = append(pairs, k+": "+v)
	}
	return "{" + strings.Join(pairs, ", ") + "}", nil
}
