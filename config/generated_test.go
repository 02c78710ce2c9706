package config_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	yaml "github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/config"
)

// `go generate ./config` writes what is made from the types; without the flag the test says when it is out of date.
//
//go:generate go test -run ^TestGenerated$ -write .
var write = flag.Bool("write", false, "write config/schema.json and docs/configuration.md instead of comparing them")

func TestGenerated(t *testing.T) {
	schema, err := config.Schema()
	require.NoError(t, err)
	for path, want := range map[string]string{"schema.json": string(schema), "../docs/configuration.md": config.Reference()} {
		if *write {
			require.NoError(t, os.WriteFile(path, []byte(want), 0o600))
			continue
		}
		got, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, want, string(got), "%s is out of date; run: go generate ./config", path)
	}
}

// compiled returns the schema, compiled by an implementation that is not ours.
func compiled(t *testing.T) *jsonschema.Schema {
	text, err := config.Schema()
	require.NoError(t, err)
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	require.NoError(t, compiler.AddResource("schema.json", parsed))
	schema, err := compiler.Compile("schema.json")
	require.NoError(t, err)
	return schema
}

// asJSON reads YAML as an editor does for which the schema is made.
func asJSON(t *testing.T, data []byte) any {
	text, err := yaml.YAMLToJSON(data)
	require.NoError(t, err)
	var value any
	require.NoError(t, json.Unmarshal(text, &value))
	return value
}

func TestSchemaAcceptsWhatLoadAccepts(t *testing.T) {
	require.NoError(t, compiled(t).Validate(asJSON(t, config.Example())))
	require.NoError(t, compiled(t).Validate(asJSON(t, []byte(full))))
}

func TestSchemaRefuses(t *testing.T) {
	schema := compiled(t)
	for name, text := range map[string]string{
		"unknown key":           "acounts: []",
		"no plans":              "accounts: []\nplans: []",
		"unquoted account id":   replaced(t, `id: "111122223333"`, `id: 111122223333`),
		"unknown restore":       replaced(t, `restore: root_volume`, `restore: yes`),
		"none unavailable":      replaced(t, `max_unavailable: 1`, `max_unavailable: 0`),
		"more than all of them": replaced(t, `max_unavailable: 1`, `max_unavailable: "110%"`),
		"duration without unit": replaced(t, `bake: 5m`, `bake: 5`),
		"days in the middle":    replaced(t, `bake: 5m`, `bake: 5m3d`),
		"a soak without unit":   replaced(t, `service: web`, "service: web\n        after: 3"),
		"a soak of no length":   replaced(t, `service: web`, "service: web\n        after: {healthy: true}"),
		"both kinds of group": replaced(
			t, `auto_scaling_group: web`, "auto_scaling_group: web\n            tags: {Role: web}",
		),
		"two checks in an entry": replaced(t, `- alarm: web-5xx`, "- {alarm: web-5xx, target_group: auto}"),
	} {
		t.Run(name, func(t *testing.T) {
			require.Error(t, schema.Validate(asJSON(t, []byte(text))))
		})
	}
}
