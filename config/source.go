package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/patchtide/patchtide/internal/strictyaml"
)

// Source says where a secret is read from: "env:NAME", "file:PATH", "ssm:/NAME" or, for what can be used
// without being read, "kms:ID". It is never the secret itself.
type Source string

// Kind is "env", "file", "ssm" or "kms".
func (s Source) Kind() string {
	kind, _, _ := strings.Cut(string(s), ":")
	return kind
}

// Name is what follows the kind: a variable, a path, a parameter, a key.
func (s Source) Name() string {
	_, name, _ := strings.Cut(string(s), ":")
	return name
}

// formOf returns the form of a source's name: POSIX for variables, the API references of GetParameter and
// of KMS's DescribeKey for the others.
func formOf(kind string) *regexp.Regexp {
	switch kind {
	case "env":
		return regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	case "ssm":
		return regexp.MustCompile(`^/?[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$`)
	case "kms":
		return regexp.MustCompile(`^(arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(key|alias)/|alias/)?[A-Za-z0-9/_-]+$`)
	}
	return regexp.MustCompile(`^\S.*$`)
}

// sourceMistake tells what is wrong with a source that must be of one of the kinds, "" when nothing is. The value is
// never repeated: it may be the secret.
func sourceMistake(source Source, example string, kinds ...string) string {
	if source == "" || slices.Contains(kinds, source.Kind()) && formOf(source.Kind()).MatchString(source.Name()) {
		return ""
	}
	return fmt.Sprintf("says where a secret is kept, and is not the secret itself; write one of %s:..., like %s",
		strings.Join(kinds, ":..., "), example)
}

func checkSource(doc *strictyaml.Document, at string, source Source, example string, kinds ...string) {
	if message := sourceMistake(source, example, kinds...); message != "" {
		doc.Problem(at, "%s", message)
	}
}
