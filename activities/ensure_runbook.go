package activities

import (
	"context"
	_ "embed"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/strictyaml"
)

//go:embed runbook.yaml
var runbookYAML string

// EnsureRunbookInput names an account and region.
type EnsureRunbookInput struct {
	Group patch.Group
}

// Runbook is our Automation document as registered: a wave pins its version and hash.
type Runbook struct {
	Name    string
	Version string
	Hash    string // SHA-256 as SSM reports it
}

// versionsBack is how many older versions are searched for our content. Workers of two releases that share an account
// then each find their own instead of adding versions in turn, of which a document has 1,000.
const versionsBack = 20

// documentPoll is how soon a document that is being created or updated is looked at again; AWS takes seconds.
const documentPoll = patch.Duration(2e9)

// EnsureRunbook registers the embedded runbook when it is missing or differs, and returns the version whose content is
// exactly ours. The document's default version plays no part, so that nobody's change of it changes what a wave runs.
func (a *AWS) EnsureRunbook(ctx context.Context, in EnsureRunbookInput) (_ *Runbook, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return nil, err
	}
	where := in.Group.Account.Name + "/" + in.Group.Region
	if err := requireTimeout(ctx, s, where); err != nil {
		return nil, err
	}
	version, exists, err := findRunbook(ctx, s, where)
	if err != nil {
		return nil, err
	}
	switch {
	case version != "":
	case exists:
		out, err := s.SSM.UpdateDocument(ctx, &ssm.UpdateDocumentInput{
			Name: aws.Ptr(names.Runbook), Content: &runbookYAML, DocumentFormat: ssmtypes.DocumentFormatYaml,
			DocumentVersion: aws.Ptr("$LATEST"),
		})
		if aws.HasCode(err, aws.CodeDuplicateDocument) {
			return nil, once.NotReady(
				documentPoll.D(), "waiting to see the version of %s that another worker made", names.Runbook,
			)
		}
		if err != nil {
			return nil, aws.Wrap("update the runbook "+names.Runbook, where, err)
		}
		if out.DocumentDescription != nil {
			version = aws.Deref(out.DocumentDescription.DocumentVersion)
		}
	default:
		_, err := s.SSM.CreateDocument(ctx, &ssm.CreateDocumentInput{
			Name: aws.Ptr(names.Runbook), Content: &runbookYAML,
			DocumentType: ssmtypes.DocumentTypeAutomation, DocumentFormat: ssmtypes.DocumentFormatYaml,
		})
		if aws.HasCode(err, aws.CodeDocumentExists) {
			return nil, once.NotReady(documentPoll.D(), "waiting to see the runbook %s that another worker made", names.Runbook)
		}
		if err != nil {
			return nil, aws.Wrap("create the runbook "+names.Runbook, where, err)
		}
		version = "1"
	}
	described, err := aws.FindDescription(ctx, s, where, names.Runbook, version)
	if err != nil {
		return nil, err
	}
	if described == nil || described.Status != ssmtypes.DocumentStatusActive {
		return nil, once.NotReady(
			documentPoll.D(), "waiting for version %s of the runbook %s to become active", version, names.Runbook,
		)
	}
	return &Runbook{Name: names.Runbook, Version: version, Hash: aws.Deref(described.Hash)}, nil
}

// findRunbook looks for the newest version whose content is ours.
func findRunbook(ctx context.Context, s *aws.Services, where string) (version string, exists bool, err error) {
	latest, err := aws.FindDocument(ctx, s, where, names.Runbook, "$LATEST")
	if err != nil || latest == nil {
		return "", false, err
	}
	if sameDocument(aws.Deref(latest.Content), runbookYAML) {
		return aws.Deref(latest.DocumentVersion), true, nil
	}
	newest, err := strconv.Atoi(aws.Deref(latest.DocumentVersion))
	if err != nil {
		return "", true, nil
	}
	for number := newest - 1; number > 0 && number >= newest-versionsBack; number-- {
		older, err := aws.FindDocument(ctx, s, where, names.Runbook, strconv.Itoa(number))
		if err != nil {
			return "", true, err
		}
		if older != nil && sameDocument(aws.Deref(older.Content), runbookYAML) {
			return aws.Deref(older.DocumentVersion), true, nil
		}
	}
	return "", true, nil
}

// longestDocument is Systems Manager's own limit of a document's content.
const longestDocument = 64 << 10

// sameDocument compares what two documents say, since Systems Manager may hand one back in another layout.
func sameDocument(a, b string) bool {
	return a == b || meaning(a) != "" && meaning(a) == meaning(b)
}

// meaning is what a document says, whatever its layout; "" where it cannot be ours. Whoever may write documents in one
// account must not exhaust the worker of all: ours has no aliases, and what has some is not looked into.
func meaning(document string) string {
	parsed, err := strictyaml.Plain(document, longestDocument)
	if err != nil {
		return ""
	}
	text, err := json.Marshal(parsed) // map keys come out sorted
	if err != nil {
		return ""
	}
	return string(text)
}

// checkPinned refuses a version of the runbook that says something else than this worker's own. What a wave was told to
// have pinned decides only which version is asked for: the hash that it names could be any version's.
func checkPinned(ctx context.Context, s *aws.Services, where, version string) error {
	pinned, err := aws.FindDocument(ctx, s, where, names.Runbook, version)
	switch {
	case err != nil:
		return err
	case pinned == nil:
		return once.Final(
			ErrRunbookChanged, "%s: version %s of the runbook %s is gone; start a new wave, which registers it again", where,
			version, names.Runbook,
		)
	case !sameDocument(aws.Deref(pinned.Content), runbookYAML):
		return once.Final(ErrRunbookChanged, "%s: version %s of the runbook %s is not the one of this worker; find out who "+
			"changed it, or whether workers of two versions run, then start a new wave", where, version, names.Runbook)
	}
	return nil
}

// timeoutParameter is what bounds an install on the machine.
const timeoutParameter = "StepTimeoutSeconds"

// requireTimeout refuses a region whose AWS-RunPatchBaseline is older than its time-out: regions get its versions at
// different times, and a command with a parameter that the document does not declare is refused.
func requireTimeout(ctx context.Context, s *aws.Services, where string) error {
	described, err := aws.FindDescription(ctx, s, where, aws.PatchDocument, "$DEFAULT")
	if err != nil || described == nil || len(described.Parameters) == 0 {
		return err
	}
	if slices.ContainsFunc(described.Parameters, func(parameter ssmtypes.DocumentParameter) bool {
		return aws.Deref(parameter.Name) == timeoutParameter
	}) {
		return nil
	}
	return once.Final(
		ErrRejected, "%s: AWS's document %s has no parameter %s in this region, so that no install could be bounded; leave "+
			"the region's groups out of the plan until AWS has renewed the document there", where, aws.PatchDocument,
		timeoutParameter,
	)
}
