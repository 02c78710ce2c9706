package services

import (
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// pageRange is what a request may ask for as MaxResults, and how many it gets that does not ask.
type pageRange struct{ low, high, usual int }

// cutPage cuts one page out of items; the token says where the next one begins. The error is the code given. Sizes
// that AWS's descriptions limit are refused before, by wire.Validate.
func cutPage[T any](items []T, token *string, asked *int32, allowed pageRange, code string) ([]T, *string, error) {
	begin, size := 0, allowed.usual
	if asked != nil {
		size = int(*asked)
		if size < allowed.low || size > allowed.high {
			return nil, nil, api.Errorf(code, "MaxResults must be between %d and %d, it is %d.", allowed.low, allowed.high, size)
		}
	}
	if aws.ToString(token) != "" {
		text, err := base64.StdEncoding.DecodeString(*token)
		if err == nil {
			begin, err = strconv.Atoi(strings.TrimPrefix(string(text), "from "))
		}
		if err != nil || begin < 0 {
			return nil, nil, api.Errorf(code, "The token %q is not one of this call's.", *token)
		}
	}
	begin = min(begin, len(items))
	end := min(begin+size, len(items))
	if end == len(items) {
		return items[begin:], nil, nil
	}
	next := base64.StdEncoding.EncodeToString([]byte("from " + strconv.Itoa(end)))
	return items[begin:end], &next, nil
}

// valuesOf returns a resource's values of a filter; known is false for a filter that is not modelled.
type valuesOf func(filter string) (values []string, known bool)

// passes applies EC2's filters: every filter must match, by any of its values; * and ? are wildcards.
func passes(operation string, filters []types.Filter, tags world.Tags, of valuesOf) (bool, error) {
	all := true
	for _, filter := range filters {
		name := aws.ToString(filter.Name)
		var values []string
		switch key, isTag := strings.CutPrefix(name, "tag:"); {
		case isTag:
			if value, ok := tags[key]; ok {
				values = []string{value}
			}
		case name == "tag-key":
			values = tags.Keys()
		default:
			var known bool
			if values, known = of(name); !known {
				return false, api.NotModelled("filter %s of ec2:%s", name, operation)
			}
		}
		if !anyMatch(filter.Values, values) {
			all = false
		}
	}
	return all, nil
}

func anyMatch(patterns, values []string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		return slices.ContainsFunc(values, func(value string) bool { return world.Matches(pattern, value) })
	})
}

// filtered keeps the things that pass the filters.
func filtered[T any](
	operation string, things []T, filters []types.Filter, tags func(T) world.Tags, of func(T, string) ([]string, bool),
) ([]T, error) {
	kept := []T{}
	for _, thing := range things {
		ok, err := passes(operation, filters, tags(thing), func(name string) ([]string, bool) { return of(thing, name) })
		if err != nil {
			return nil, err
		}
		if ok {
			kept = append(kept, thing)
		}
	}
	return kept, nil
}

func ec2Tags(tags world.Tags) []types.Tag {
	list := make([]types.Tag, 0, len(tags))
	for _, key := range tags.Keys() {
		list = append(list, types.Tag{Key: aws.String(key), Value: aws.String(tags[key])})
	}
	return list
}

func tagsOf(list []types.Tag) world.Tags {
	tags := world.Tags{}
	for _, tag := range list {
		tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	return tags
}

// specified returns the tags that a creation asks for on a resource of this type, and refuses those for other types.
func specified(specs []types.TagSpecification, kind types.ResourceType) (world.Tags, error) {
	all, err := specifiedFor(specs, kind)
	return all[kind], err
}

// specifiedFor is specified for a creation that makes resources of several types.
func specifiedFor(
	specs []types.TagSpecification, kinds ...types.ResourceType,
) (map[types.ResourceType]world.Tags, error) {
	all := map[types.ResourceType]world.Tags{}
	for _, kind := range kinds {
		all[kind] = world.Tags{}
	}
	for _, spec := range specs {
		if !slices.Contains(kinds, spec.ResourceType) {
			return nil, api.Errorf(
				"InvalidParameterValue", "'%s' is not a valid taggable resource type for this operation.", spec.ResourceType,
			)
		}
		if err := checkTags(spec.Tags); err != nil {
			return nil, err
		}
		maps.Copy(all[spec.ResourceType], tagsOf(spec.Tags))
	}
	return all, nil
}
