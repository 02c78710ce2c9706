package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	yaml "github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

const (
	// MaxBytes is the size of the largest file that is read: some thousand groups fit into it many times over.
	MaxBytes = 1 << 20
	// maxNesting bounds how deep lists and maps may nest. The parser's time grows with the square of it, and no
	// configuration of ours is deeper than ten.
	maxNesting = 64
)

// Document is one YAML file on its way into a Go value. It collects mistakes instead of stopping at the first.
type Document struct {
	// UnknownKey, when set, may give a better message for a key that no field has. An empty answer means: the usual one.
	UnknownKey func(key string) string

	file     string
	root     ast.Node
	lines    map[string]int
	problems Errors
	silent   bool // while defaults are decoded: they have no place in the file
}

// Parse reads the syntax. Mistakes are kept for Err; a broken document decodes to nothing.
func Parse(file string, data []byte) *Document {
	d := &Document{file: file, lines: map[string]int{"": 1}}
	if len(data) > MaxBytes {
		d.add(1, "", fmt.Sprintf("is %d bytes long; the limit is %d", len(data), MaxBytes))
		return d
	}
	if line, is := encoded(data); !is {
		d.add(line, "", "is not UTF-8 text from here on; save the file as UTF-8")
		return d
	}
	node, failure := parseText(string(data))
	switch {
	case failure != nil:
		failure.File = file
		d.problems = append(d.problems, failure)
	case node == nil:
		d.add(1, "", "is empty")
	default:
		d.root = node
	}
	return d
}

// encoded reports whether a file is text in UTF-8, and else the line on which it is not. UTF-16 has null bytes.
func encoded(data []byte) (line int, is bool) {
	at := 0
	for at < len(data) {
		r, size := utf8.DecodeRune(data[at:])
		if r == 0 || r == utf8.RuneError && size <= 1 {
			return 1 + bytes.Count(data[:at], []byte("\n")), false
		}
		at += size
	}
	return 0, true
}

// parseText returns the body of the only document in text, nil when there is none.
func parseText(text string) (node ast.Node, failure *Error) {
	// The parser is somebody else's and this is what people typed: a panic in it is a mistake in the file, not in us.
	defer func() {
		if r := recover(); r != nil {
			node, failure = nil, &Error{Line: 1, Message: "cannot be read as YAML"}
		}
	}()
	tokens := lexer.Tokenize(text)
	if line := tooDeep(tokens); line > 0 {
		return nil, &Error{Line: line, Message: fmt.Sprintf("nests deeper than %d levels", maxNesting)}
	}
	parsed, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, syntaxError(err)
	}
	for _, doc := range parsed.Docs {
		if doc.Body == nil {
			continue
		}
		if node != nil {
			return nil, &Error{Line: line(doc.Body), Message: "a second YAML document begins here; put everything into one"}
		}
		node = doc.Body
	}
	return node, nil
}

func syntaxError(err error) *Error {
	var withToken yaml.Error
	if !errors.As(err, &withToken) {
		return &Error{Line: 1, Message: "cannot be read as YAML: " + err.Error()}
	}
	failure := &Error{Line: 1, Message: "is not valid YAML: " + withToken.GetMessage()}
	if tk := withToken.GetToken(); tk != nil && tk.Position != nil {
		failure.Line = max(tk.Position.Line, 1)
	}
	return failure
}

// tooDeep returns the line where nesting passes the limit, 0 if it never does.
func tooDeep(tokens token.Tokens) int {
	var flow, entries, entriesLine int
	for _, tk := range tokens {
		switch tk.Type {
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow--
		case token.SequenceEntryType, token.MappingKeyType, token.TagType, token.AnchorType:
			if tk.Position.Line != entriesLine {
				entriesLine, entries = tk.Position.Line, 0
			}
			entries++
		}
		if max(flow, entries) > maxNesting || tk.Position.Column > maxNesting*16 && tk.Type == token.SequenceEntryType {
			return max(tk.Position.Line, 1)
		}
	}
	return 0
}

// Broken reports whether nothing could be decoded, so that looking for what is missing makes no sense.
func (d *Document) Broken() bool { return d.root == nil }

// Has reports whether the file gives key a value, right or wrong.
func (d *Document) Has(key string) bool {
	_, ok := d.lines[key]
	return ok
}

// Line returns where key is written, or its nearest parent that is.
func (d *Document) Line(key string) int {
	for {
		if n, ok := d.lines[key]; ok {
			return n
		}
		cut := strings.LastIndexAny(key, ".[")
		if cut < 0 {
			return 1
		}
		key = key[:cut]
	}
}

// Problem records a mistake at key. Only the first one at a key is kept: what follows from it would only confuse.
func (d *Document) Problem(key, format string, args ...any) {
	for _, known := range d.problems {
		if known.Key == key {
			return
		}
	}
	d.add(d.Line(key), key, fmt.Sprintf(format, args...))
}

// Day reads a day of the calendar, if one is given; what has another form is a problem of key.
func (d *Document) Day(key, text string) (day time.Time, ok bool) {
	if text == "" {
		return day, false
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		d.Problem(key, "%q is no day of the calendar; write it like 2026-12-24", text)
	}
	return day, err == nil
}

// Err returns all mistakes as Errors sorted by line, nil when there is none.
func (d *Document) Err() error {
	if len(d.problems) == 0 {
		return nil
	}
	d.problems.Sort()
	return d.problems
}

func (d *Document) add(line int, key, message string) {
	d.problems = append(d.problems, &Error{File: d.file, Line: line, Key: key, Message: message})
}

func line(node ast.Node) int {
	if tk := node.GetToken(); tk != nil && tk.Position != nil {
		return max(tk.Position.Line, 1)
	}
	return 1
}

// ProblemAt records a mistake that has a line but no key.
func (d *Document) ProblemAt(line int, key, format string, args ...any) {
	d.add(line, key, fmt.Sprintf(format, args...))
}
