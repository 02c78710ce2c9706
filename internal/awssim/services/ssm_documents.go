package services

import (
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/goccy/go-yaml"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// documentPages are those of ListDocuments and ListDocumentVersions.
var documentPages = pageRange{1, 50, 50}

func registerSSMDocumentLists(r *api.Registry, w *world.World) {
	api.Handle(r, "ssm", "ListDocuments", []string{"Filters", "MaxResults", "NextToken"},
		func(c api.Call, in *ssm.ListDocumentsInput) (*ssm.ListDocumentsOutput, error) {
			var found []types.DocumentIdentifier
			for _, document := range regionOf(w, c).Documents() {
				matches, err := documentMatches(document, in.Filters)
				if err != nil {
					return nil, err
				}
				if !matches {
					continue
				}
				shown := describeDocument(document, &document.Versions[document.Default-1])
				found = append(found, types.DocumentIdentifier{
					Name: shown.Name, DocumentType: shown.DocumentType, DocumentFormat: shown.DocumentFormat, Owner: shown.Owner,
					DocumentVersion: shown.DocumentVersion, SchemaVersion: shown.SchemaVersion, Tags: shown.Tags,
					PlatformTypes: shown.PlatformTypes, CreatedDate: aws.Time(document.Created), VersionName: shown.VersionName,
				})
			}
			page, next, err := cutPage(found, in.NextToken, in.MaxResults, documentPages, badSSMToken)
			return &ssm.ListDocumentsOutput{DocumentIdentifiers: page, NextToken: next}, err
		})
	api.Handle(r, "ssm", "ListDocumentVersions", []string{"Name", "MaxResults", "NextToken"},
		func(c api.Call, in *ssm.ListDocumentVersionsInput) (*ssm.ListDocumentVersionsOutput, error) {
			document, err := regionOf(w, c).Document(aws.ToString(in.Name))
			if err != nil {
				return nil, err
			}
			var found []types.DocumentVersionInfo
			for _, version := range slices.Backward(document.Versions) {
				found = append(found, types.DocumentVersionInfo{
					Name: aws.String(document.Name), DocumentVersion: aws.String(strconv.Itoa(version.Version)),
					DocumentFormat: types.DocumentFormat(version.Format), CreatedDate: aws.Time(version.Created),
					IsDefaultVersion: version.Version == document.Default, Status: types.DocumentStatusActive,
					VersionName: notEmpty(version.Label),
				})
			}
			page, next, err := cutPage(found, in.NextToken, in.MaxResults, documentPages, badSSMToken)
			return &ssm.ListDocumentVersionsOutput{DocumentVersions: page, NextToken: next}, err
		})
}

// documentMatches obeys the filters that scripts use; all of them must match.
func documentMatches(document *world.Document, filters []types.DocumentKeyValuesFilter) (bool, error) {
	for _, filter := range filters {
		var matches func(value string) bool
		switch key := aws.ToString(filter.Key); key {
		case "Name":
			matches = func(value string) bool { return strings.HasPrefix(document.Name, value) }
		case "DocumentType":
			matches = func(value string) bool { return document.Type == value }
		case "Owner":
			mine := document.Owner != "Amazon"
			matches = func(value string) bool {
				return value == "All" || value == "Self" && mine || value == "Amazon" && !mine || value == "Private" && mine
			}
		case "PlatformTypes":
			matches = func(value string) bool {
				return slices.Contains(document.Versions[document.Default-1].Platforms(), value)
			}
		default:
			tag, byTag := strings.CutPrefix(key, "tag:")
			if !byTag {
				return false, api.NotModelled("filter %s of ssm:ListDocuments", key)
			}
			matches = func(value string) bool { return document.Tags[tag] == value }
		}
		if !slices.ContainsFunc(filter.Values, matches) {
			return false, nil
		}
	}
	return true, nil
}

// inFormat is a document's content in the format that is asked for; JSON is asked for where a request is silent, but
// what was written is given back then.
func inFormat(version *world.DocumentVersion, asked types.DocumentFormat) (string, types.DocumentFormat, error) {
	if asked == "" || string(asked) == version.Format {
		return version.Content, types.DocumentFormat(version.Format), nil
	}
	convert := yaml.YAMLToJSON
	switch asked {
	case types.DocumentFormatYaml:
		convert = yaml.JSONToYAML
	case types.DocumentFormatJson:
	default:
		return "", "", api.NotModelled("ssm:GetDocument in format %s", asked)
	}
	text, err := convert([]byte(version.Content))
	if err != nil {
		return "", "", api.Errorf("InvalidDocument", "The document cannot be written as %s: %v", asked, err)
	}
	return string(text), asked, nil
}
