package activities

import (
	"cmp"
	"context"

	"github.com/patchtide/patchtide/internal/patch"
)

// ReadNewestManifest reads what the newest manifest of a plan has, to be shown. It changes nothing.
func (c *Control) ReadNewestManifest(ctx context.Context, in FindCarriedInput) (*patch.PreviewBound, error) {
	found, err := c.FindCarried(ctx, in)
	if err != nil {
		return nil, err
	}
	bound := &patch.PreviewBound{
		Manifest: found.Manifest, Systems: []patch.BoundSystem{}, NotYet: []string{}, Unproven: found.Unproven,
	}
	if found.Manifest == nil {
		return bound, nil
	}
	kept, _, err := readBlocks(ctx, c.Evidence)
	if err != nil {
		return nil, err
	}
	blocked := kept.Blocked.At(in.At, "")
	read, err := readManifest(ctx, c.Manifests, *found.Manifest)
	if err != nil {
		return nil, err
	}
	for _, system := range read.Systems {
		one := patch.BoundSystem{Name: system.Name, Release: system.Release, Packages: []patch.BoundPackage{}}
		for _, each := range system.Packages {
			if block := blocked.Of(each.Name, each.Version); block != nil {
				bound.Unproven = append(bound.Unproven, each.Name+" "+each.Version+" is not carried: "+block.String())
				continue
			}
			one.Packages = append(one.Packages, patch.BoundPackage{
				Name: each.Name, From: each.From, To: each.Version, WaveID: cmp.Or(each.WaveID, read.WaveID),
			})
		}
		bound.Systems = append(bound.Systems, one)
	}
	return bound, nil
}
