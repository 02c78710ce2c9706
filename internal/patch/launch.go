package patch

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Versions by which a group may name a template's: as Auto Scaling spells them.
const (
	FollowsDefault = "$Default"
	FollowsLatest  = "$Latest"
)

// Launch is what a group launches its next instance from, as far as renewing its image depends on that.
type Launch struct {
	Template     string `json:"template"` // id
	TemplateName string `json:"template_name"`
	Follows      string `json:"follows"` // $Default, $Latest, or a version's number
	Version      int    `json:"version"` // what that is now
	Default      int    `json:"default"`
	Latest       int    `json:"latest"`
	Image        string `json:"image"` // of the version, as it names it: an id, or resolve:ssm:NAME

	// Unusable is what of it cannot be renewed, in a person's words: "it has the launch configuration web".
	Unusable string `json:"unusable,omitempty"`
	// Dropped is what an image of a root volume alone would lack of what the group launches now, in a person's words.
	Dropped string            `json:"dropped,omitempty"`
	Tags    map[string]string `json:"tags,omitempty"`   // of the group and of the template
	Shared  []string          `json:"shared,omitempty"` // other groups that launch from the template
}

// String names the version for people.
func (l Launch) String() string {
	return fmt.Sprintf("version %d of the launch template %s", l.Version, l.TemplateName)
}

// Numbered reports whether the group names its version by its number, so that no other reaches it until it is given
// that.
func (l Launch) Numbered() bool { return l.Follows != "" && !strings.HasPrefix(l.Follows, "$") }

// Brief is the launch without what is only judged once.
func (l Launch) Brief() Launch {
	l.Tags, l.Shared, l.Dropped = nil, nil, ""
	return l
}

// Owner says by whom a template and its group are kept, who would undo or contradict what others change of them; "" of
// nobody that is known. CloudFormation marks what is in a stack by itself. Terraform and its like leave no mark of
// their own: only what people commonly tag with is known.
func (l Launch) Owner() string {
	if stack := l.Tags["aws:cloudformation:stack-name"]; stack != "" {
		return "the CloudFormation stack " + stack
	}
	for _, tag := range sortedKeys(l.Tags) {
		key, value := strings.ToLower(tag), strings.ToLower(l.Tags[tag])
		key = strings.NewReplacer("-", "", "_", "", ":", "", " ", "").Replace(key)
		for _, tool := range []string{"terraform", "opentofu", "pulumi", "crossplane"} {
			manages := slices.Contains([]string{"managedby", "createdby", "provisioner", "provisionedby", "iac"}, key)
			if manages && strings.Contains(value, tool) || key == tool && value != "false" && value != "no" {
				return tool + ", as its tags say"
			}
		}
	}
	return ""
}

// sortedKeys are the keys of tags, for who asks one after the other.
func sortedKeys(tags map[string]string) []string { return slices.Sorted(maps.Keys(tags)) }

// Refuse says why the image of what a group launches from is not renewed; "" where it may be.
func (p ImagePolicy) Refuse(l Launch) string {
	owner := l.Owner()
	switch {
	case l.Unusable != "":
		return l.Unusable
	case !strings.HasPrefix(l.Image, "ami-") && p.Promote != PromoteNone:
		return fmt.Sprintf("%s names %s: it follows the parameter already, and a version of ours would end that for good; "+
			"have the parameter name an image that is patched", l, l.Image)
	case !strings.HasPrefix(l.Image, "ami-") && p.From == ImagePatched:
		return fmt.Sprintf("%s names %s, so that what else its image maps is not known; write from: parameter", l, l.Image)
	case p.From == ImagePatched && l.Dropped != "":
		return l.Dropped
	case p.Promote == PromoteNone:
		return ""
	case owner != "" && !p.Force:
		return fmt.Sprintf("%s is kept by %s, which would not know of a version of ours; change it there, or write force: "+
			"true", l, owner)
	case len(l.Shared) > 0 && !p.Force:
		return fmt.Sprintf("%s also serves %s, which would launch from that image as well; give each group a template of "+
			"its own, or write force: true", l, fewOf(l.Shared))
	}
	return ""
}

// Reaches reports whether the group launches from a version that is made with its image, once that is done.
func (p ImagePolicy) Reaches(l Launch) bool {
	return p.Promote == PromoteDefault || p.Promote == PromoteLatest && l.Follows == FollowsLatest
}

// Changed says what of a launch others have changed since it was read; "": nothing that a new version would go over.
func (l Launch) Changed(now Launch) string {
	switch {
	case now.Template != l.Template || now.Follows != l.Follows || now.Unusable != "":
		return "the group was given another template, or another version of it"
	case now.Version != l.Version || now.Image != l.Image:
		return fmt.Sprintf("it launches from version %d by now, and did from %d", now.Version, l.Version)
	case now.Latest != l.Latest:
		return fmt.Sprintf("somebody made version %d", now.Latest)
	case now.Default != l.Default:
		return fmt.Sprintf("somebody made version %d the default", now.Default)
	}
	return ""
}
