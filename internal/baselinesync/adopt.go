package baselinesync

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/patchtide/patchtide/baselines"
	"github.com/patchtide/patchtide/internal/aws"
)

// Adoption is what to write a file of.
type Adoption struct {
	Baseline   string // in Systems Manager: its id or its name
	Name       string // of the file; "": from Systems Manager's
	PatchGroup string // that the file names; "": the only one it is registered for
	Catalog    *baselines.Catalog
}

// Adopted is a baseline of Systems Manager as a file.
type Adopted struct {
	ID         string   `json:"baseline_id"`
	SSMName    string   `json:"ssm_name"`
	Name       string   `json:"name"`
	PatchGroup string   `json:"patch_group,omitempty"`
	Notes      []string `json:"notes"` // what to know before it is used
	Text       []byte   `json:"-"`
}

// Adopt reads a baseline of Systems Manager and writes its file, such that a comparison of the two finds nothing. It
// changes nothing in AWS.
func Adopt(ctx context.Context, s *aws.Services, where string, in Adoption) (*Adopted, error) {
	id, err := theirs(ctx, s, where, in.Baseline)
	if err != nil {
		return nil, err
	}
	got, err := s.SSM.GetPatchBaseline(ctx, &ssm.GetPatchBaselineInput{BaselineId: &id})
	if aws.IsNotFound(err) {
		return nil, fmt.Errorf("%s has no patch baseline %s", where, in.Baseline)
	}
	if err != nil {
		return nil, aws.Wrap("read the patch baseline "+in.Baseline, where, err)
	}
	name := aws.Deref(got.Name)
	found, err := aws.FindBaseline(ctx, s, where, name, got.OperatingSystem)
	switch {
	case err != nil:
		return nil, err
	case found == "":
		return nil, fmt.Errorf("%s is AWS's own, which nobody can change; copy it in Systems Manager, and adopt the copy",
			name)
	case aws.BareID(found) != aws.BareID(aws.Deref(got.BaselineId)):
		return nil, fmt.Errorf("%s has two baselines %s of %s, %s and %s, and a baseline is found by its name: give one "+
			"of them another name, or delete it", where, name, got.OperatingSystem, aws.BareID(found),
			aws.BareID(aws.Deref(got.BaselineId)))
	}
	for _, known := range in.Catalog.Names() {
		if b, err := in.Catalog.Load(known); err == nil && b.SSMName() == name && b.OperatingSystem == got.OperatingSystem {
			return nil, fmt.Errorf("%s is the baseline %s already; see `patchtide baseline diff %s`", name, known, known)
		}
	}
	adopted := &Adopted{ID: aws.Deref(got.BaselineId), SSMName: name, Name: in.Name, Notes: []string{}}
	if adopted.Name == "" {
		adopted.Name = baselines.FileName(name)
	}
	if _, err := in.Catalog.Load(adopted.Name); err == nil {
		return nil, fmt.Errorf("there is a baseline %s already; choose another name with --name", adopted.Name)
	}
	if err := adopted.choose(in.PatchGroup, got); err != nil {
		return nil, err
	}
	if len(got.Sources) > 0 {
		adopted.Notes = append(adopted.Notes, "its patch sources are in the file as they are; see that there is no password "+
			"in them before others read it")
	}
	adopted.Text, err = baselines.Adopt(adopted.Name, adopted.PatchGroup, got)
	return adopted, err
}

// choose takes the patch group that is asked for, or the only one.
func (a *Adopted) choose(wanted string, got *ssm.GetPatchBaselineOutput) error {
	groups := slices.Sorted(slices.Values(got.PatchGroups))
	switch {
	case wanted != "" && !slices.Contains(groups, wanted):
		return fmt.Errorf("%s is not registered for the patch group %s; it is for %s", a.SSMName, wanted,
			strings.Join(append(groups, "no other"), ", "))
	case wanted != "":
		a.PatchGroup = wanted
	case len(groups) > 1:
		return fmt.Errorf("%s is registered for the patch groups %s, and a file names one: choose it with --patch-group; "+
			"the others stay registered", a.SSMName, strings.Join(groups, ", "))
	case len(groups) == 1:
		a.PatchGroup = groups[0]
	default:
		a.Notes = append(a.Notes, "it is registered for no patch group: write patch_group: into the file, and tag instances "+
			"with it, or only the default of the operating system is asked")
	}
	if len(groups) > 1 {
		others := slices.DeleteFunc(groups, func(group string) bool { return group == a.PatchGroup })
		a.Notes = append(a.Notes, "it stays registered for the patch groups "+strings.Join(others, ", ")+
			", whose instances a plan by this file refuses")
	}
	return nil
}

// theirs is the id of a baseline by its id or name.
func theirs(ctx context.Context, s *aws.Services, where, baseline string) (string, error) {
	if strings.HasPrefix(baseline, "pb-") || strings.HasPrefix(baseline, "arn:") {
		return baseline, nil
	}
	all, err := aws.FindBaselines(ctx, s, where, baseline)
	if err != nil {
		return "", err
	}
	switch len(all) {
	case 0:
		return "", fmt.Errorf("%s has no patch baseline of its own that is called %s; `aws ssm describe-patch-baselines "+
			"--filters Key=OWNER,Values=Self` lists those it has", where, baseline)
	case 1:
		return aws.Deref(all[0].BaselineId), nil
	}
	var named []string
	for _, one := range all {
		named = append(named, fmt.Sprintf("%s (%s)", aws.Deref(one.BaselineId), one.OperatingSystem))
	}
	return "", fmt.Errorf(
		"%s has several baselines %s: name one by its id: %s", where, baseline, strings.Join(named, ", "),
	)
}
