package patch

import "fmt"

// ahead says for people, before a wave, what it will do to what the group launches next, and why not; none where that
// is not known to lack anything.
func (r GroupReading) ahead(renews *ImagePolicy, instances []PreviewInstance) (notes []string) {
	asked := renews.Asked() && (due(instances) || r.Owed != "" || r.LaunchWhy != "")
	if asked && r.Owed != "" {
		notes = append(notes, r.Owed+"; where the stage needs an approval and nothing is due on it, nobody is asked, and it "+
			"stays so")
	}
	switch {
	case asked && r.Launch != nil:
		notes = append(notes, renews.Ahead(*r.Launch))
	case asked && r.LaunchWhy != "":
		notes = append(notes, "whether its image can be renewed is not known: "+r.LaunchWhy)
	case renews.Asked(): // what it launches next is known to lack nothing, or not looked at
	case r.Next != nil:
		if lacks := r.Next.Ahead(instances); lacks != "" {
			notes = append(notes, lacks)
		}
	case r.NextWhy != "":
		notes = append(notes, "which image it launches next is not known: "+r.NextWhy)
	}
	return notes
}

// Ahead says for people, before a wave, how the image of a group is to be renewed that launches so, or why it will not.
func (p ImagePolicy) Ahead(l Launch) string {
	if why := p.Refuse(l); why != "" {
		return fmt.Sprintf("its image will not be renewed, so that a wave which patches all of it ends as %q at best: %s",
			SucceededImageStale.Words(), why)
	}
	from := "is made of one of those patched"
	if p.From == ImageNamed {
		from = "is the one that the parameter " + p.Parameter + " names"
	}
	said := fmt.Sprintf("once all of it is patched, its next image %s, is tried by an instance of its own outside the "+
		"group", from)
	switch {
	case p.Promote == PromoteNone:
		said += ", and goes into no launch template, as the plan says"
	case p.Promote == PromoteDefault && l.Numbered():
		said += fmt.Sprintf(", and goes into a new version of the launch template %s, which the group is given by its number",
			l.TemplateName)
	case p.Promote == PromoteDefault:
		said += fmt.Sprintf(", and goes into a new version of the launch template %s, its default from then on",
			l.TemplateName)
	default:
		said += fmt.Sprintf(", and goes into a new version of the launch template %s, whose default stays", l.TemplateName)
		if !p.Reaches(l) {
			said += ", so that the group does not launch from it"
		}
	}
	return fmt.Sprintf("%s; until then it launches from %s (version %d)", said, l.Image, l.Version)
}
