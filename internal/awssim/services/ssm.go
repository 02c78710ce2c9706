package services

import (
	"maps"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// registerSSM registers what is modelled of Systems Manager.
func registerSSM(r *api.Registry, w *world.World) {
	registerSSMDocuments(r, w)
	registerSSMDocumentLists(r, w)
	registerSSMAutomation(r, w)
	registerSSMSignal(r, w)
	registerSSMCommands(r, w)
	registerSSMBaselines(r, w)
	registerSSMPatchStates(r, w)
	registerSSMTags(r, w)
	registerSSMRest(r, w)
}

const badSSMToken = "InvalidNextToken"

func ssmTags(tags world.Tags) []types.Tag {
	list := make([]types.Tag, 0, len(tags))
	for _, key := range tags.Keys() {
		list = append(list, types.Tag{Key: aws.String(key), Value: aws.String(tags[key])})
	}
	return list
}

func tagsOfSSM(list []types.Tag) world.Tags {
	tags := world.Tags{}
	for _, tag := range list {
		tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	return tags
}

func registerSSMDocuments(r *api.Registry, w *world.World) {
	api.Handle(
		r,
		"ssm",
		"CreateDocument",
		[]string{"Content", "Name", "DocumentFormat", "DocumentType", "Tags", "VersionName", "TargetType"},
		func(c api.Call, in *ssm.CreateDocumentInput) (*ssm.CreateDocumentOutput, error) {
			document, err := regionOf(
				w,
				c,
			).CreateDocument(
				aws.ToString(in.Name),
				string(in.DocumentType),
				string(in.DocumentFormat),
				aws.ToString(in.Content),
				aws.ToString(in.VersionName),
				tagsOfSSM(in.Tags),
			)
			if err != nil {
				return nil, err
			}
			return &ssm.CreateDocumentOutput{DocumentDescription: describeDocument(document, document.Latest())}, nil
		},
	)
	api.Handle(
		r,
		"ssm",
		"UpdateDocument",
		[]string{"Content", "Name", "DocumentFormat", "DocumentVersion", "VersionName", "TargetType"},
		func(c api.Call, in *ssm.UpdateDocumentInput) (*ssm.UpdateDocumentOutput, error) {
			region := regionOf(w, c)
			version, err := region.UpdateDocument(
				aws.ToString(in.Name),
				aws.ToString(in.DocumentVersion),
				string(in.DocumentFormat),
				aws.ToString(in.Content),
				aws.ToString(in.VersionName),
			)
			if err != nil {
				return nil, err
			}
			document, err := region.Document(aws.ToString(in.Name))
			if err != nil {
				return nil, err
			}
			return &ssm.UpdateDocumentOutput{DocumentDescription: describeDocument(document, version)}, nil
		},
	)
	api.Handle(r, "ssm", "UpdateDocumentDefaultVersion", []string{"DocumentVersion", "Name"},
		func(c api.Call, in *ssm.UpdateDocumentDefaultVersionInput) (*ssm.UpdateDocumentDefaultVersionOutput, error) {
			document, err := regionOf(w, c).SetDefaultVersion(aws.ToString(in.Name), aws.ToString(in.DocumentVersion))
			if err != nil {
				return nil, err
			}
			return &ssm.UpdateDocumentDefaultVersionOutput{Description: &types.DocumentDefaultVersionDescription{
				Name: aws.String(document.Name), DefaultVersion: aws.String(strconv.Itoa(document.Default)),
			}}, nil
		})
	find := func(c api.Call, name, version string) (*world.Document, *world.DocumentVersion, error) {
		document, err := regionOf(w, c).Document(name)
		if err != nil {
			return nil, nil, err
		}
		at, err := document.At(version)
		return document, at, err
	}
	api.Handle(r, "ssm", "DescribeDocument", []string{"Name", "DocumentVersion"},
		func(c api.Call, in *ssm.DescribeDocumentInput) (*ssm.DescribeDocumentOutput, error) {
			document, version, err := find(c, aws.ToString(in.Name), aws.ToString(in.DocumentVersion))
			if err != nil {
				return nil, err
			}
			return &ssm.DescribeDocumentOutput{Document: describeDocument(document, version)}, nil
		})
	api.Handle(r, "ssm", "GetDocument", []string{"Name", "DocumentVersion", "DocumentFormat"},
		func(c api.Call, in *ssm.GetDocumentInput) (*ssm.GetDocumentOutput, error) {
			document, version, err := find(c, aws.ToString(in.Name), aws.ToString(in.DocumentVersion))
			if err != nil {
				return nil, err
			}
			content, format, err := inFormat(version, in.DocumentFormat)
			if err != nil {
				return nil, err
			}
			return &ssm.GetDocumentOutput{
				Name: aws.String(document.Name), Content: aws.String(content), DocumentFormat: format,
				DocumentType: types.DocumentType(document.Type), DocumentVersion: aws.String(strconv.Itoa(version.Version)),
				CreatedDate: aws.Time(version.Created), Status: types.DocumentStatusActive, VersionName: notEmpty(version.Label),
			}, nil
		})
}

func notEmpty(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func describeDocument(d *world.Document, v *world.DocumentVersion) *types.DocumentDescription {
	out := &types.DocumentDescription{
		Name: aws.String(d.Name), DocumentType: types.DocumentType(d.Type), DocumentFormat: types.DocumentFormat(v.Format),
		Owner: aws.String(d.Owner), CreatedDate: aws.Time(v.Created), Hash: aws.String(v.Hash),
		HashType:        types.DocumentHashTypeSha256,
		DocumentVersion: aws.String(strconv.Itoa(v.Version)), DefaultVersion: aws.String(strconv.Itoa(d.Default)),
		LatestVersion: aws.String(strconv.Itoa(d.Latest().Version)), Status: types.DocumentStatusActive,
		SchemaVersion: aws.String(v.Schema()),
		Tags:          ssmTags(d.Tags), VersionName: notEmpty(v.Label), PlatformTypes: platformsOf(v),
		Description: notEmpty(v.Description()),
	}
	for _, parameter := range v.Parameters() {
		shown := types.DocumentParameter{
			Name: aws.String(parameter.Name), Type: types.DocumentParameterType(parameter.Type),
			Description: notEmpty(parameter.Description), DefaultValue: parameter.Default,
		}
		out.Parameters = append(out.Parameters, shown)
	}
	return out
}

func platformsOf(v *world.DocumentVersion) []types.PlatformType {
	var platforms []types.PlatformType
	for _, name := range v.Platforms() {
		platforms = append(platforms, types.PlatformType(name))
	}
	return platforms
}

func registerSSMTags(r *api.Registry, w *world.World) {
	find := func(c api.Call, kind types.ResourceTypeForTagging, id string) (world.Tags, error) {
		region := regionOf(w, c)
		switch kind {
		case types.ResourceTypeForTaggingAutomation:
			if execution, err := region.Execution(id); err == nil {
				return execution.Tags, nil
			}
		case types.ResourceTypeForTaggingDocument:
			if document, err := region.Document(id); err == nil {
				return document.Tags, nil
			}
		case types.ResourceTypeForTaggingPatchBaseline:
			if baseline, err := region.Baseline(id); err == nil {
				return baseline.Tags, nil
			}
		case types.ResourceTypeForTaggingManagedInstance: // "for on-premises managed nodes" only (API reference)
			if node := region.Machine(id); node != nil && node.Node {
				return node.Tags, nil
			}
		case types.ResourceTypeForTaggingParameter:
			if parameter, err := region.Parameter(id); err == nil {
				return parameter.Tags, nil
			}
		default:
			return nil, api.NotModelled("tags of ssm resource type %s", kind)
		}
		return nil, api.Errorf("InvalidResourceId", "%s %s does not exist.", kind, id)
	}
	api.Handle(r, "ssm", "AddTagsToResource", []string{"ResourceId", "ResourceType", "Tags"},
		func(c api.Call, in *ssm.AddTagsToResourceInput) (*ssm.AddTagsToResourceOutput, error) {
			tags, err := find(c, in.ResourceType, aws.ToString(in.ResourceId))
			if err != nil {
				return nil, err
			}
			merged := tags.Clone()
			maps.Copy(merged, tagsOfSSM(in.Tags))
			if len(merged) > world.MaxTags {
				return nil, api.Errorf("TooManyTagsError", "A resource may have %d tags.", world.MaxTags)
			}
			maps.Copy(tags, merged)
			return &ssm.AddTagsToResourceOutput{}, nil
		})
	api.Handle(r, "ssm", "RemoveTagsFromResource", []string{"ResourceId", "ResourceType", "TagKeys"},
		func(c api.Call, in *ssm.RemoveTagsFromResourceInput) (*ssm.RemoveTagsFromResourceOutput, error) {
			tags, err := find(c, in.ResourceType, aws.ToString(in.ResourceId))
			if err != nil {
				return nil, err
			}
			for _, key := range in.TagKeys {
				delete(tags, key)
			}
			return &ssm.RemoveTagsFromResourceOutput{}, nil
		})
	api.Handle(r, "ssm", "ListTagsForResource", []string{"ResourceId", "ResourceType"},
		func(c api.Call, in *ssm.ListTagsForResourceInput) (*ssm.ListTagsForResourceOutput, error) {
			tags, err := find(c, in.ResourceType, aws.ToString(in.ResourceId))
			if err != nil {
				return nil, err
			}
			return &ssm.ListTagsForResourceOutput{TagList: ssmTags(tags)}, nil
		})
}

func registerSSMRest(r *api.Registry, w *world.World) {
	registerSSMParameters(r, w)
	registerSSMReads(r, w)
	registerOthers(r, w)
}
