package world

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// Document is an SSM document with all its versions.
type Document struct {
	Name     string
	Type     string // Command or Automation
	Owner    string // account id, or Amazon
	Created  time.Time
	Versions []DocumentVersion // version n stands at n-1
	Default  int
	Tags     Tags
}

// DocumentVersion is one content of a document.
type DocumentVersion struct {
	Version int
	Content string
	Format  string // YAML or JSON
	Hash    string // SHA-256 of the content, hexadecimal
	Created time.Time
	Label   string // VersionName

	book    *runbook        // of an Automation document
	command *commandContent // of a Command document
}

type documents struct {
	all shelf[*Document]
}

func (r *Region) setUpDocuments() {
	for _, each := range commandDocuments {
		if r.World.Has(DoubtNoStepTimeout) {
			each.parameters = slices.DeleteFunc(slices.Clone(each.parameters), func(p CommandParameter) bool {
				return p.Name == "StepTimeoutSeconds"
			})
		}
		document := &Document{
			Name: each.name, Type: "Command", Owner: "Amazon", Created: r.World.start.AddDate(-2, 0, 0), Default: 1,
			Tags: Tags{},
		}
		document.add(each.content(), "JSON", "", document.Created, DocumentVersion{command: &commandContent{
			description: each.description, platforms: each.platforms, parameters: each.parameters, steps: stepsOf(each.name),
		}})
		r.documents.all.put(each.name, document)
	}
	for _, owned := range r.World.ownedByAWS {
		document := &Document{
			Name: owned.name, Type: "Automation", Owner: "Amazon", Created: r.World.start.AddDate(-2, 0, 0), Default: 1,
			Tags: Tags{},
		}
		document.add(owned.content, "YAML", "", document.Created, DocumentVersion{book: owned.book})
		r.documents.all.put(owned.name, document)
	}
}

// add adds a version of which the content was read.
func (d *Document) add(content, format, label string, at time.Time, read DocumentVersion) *DocumentVersion {
	sum := sha256.Sum256([]byte(content))
	read.Version, read.Content, read.Format, read.Hash = len(d.Versions)+1, content, format, hex.EncodeToString(sum[:])
	read.Created, read.Label = at, label
	d.Versions = append(d.Versions, read)
	return &d.Versions[len(d.Versions)-1]
}

// Latest is the newest version.
func (d *Document) Latest() *DocumentVersion { return &d.Versions[len(d.Versions)-1] }

// At resolves a version as requests write it: a number, $LATEST, or $DEFAULT, which is also the empty text.
func (d *Document) At(version string) (*DocumentVersion, error) {
	switch version {
	case "", "$DEFAULT":
		return &d.Versions[d.Default-1], nil
	case "$LATEST":
		return d.Latest(), nil
	}
	n, err := strconv.Atoi(version)
	if err != nil || n < 1 || n > len(d.Versions) {
		return nil, api.Errorf(
			"InvalidDocumentVersion", "Document version %s of document %s does not exist.", version, d.Name,
		)
	}
	return &d.Versions[n-1], nil
}

// Documents lists the region's documents by name, Amazon's among them.
func (r *Region) Documents() []*Document {
	documents := slices.Clone(r.documents.all.all())
	slices.SortFunc(documents, func(a, b *Document) int { return strings.Compare(a.Name, b.Name) })
	return documents
}

// Document returns the document with that name; the error is InvalidDocument.
func (r *Region) Document(name string) (*Document, error) {
	document, ok := r.documents.all.get(name)
	if !ok {
		return nil, api.Errorf("InvalidDocument", "Document with name %s does not exist.", name)
	}
	return document, nil
}

// CreateDocument registers an Automation runbook of schema 0.3 or a Command document of schema 2.2, which is the type
// of a document of which nothing else is said.
func (r *Region) CreateDocument(name, kind, format, content, label string, tags Tags) (*Document, error) {
	if _, exists := r.documents.all.get(name); exists {
		return nil, api.Errorf("DocumentAlreadyExists", "Document with same name %s already exists", name)
	}
	if err := checkDocumentName(name); err != nil {
		return nil, err
	}
	if kind == "" {
		kind = "Command"
	}
	if err := checkDocumentSize(content); err != nil {
		return nil, err
	}
	read, err := parseDocument(kind, content)
	if err != nil {
		return nil, err
	}
	document := &Document{
		Name: name, Type: kind, Owner: r.Account.ID, Created: r.World.now, Default: 1, Tags: tags.Clone(),
	}
	document.add(content, formatOr(format), label, r.World.now, read)
	r.documents.all.put(name, document)
	r.Changed("document", name, "created")
	return document, nil
}

