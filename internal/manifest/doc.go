// Package manifest is what staging proved, as a document: for each system the packages that its machines changed, at
// their exact versions. Production installs that and nothing else, and what it then holds is judged by it
// (docs/decisions/0030).
package manifest
