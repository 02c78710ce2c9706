package services

import (
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// malformed are EC2's codes for ids that are none, by prefix; the error codes page has them.
var malformed = map[string]string{
	"i": "InvalidInstanceID.Malformed", "vol": "InvalidVolumeID.Malformed", "snap": "InvalidSnapshotID.Malformed",
	"sg": "InvalidGroupId.Malformed", "ami": "InvalidAMIID.Malformed", "lt": "InvalidLaunchTemplateId.Malformed",
	"subnet": "InvalidSubnetID.Malformed",
}

var idDigits = regexp.MustCompile(`^([0-9a-f]{8}|[0-9a-f]{17})$`)

// wellFormed refuses ids that are none of their kind.
func wellFormed(prefix string, ids ...string) error {
	for _, id := range ids {
		digits, ok := strings.CutPrefix(id, prefix+"-")
		if !ok || !idDigits.MatchString(digits) {
			return api.Errorf(malformed[prefix], "Invalid id: \"%s\"", id)
		}
	}
	return nil
}

// notWithIDs refuses pages of what is named by ids, as the API reference of MaxResults has it for instances.
func notWithIDs(ids []string, size *int32) error {
	if len(ids) == 0 || size == nil {
		return nil
	}
	return api.Errorf(
		"InvalidParameterCombination", "The parameter instancesSet cannot be used with the parameter maxResults",
	)
}

// knownType refuses what is no instance type.
func knownType(name types.InstanceType) error {
	if name == "" || slices.Contains(name.Values(), name) {
		return nil
	}
	return api.Errorf("InvalidParameterValue", "Invalid value '%s' for InstanceType.", name)
}

// checkTags refuses what EC2 refuses of the tags in a request.
func checkTags(tags []types.Tag) error {
	seen := map[string]bool{}
	for _, tag := range tags {
		key, value := deref(tag.Key), deref(tag.Value)
		switch {
		case strings.HasPrefix(key, "aws:"):
			return api.Errorf("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use")
		case seen[key]:
			return api.Errorf("InvalidParameterValue", "Duplicate tag key '%s' specified.", key)
		case len([]rune(key)) > 128:
			return api.Errorf("InvalidParameterValue", "Tag key exceeds the maximum length of 128 characters")
		case len([]rune(value)) > 256:
			return api.Errorf("InvalidParameterValue", "Tag value exceeds the maximum length of 256 characters")
		}
		seen[key] = true
	}
	if len(seen) > world.MaxTags {
		return api.Errorf("TagLimitExceeded", "The maximum number of tags is %d; %d are given.", world.MaxTags, len(seen))
	}
	return nil
}
