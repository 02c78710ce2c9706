package strictyaml

import (
	"errors"
	"fmt"

	yaml "github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

// Plain decodes YAML that somebody else wrote into maps, lists and values. It refuses what is longer than most bytes,
// and what could be far larger decoded than written: anchors, aliases and merge keys, deep nesting. Nothing is decoded
// before that is known.
func Plain(text string, most int) (decoded any, err error) {
	defer func() {
		if r := recover(); r != nil {
			decoded, err = nil, errors.New("cannot be read as YAML")
		}
	}()
	if len(text) > most {
		return nil, fmt.Errorf("is %d bytes long; the limit is %d", len(text), most)
	}
	tokens := lexer.Tokenize(text)
	for _, tk := range tokens {
		switch tk.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType:
			return nil, fmt.Errorf("line %d: anchors, aliases and merge keys are not supported", max(tk.Position.Line, 1))
		}
	}
	if line := tooDeep(tokens); line > 0 {
		return nil, fmt.Errorf("line %d: nests deeper than %d levels", line, maxNesting)
	}
	if err := yaml.Unmarshal([]byte(text), &decoded); err != nil {
		return nil, err
	}
	return decoded, nil
}
