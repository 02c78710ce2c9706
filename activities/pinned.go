package activities

import (
	"context"
	"encoding/json"

	"go.temporal.io/sdk/temporal"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/manifest"
	"github.com/patchtide/patchtide/internal/patch"
)

// Manifests keeps what waves have proved.
type Manifests interface {
	// PutManifest writes a manifest under its SHA-256, in hexadecimal, which it returns.
	PutManifest(ctx context.Context, wave string, document any) (string, error)
	// GetManifest reads one; *evidence.InvalidRecordError where it does not have that hash.
	GetManifest(ctx context.Context, wave, sha256 string) (json.RawMessage, error)
}

// Lists keeps lists of packages where machines read them.
type Lists interface {
	// PutList writes a list under its own hash and returns its URL.
	PutList(ctx context.Context, content []byte) (string, error)
}

// readManifest reads what binds.
func readManifest(ctx context.Context, from Manifests, ref patch.ManifestRef) (*manifest.Manifest, error) {
	if from == nil {
		return nil, temporal.NewApplicationError("this worker has no store of manifests", ErrRejected)
	}
	content, err := from.GetManifest(ctx, ref.WaveID, ref.SHA256)
	if err != nil {
		return nil, evidenceError("read manifest "+ref.SHA256, err)
	}
	var read manifest.Manifest
	if err := json.Unmarshal(content, &read); err != nil {
		return nil, temporal.NewApplicationErrorWithCause("manifest "+ref.SHA256+" cannot be read", ErrRejected, err)
	}
	return &read, nil
}

// judgePinned compares a machine that was patched with what binds it.
func (a *AWS) judgePinned(
	ctx context.Context, pinned patch.Pinned, report patch.PatchReport, packages aws.Packages,
) (*patch.PinVerdict, error) {
	switch {
	case report.Before == nil || report.After == nil: // which is judged by itself
		return nil, nil
	case packages.Before == nil || packages.After == nil:
		return &patch.PinVerdict{Unknown: "it has not told which packages it holds"}, nil
	}
	bound, err := readManifest(ctx, a.Manifests, pinned.Ref())
	if err != nil {
		return nil, err
	}
	system := bound.Of(*report.Before)
	if system == nil {
		return &patch.PinVerdict{Unknown: "nothing was proved on " + manifest.NameOf(*report.Before)}, nil
	}
	verdict := system.Verify(manifest.Read(packages.Before), manifest.Read(packages.After))
	return &patch.PinVerdict{
		Missing:  verdict.Missing[:min(len(verdict.Missing), patch.MostPinned)],
		Unproven: verdict.Unproven[:min(len(verdict.Unproven), patch.MostPinned)],
	}, nil
}
