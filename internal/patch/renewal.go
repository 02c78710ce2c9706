package patch

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ImageRenewal is what became of a group's image in a wave.
type ImageRenewal struct {
	Image    string `json:"image,omitempty"` // "": none was made, or is known
	From     string `json:"from,omitempty"`  // the instance or the parameter
	Named    bool   `json:"named,omitempty"` // the parameter names it: it is not ours
	Was      Launch `json:"was"`             // what the group launched from before
	Proven   bool   `json:"proven,omitempty"`
	Version  int    `json:"version,omitempty"`  // of the template, made with it; 0: none
	Defaults bool   `json:"defaults,omitempty"` // that was made the template's default
	Reaches  bool   `json:"reaches,omitempty"`  // the group launches from it now
	Failed   string `json:"failed,omitempty"`   // why it was not renewed as asked; "": it was
	PutBack  string `json:"put_back,omitempty"` // what was put back of the template; "": nothing
	Expired  int    `json:"expired,omitempty"`  // older images of ours that went

	Notes    []string   `json:"notes,omitempty"`
	Stranded []Stranded `json:"stranded,omitempty"`
}

// NotRenewed is the renewal of an image that was not begun.
func NotRenewed(format string, args ...any) *ImageRenewal {
	return &ImageRenewal{Failed: fmt.Sprintf(format, args...)}
}

// Told says what became of the image, from what the group launches next, and what a reader should know beside.
func (r ImageRenewal) Told() string {
	return strings.Join(append([]string{r.became()}, r.Notes...), "; ")
}

func (r ImageRenewal) became() string {
	by, kept := fmt.Sprintf("%s, made from %s", r.Image, r.From), " is kept in quarantine, to be looked at"
	if r.Named {
		by, kept = fmt.Sprintf("%s, which %s names", r.Image, r.From), " is left as it is"
	}
	switch {
	case r.PutBack != "":
		return "image put back: " + r.PutBack
	case r.Failed != "" && r.Image == "":
		return "image not renewed: " + r.Failed
	case r.Failed != "" && r.Reaches:
		return fmt.Sprintf("image renewed, and not as asked: it launches next from %s; %s", by, r.Failed)
	case r.Failed != "" && r.Proven:
		return fmt.Sprintf("image proven, and not what it launches next: %s; %s", r.Failed, by)
	case r.Failed != "":
		return fmt.Sprintf("image not renewed: %s; %s,%s", r.Failed, by, kept)
	case r.Reaches && r.Version == 0:
		return fmt.Sprintf("image proven, and what it launches from already: %s", by)
	case r.Reaches:
		return fmt.Sprintf("image renewed: it launches next from %s (version %d of the launch template %s)", by, r.Version,
			r.Was.TemplateName)
	case r.Version > 0:
		follows := "follows " + strings.TrimPrefix(r.Was.Follows, "$")
		if r.Was.Numbered() {
			follows = "names version " + r.Was.Follows
		}
		return fmt.Sprintf("image proven, and not what it launches next: %s is in version %d of the launch template %s, of "+
			"which the group %s", by, r.Version, r.Was.TemplateName, follows)
	}
	return fmt.Sprintf("image proven, and in no launch template, as the plan says: %s", by)
}

// Undoes reports whether there is something to put back of a template.
func (r *ImageRenewal) Undoes() bool { return r != nil && r.Version > 0 && r.PutBack == "" }

// JudgedImage is a group's outcome with what became of its image: nobody's patching fails by that.
func (o Outcome) JudgedImage(renewal *ImageRenewal) Outcome {
	if o == Succeeded && renewal != nil && renewal.Failed != "" {
		return SucceededImageStale
	}
	return o
}

// TemplateNow is a launch template as somebody who puts it back finds it.
type TemplateNow struct {
	Default, Latest int
	Again           int    // version that an earlier try of putting it back has made; 0: none
	Named           string // of a group that names a version by its number: the one that it names
}

// TemplateBack is what putting a template back takes.
type TemplateBack struct {
	Default int    // version to make the default again; 0: none
	Again   bool   // a version that says what the one before did is to be the latest
	Names   bool   // the group is to name the version of before again
	Told    string // what others have changed since, and stays; "": nothing
}

