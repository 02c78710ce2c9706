package services

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// pathPages are those of GetParametersByPath.
var pathPages = pageRange{1, 10, 10}

func registerSSMParameters(r *api.Registry, w *world.World) {
	api.Handle(
		r, "ssm", "GetParameter", []string{"Name", "WithDecryption"},
		func(c api.Call, in *ssm.GetParameterInput) (*ssm.GetParameterOutput, error) {
			parameter, err := findParameter(regionOf(w, c), aws.ToString(in.Name))
			if err != nil {
				return nil, err
			}
			return &ssm.GetParameterOutput{
				Parameter: ssmParameter(regionOf(w, c), parameter, aws.ToBool(in.WithDecryption)),
			}, nil
		})
	api.Handle(
		r, "ssm", "GetParameters", []string{"Names", "WithDecryption"},
		func(c api.Call, in *ssm.GetParametersInput) (*ssm.GetParametersOutput, error) {
			out := &ssm.GetParametersOutput{}
			for _, name := range in.Names {
				parameter, err := findParameter(regionOf(w, c), name)
				if err != nil {
					out.InvalidParameters = append(out.InvalidParameters, name)
					continue
				}
				out.Parameters = append(out.Parameters, *ssmParameter(regionOf(w, c), parameter, aws.ToBool(in.WithDecryption)))
			}
			return out, nil
		})
	api.Handle(
		r, "ssm", "GetParametersByPath", []string{"Path", "Recursive", "WithDecryption", "MaxResults", "NextToken"},
		func(c api.Call, in *ssm.GetParametersByPathInput) (*ssm.GetParametersByPathOutput, error) {
			path := aws.ToString(in.Path)
			if !strings.HasPrefix(path, "/") {
				return nil, api.Errorf("ValidationException", "The parameter path %q must begin with a slash.", path)
			}
			path = strings.TrimSuffix(path, "/") + "/"
			var found []types.Parameter
			for _, parameter := range regionOf(w, c).Parameters() {
				rest, below := strings.CutPrefix(parameter.Name, path)
				if !below || strings.Contains(rest, "/") && !aws.ToBool(in.Recursive) {
					continue
				}
				found = append(found, *ssmParameter(regionOf(w, c), parameter, aws.ToBool(in.WithDecryption)))
			}
			page, next, err := cutPage(found, in.NextToken, in.MaxResults, pathPages, badSSMToken)
			return &ssm.GetParametersByPathOutput{Parameters: page, NextToken: next}, err
		})
	api.Handle(
		r, "ssm", "PutParameter", []string{"Name", "Value", "Type", "Overwrite", "Tags", "Tier", "DataType"},
		func(c api.Call, in *ssm.PutParameterInput) (*ssm.PutParameterOutput, error) {
			if err := puttable(in); err != nil {
				return nil, err
			}
			parameter, err := regionOf(w, c).PutParameter(
				aws.ToString(in.Name), string(in.Type), aws.ToString(in.Value), aws.ToBool(in.Overwrite), tagsOfSSM(in.Tags),
			)
			if err != nil {
				return nil, err
			}
			return &ssm.PutParameterOutput{Version: parameter.Version, Tier: types.ParameterTierStandard}, nil
		})
}

// standardValue is how long a standard parameter's value may be.
const standardValue = 4096

// puttable refuses what the API reference of PutParameter excludes and the description of the API does not.
func puttable(in *ssm.PutParameterInput) error {
	name := aws.ToString(in.Name)
	wrong := strings.ContainsFunc(name, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("_.-/", c)
	})
	first := strings.ToLower(strings.TrimPrefix(name, "/"))
	switch {
	case wrong:
		return api.Errorf(
			"ValidationException", "Parameter name: can't be %q: only letters, digits and the symbols _.-/ are allowed.", name,
		)
	case strings.HasPrefix(first, "aws") || strings.HasPrefix(first, "ssm"):
		return api.Errorf(
			"ValidationException", `Parameter name: can't be prefixed with "aws" or "ssm" (case-insensitive): %s`, name,
		)
	case strings.Contains(strings.TrimPrefix(name, "/"), "/") && !strings.HasPrefix(name, "/"):
		return api.Errorf("ValidationException", "Parameter name: %s must begin with / because it is a hierarchy.", name)
	case strings.Count(name, "/") > 15:
		return api.Errorf("HierarchyLevelLimitExceededException", "A hierarchy has at most 15 levels: %s", name)
	case in.Tier != "" && in.Tier != types.ParameterTierStandard && in.Tier != types.ParameterTierIntelligentTiering:
		return api.NotModelled("parameters of tier %s", in.Tier)
	case in.DataType != nil && *in.DataType != "text":
		return api.NotModelled("parameters of data type %s", *in.DataType)
	case len(aws.ToString(in.Value)) > standardValue:
		return api.Errorf(
			"ValidationException", "Standard tier parameters support a maximum parameter value of %d characters.", standardValue,
		)
	case aws.ToBool(in.Overwrite) && len(in.Tags) > 0:
		return api.Errorf("ValidationException", "Invalid request: tags and overwrite can't be used together. "+
			"To create a parameter with tags, please remove overwrite flag.")
	}
	return nil
}

// findParameter finds a parameter by its name, with a version behind a colon or without, or by its ARN.
func findParameter(region *world.Region, name string) (*world.Parameter, error) {
	if resource, ok := strings.CutPrefix(name, region.ARN("ssm", "parameter/")); ok {
		plain, _, _ := strings.Cut(resource, ":")
		if _, err := region.Parameter(plain); err != nil {
			resource = "/" + resource // an ARN has one slash where the name begins with one
		}
		name = resource
	}
	plain, version, versioned := strings.Cut(name, ":")
	if !versioned || strings.HasPrefix(name, "arn:") {
		return region.Parameter(name)
	}
	return region.ParameterAt(plain, version)
}

// ssmParameter shows a parameter; a secret that is not to be decrypted comes as ciphertext.
func ssmParameter(region *world.Region, p *world.Parameter, decrypt bool) *types.Parameter {
	value := p.Value
	if p.Type == string(types.ParameterTypeSecureString) && !decrypt {
		sum := sha256.Sum256([]byte(region.Account.ID + p.Name + p.Value))
		value = base64.StdEncoding.EncodeToString(sum[:])
	}
	return &types.Parameter{
		Name: aws.String(p.Name), Value: aws.String(value), Type: types.ParameterType(p.Type), Version: p.Version,
		LastModifiedDate: aws.Time(p.Modified),
		ARN:              aws.String(region.ARN("ssm", "parameter/"+strings.TrimPrefix(p.Name, "/"))),
		DataType:         aws.String("text"),
		Selector:         notEmpty(p.Selector),
	}
}
