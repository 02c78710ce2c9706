package strictyaml_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/strictyaml"
)

type server struct {
	Name  string            `yaml:"name" required:"true" example:"web"`
	ID    string            `yaml:"id" example:"\"011122223333\""`
	Port  int               `yaml:"port" min:"1" max:"65535" example:"80" default:"80"`
	On    bool              `yaml:"on" example:"true"`
	Wait  patch.Duration    `yaml:"wait" min:"0s" example:"5m" default:"5m"`
	Mode  string            `yaml:"mode" enum:"fast,slow" default:"fast"`
	Tags  map[string]string `yaml:"tags" example:"{Role: web}"`
	Path  string            `yaml:"path" pattern:"^/" example:"/healthz"`
	Zones []string          `yaml:"zones" default:"[a, b]" example:"[a]"`
	Next  *server           `yaml:"next" example:"{name: db}"`
}

func TestDecode(t *testing.T) {
	decode := func(text string) (server, error) {
		d := strictyaml.Parse("f.yaml", []byte(text))
		var s server
		d.Decode(&s)
		return s, d.Err()
	}

	t.Run("defaults, case of map keys, nested values", func(t *testing.T) {
		s, err := decode("name: web\ntags: {Role: Web, 'aws:x.Y': \"1\"}\nnext:\n  name: db\n  wait: 1h\n")
		require.NoError(t, err)
		require.Equal(t, 80, s.Port)
		require.Equal(t, 5*time.Minute, s.Wait.D())
		require.Equal(t, []string{"a", "b"}, s.Zones)
		require.Equal(t, map[string]string{"Role": "Web", "aws:x.Y": "1"}, s.Tags)
		require.Equal(t, time.Hour, s.Next.Wait.D())
		require.Equal(t, "fast", s.Next.Mode)
	})

	for _, c := range []struct{ name, text, want string }{
		{
			"octal number for text", "name: a\nid: 011122223333",
			`f.yaml:2: id: is a number; quote it to make it text: "011122223333"`,
		},
		{
			"digits that are no octal number", "name: a\nid: 081122223333",
			`f.yaml:2: id: is a number; quote it to make it text: "081122223333"`,
		},
		{"truth value for text", "name: true", `f.yaml:1: name: is a truth value; quote it to make it text: "true"`},
		{"text for a number", "name: a\nport: \"80\"", `f.yaml:2: port: is text, not a whole number; write it like port: 80`},
		{
			"fraction for a number", "name: a\nport: 80.0",
			`f.yaml:2: port: is a number, not a whole number; write it like port: 80`,
		},
		{
			"number too large", "name: a\nport: 70000",
			`f.yaml:2: port: 70000 is more than 65535, the largest allowed; write it like port: 80`,
		},
		{"yes is text", "name: a\non: yes", `f.yaml:2: on: is text, not true or false; write it like on: true`},
		{"bare number for a duration", "name: a\nwait: 5", `f.yaml:2: wait: is a number; write it like wait: 5m`},
		{
			"negative duration", "name: a\nwait: -5m",
			`f.yaml:2: wait: -5m is less than 0s, the shortest allowed; write it like wait: 5m`,
		},
		{
			"wrong form", "name: a\npath: healthz", `f.yaml:2: path: does not have the right form; write it like path: /healthz`,
		},
		{"unknown word", "name: a\nmode: Fast", `f.yaml:2: mode: "Fast" is not known; write one of fast, slow`},
		{"misspelt key", "name: a\nprot: 1", `f.yaml:2: prot: unknown key; did you mean port? write it like port: 80`},
		{"other case", "name: a\nPort: 1", `f.yaml:2: Port: unknown key; did you mean port? write it like port: 80`},
		{
			"strange key", "name: a\ncolour: red",
			`f.yaml:2: colour: unknown key; known here: name, id, port, on, wait, mode, tags, path, zones, next`,
		},
		{"key twice", "name: a\nname: b", `f.yaml:2: name: is given twice; keep one`},
		{"tag twice", "name: a\ntags:\n  a: b\n  a: c", `f.yaml:4: tags.a: is given twice; keep one`},
		{
			"map for a list", "name: a\nzones: {a: b}",
			`f.yaml:2: zones: is a set of keys, not a list; write it like zones: [a]`,
		},
		{"no value", "name: a\nzones:", `f.yaml:2: zones: has no value; write it like zones: [a], or remove the key`},
		{"missing, nested", "name: a\nnext:\n  port: 1", `f.yaml:2: next.name: is missing; write it like name: web`},
		{"anchor", "name: &n a", `f.yaml:1: name: anchors, aliases and merge keys are not supported; write the values out`},
		{"tag", "name: !!str 1", `f.yaml:1: name: YAML tags such as !!str are not supported; write it like name: web`},
		{
			"another encoding", "name: a\nplan: caf\xe9\n",
			`f.yaml:2: is not UTF-8 text from here on; save the file as UTF-8`,
		},
		{
			"UTF-16", "a\x00:\x00 \x00b\x00",
			`f.yaml:1: is not UTF-8 text from here on; save the file as UTF-8`,
		},
		{"list at the top", "- a", `f.yaml:1: is a list, not a set of keys; write it as lines of key: value`},
		{"empty", "", `f.yaml:1: is empty`},
		{"two documents", "name: a\n---\nname: b", `f.yaml:3: a second YAML document begins here; put everything into one`},
		{"syntax", "name: a\nb: [1\nc: 2", `f.yaml:3: is not valid YAML: ',' or ']' must be specified`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := decode(c.text)
			require.EqualError(t, err, c.want)
			var one *strictyaml.Error
			require.True(t, errors.As(err, &one))
		})
	}

	t.Run("all mistakes, by line", func(t *testing.T) {
		_, err := decode("zap: 1\nport: x\nwait: soon\n")
		var all strictyaml.Errors
		require.True(t, errors.As(err, &all))
		require.Len(t, all, 4) // the name is missing, too
		require.Equal(t, []int{1, 1, 2, 3}, []int{all[0].Line, all[1].Line, all[2].Line, all[3].Line})
	})

	t.Run("absurd nesting is refused before it costs anything", func(t *testing.T) {
		for _, text := range []string{strings.Repeat("[", 1e5), strings.Repeat("- ", 1e5), strings.Repeat("{a: ", 1e5)} {
			_, err := decode(text)
			require.ErrorContains(t, err, "nests deeper than")
		}
		_, err := decode(strings.Repeat("#", strictyaml.MaxBytes+1))
		require.ErrorContains(t, err, "the limit is")
	})
}