// Launches reports whether the group launches from what it did before once that is done, for all that is known.
func (b TemplateBack) Launches() bool { return b.Default > 0 || b.Again || b.Names }

// TemplateBack decides what of a template is put back after its renewal. What somebody else has changed since stays.
// Where a group follows the latest version only a later one can take its place: none is deleted, for others may name
// it.
func (r ImageRenewal) TemplateBack(now TemplateNow) (back TemplateBack) {
	var told []string
	if r.Defaults {
		if now.Default == r.Version {
			back.Default = r.Was.Default
		} else if now.Default != r.Was.Default {
			told = append(told, fmt.Sprintf("somebody has made version %d the default since, which stays", now.Default))
		}
	}
	switch {
	case r.Was.Numbered() && now.Named == strconv.Itoa(r.Version):
		back.Names = true
	case r.Was.Numbered() && now.Named != r.Was.Follows:
		told = append(told, fmt.Sprintf("somebody has had the group launch from version %s since, which stays", now.Named))
	case r.Was.Follows != FollowsLatest || now.Again > 0 && now.Latest == now.Again:
	case now.Latest == r.Version:
		back.Again = true
	default:
		told = append(told, fmt.Sprintf("somebody has made version %d since, which stays", now.Latest))
	}
	back.Told = strings.Join(told, "; ")
	return back
}

// OurImage is an image that waves have made of a group.
type OurImage struct {
	ID      string
	Created string // RFC 3339, AWS's clock
	Proven  bool
}

// ExpiredImages are those of a group's images that it keeps no longer: of the proven ones all but the newest keep, and
// what failed, or was broken off, once a newer one is proven or failed after it. Those that stay are never among them:
// the newest of all, and the one before, which a roll back has the group launch from again.
func ExpiredImages(images []OurImage, keep int, stay ...string) (expired []string) {
	images = slices.Clone(images)
	slices.SortStableFunc(images, func(a, b OurImage) int { return strings.Compare(b.Created, a.Created) })
	kept, failed := 0, false
	for _, image := range images {
		switch {
		case slices.Contains(stay, image.ID):
			kept++
		case image.Proven && kept < max(keep, 1):
			kept++
		case image.Proven || kept > 0 || failed:
			expired = append(expired, image.ID)
		default:
			failed = true
		}
	}
	return expired
}

// TrialChecks are the health checks that can be asked of an instance outside the group, and what is said of the others.
func TrialChecks(checks []HealthCheck) (asked []HealthCheck, unasked string) {
	var others []string
	for _, check := range checks {
		switch {
		case check.TargetGroup != "":
			others = append(others, "its target groups, in which it is not registered")
		case check.Alarm != "":
			others = append(others, "the alarm "+check.Alarm+", which is about the group")
		case check.Metric != nil:
			others = append(others, "metrics, which are about traffic")
		default:
			asked = append(asked, check)
		}
	}
	if len(others) > 0 {
		unasked = "the image was tried outside the group, without " + strings.Join(others, ", ")
	}
	return asked, unasked
}

// JudgeTrial says why an instance that tries an image does not have what the one has that it was made for; "" where it
// does. What both lack was published since, and is told.
func JudgeTrial(trial, donor Scan) (why, note string) {
	switch {
	case trial.Error != "":
		return "the trial could not be scanned: " + trial.Error, ""
	case len(trial.Failed) > 0:
		return "patches failed on the trial: " + theFirst(trial.Failed, len(trial.Failed)), ""
	case donor.Error != "" && trial.MissingNumber() > 0:
		return "it lacks " + theFirst(trial.Missing, trial.MissingNumber()), ""
	}
	lacks := Except(trial.Missing, donor.Missing)
	if more := trial.MissingCount - donor.MissingCount; len(lacks) > 0 || more > 0 {
		return "it lacks what those patched have: " + theFirst(lacks, len(lacks)+max(more, 0)), ""
	}
	if trial.MissingNumber() > 0 {
		note = "published since, and on none of them: " + theFirst(trial.Missing, trial.MissingNumber())
	}
	return "", note
}