func formatOr(format string) string {
	if format == "" {
		return "JSON"
	}
	return format
}

// UpdateDocument adds a version. The version named as the base must be the latest, and its content must differ from it.
func (r *Region) UpdateDocument(name, base, format, content, label string) (*DocumentVersion, error) {
	document, err := r.Document(name)
	if err != nil {
		return nil, err
	}
	if document.Owner == "Amazon" {
		return nil, api.Errorf("InvalidDocumentOperation", "Document %s is owned by Amazon and cannot be changed.", name)
	}
	if base != "$LATEST" && base != strconv.Itoa(document.Latest().Version) {
		return nil, api.Errorf(
			"InvalidDocumentVersion", "The document version %q is not the latest, which is %d; send $LATEST.", base,
			document.Latest().Version,
		)
	}
	if document.Latest().Content == content {
		return nil, api.Errorf(
			"DuplicateDocumentContent",
			"The content of the association document matches another document. Change the content of the document and try "+
				"again.",
		)
	}
	if len(document.Versions) >= 1000 {
		return nil, api.Errorf(
			"DocumentVersionLimitExceeded",
			"The document has too many versions. Delete one or more document versions and try again.",
		)
	}
	if err := checkDocumentSize(content); err != nil {
		return nil, err
	}
	read, err := parseDocument(document.Type, content)
	if err != nil {
		return nil, err
	}
	version := document.add(content, formatOr(format), label, r.World.now, read)
	r.Changed("document", name, "version "+strconv.Itoa(version.Version))
	return version, nil
}

// SetDefaultVersion makes a version the default.
func (r *Region) SetDefaultVersion(name, version string) (*Document, error) {
	document, err := r.Document(name)
	if err != nil {
		return nil, err
	}
	chosen, err := document.At(version)
	if err != nil {
		return nil, err
	}
	document.Default = chosen.Version
	return document, nil
}

// commandDocument finds what a version of a document says that Run Command can run.
func (r *Region) commandDocument(name, version string) (*commandContent, error) {
	document, err := r.Document(name)
	if err != nil {
		return nil, err
	}
	if document.Type != "Command" {
		return nil, api.Errorf(
			"InvalidDocument", "Document %s is of type %s; Run Command needs type Command.", name, document.Type,
		)
	}
	at, err := document.At(version)
	if err != nil {
		return nil, err
	}
	return at.command, nil
}

// Schema is the schema version of the content.
func (v *DocumentVersion) Schema() string {
	if v.book != nil {
		return v.book.SchemaVersion
	}
	return "2.2"
}

// Platforms are those that a document is for; runbooks are for all.
func (v *DocumentVersion) Platforms() []string {
	if v.command != nil {
		return v.command.platforms
	}
	return []string{"Windows", "Linux", "MacOS"}
}

// Parameters are those of a document, of a runbook sorted by name.
func (v *DocumentVersion) Parameters() []CommandParameter {
	if v.book == nil {
		return v.command.parameters
	}
	var all []CommandParameter
	for _, name := range slices.Sorted(maps.Keys(v.book.Parameters)) {
		from := v.book.Parameters[name]
		parameter := CommandParameter{Name: name, Type: from.Type, Description: from.Description}
		if from.Default != nil {
			text := strings.Join(texts(from.Default), ",")
			parameter.Default = &text
		}
		if !from.isList() {
			parameter.Type = "String"
		} else {
			parameter.Type = "StringList"
		}
		all = append(all, parameter)
	}
	return all
}

// Description is what a document says of itself.
func (v *DocumentVersion) Description() string {
	if v.book == nil {
		return v.command.description
	}
	return v.book.Description
}
