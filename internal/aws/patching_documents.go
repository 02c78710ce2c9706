package aws

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// patchDocuments are AWS's documents that install patches.
var patchDocuments = []string{
	"AWS-RunPatchBaseline", "AWS-RunPatchBaselineAssociation", "AWS-RunPatchBaselineWithHooks", "AWS-ApplyPatchBaseline",
	"AWS-InstallWindowsUpdates", "AWS-FindWindowsUpdates", "AWS-InstallMissingWindowsUpdates",
	"AWS-InstallSpecificWindowsUpdates", "AWS-PatchAsgInstance", "AWS-PatchInstanceWithRollback",
}

// otherDocuments are those of AWS that run in many accounts and install no patches: they are not read.
var otherDocuments = []string{
	"AWS-GatherSoftwareInventory", "AWS-UpdateSSMAgent", "AWS-ConfigureAWSPackage", "AWS-ConfigureCloudWatch",
	"AmazonCloudWatch-ManageAgent", "AmazonInspector2-InvokeInspectorSsmPlugin", "AWS-RunInspectorChecks",
}

// quickSetup begins the names of the documents that Quick Setup makes in each account of an organisation. AWS publishes
// neither their whole names nor what is in them, but for its policy of AWSQuickSetupPatchPolicyLambdaExecutionPolicy,
// which names document/AWSQuickSetup-*, and associations named AWS-QuickSetup-PatchPolicy-InstallPatches-... and
// ...-ScanForPatches-...
const quickSetup = "AWSQuickSetup-"

// deepest is how many documents that run one another are followed.
const deepest = 4

// reads is what can be told of a run of a document.
type reads struct {
	installs bool   // patches, or nobody knows that it only scans for them
	unsure   string // why it is not known whether it does; "" where it is
}

// documentReader reads what documents do, each once.
type documentReader struct {
	s     *Services
	where string
	read  map[string]document
}

// document is one that was read, or why it could not be.
type document struct{ content, unsure string }

func newDocumentReader(s *Services, where string) documentReader {
	return documentReader{s: s, where: where, read: map[string]document{}}
}

// of tells whether a run of a document with these parameters may install patches: of AWS's own by their names, of any
// other by what is in it, in what it runs, and in what it is given to run.
func (r documentReader) of(ctx context.Context, name string, parameters map[string][]string) (reads, error) {
	return r.within(ctx, name, parameters, deepest)
}

func (r documentReader) within(
	ctx context.Context, id string, parameters map[string][]string, depth int,
) (reads, error) {
	switch name := documentName(id); {
	case slices.Contains(patchDocuments, name):
		operation := parameters["Operation"]
		return reads{installs: len(operation) != 1 || operation[0] != "Scan"}, nil
	case slices.Contains(otherDocuments, name):
		return reads{}, nil
	case strings.HasPrefix(name, quickSetup) && strings.Contains(name, "PatchPolicy-InstallPatches"):
		return reads{installs: true}, nil
	case strings.HasPrefix(name, quickSetup) && strings.Contains(name, "Scan"):
		return reads{}, nil
	case depth == 0:
		return reads{unsure: "documents run documents, too deep to be followed"}, nil
	}
	of, err := r.content(ctx, id)
	if err != nil || of.unsure != "" {
		return reads{unsure: of.unsure}, err
	}
	found := readContent(of.content, parameters)
	for _, nested := range found.runs {
		if found.installs {
			break
		}
		// What a document hands on of its parameters is not followed: those of the same names are taken to be.
		deeper, err := r.within(ctx, nested, parameters, depth-1)
		if err != nil {
			return reads{}, err
		}
		found.installs = deeper.installs
		if found.unsure == "" && deeper.unsure != "" {
			found.unsure = "it runs " + nested + ", and " + deeper.unsure
		}
	}
	return found.reads, nil
}

// documentName is a document's name without what an ARN has before it, and a version behind.
func documentName(id string) string {
	name := id[strings.LastIndex(id, "/")+1:]
	name, _, _ = strings.Cut(name, ":")
	return name
}

func (r documentReader) content(ctx context.Context, id string) (document, error) {
	if known, ok := r.read[id]; ok {
		return known, nil
	}
	out, err := r.s.SSM.GetDocument(ctx, &ssm.GetDocumentInput{Name: &id})
	of := document{}
	switch kind := KindOf(err); {
	case err == nil:
		of.content = Deref(out.Content)
	case IsNotFound(err):
		of.unsure = "there is no such document"
	case slices.Contains([]string{Denied, Unrecognized, Refused}, kind):
		of.unsure = "it cannot be read (allow ssm:GetDocument)"
	default:
		return of, Wrap("read the document "+id, r.where, err)
	}
	r.read[id] = of
	return of, nil
}

// readings is what one document's content tells.
type readings struct {
	reads
	runs []string // documents that it runs
}

var (
	// runsDocument is a step that runs a document, in YAML, in JSON and in a script: DocumentName: X, "documentPath": "X".
	runsDocument = regexp.MustCompile(
		`(?:DocumentName|documentPath)["']?\s*[:=]\s*(?:"([^"]*)"|'([^']*)'|([^\s,"'{}\[\]#]+))`)
	// operates is the parameter of AWS's documents that tells an install from a scan.
	operates  = regexp.MustCompile(`Operation["']?\s*[:=]\s*\[?[\s-]*["']?(\w+|\{\{\s*\w+\s*\}\})`)
	parameter = regexp.MustCompile(`\{\{\s*(?:global:)?(\w+)\s*\}\}`)
	// options are what may stand between a command and its verb, on further lines too.
	options = `(?:[^\n\\;&|"']|=(?:"[^"\n]*"|'[^'\n]*')|\\\r?\n|\\["'])*`
	// updates are commands that bring a system's packages up to date.
	updates = regexp.MustCompile(`(?i)` + strings.Join([]string{
		`\b(?:yum|dnf|microdnf|tdnf)\b` + options + `\s(?:update|upgrade|distro-sync)(?:-minimal)?(?:[^-\w]|$)`,
		`\b(?:apt|apt-get|aptitude)\b` + options + `\s(?:upgrade|dist-upgrade|full-upgrade|safe-upgrade)(?:[^-\w]|$)`,
		// The command; who disables or removes the package of that name installs nothing.
		`(?:^|[\n;&|"'\[,/]|sudo|-\s)\s*unattended-upgrades?\b`,
		`\benable\b[^\n;&|]*\bdnf-automatic-install\.timer\b`,
		`\bzypper\b` + options + `\s(?:patch|update|up|dup|dist-upgrade)(?:[^-\w]|$)`,
		`\b(?:Install-WindowsUpdate|Get-WUInstall|Start-WUInstall|CreateUpdateInstaller)\b`,
		`\bwusa(?:\.exe)?\s`, `\bUsoClient(?:\.exe)?\s+(?:StartInstall|ScanInstallWait)\b`,
	}, "|"))
	// unread are steps that run what is not in the document.
	unread = []string{"aws:downloadContent", "aws:invokeLambdaFunction", "aws:executeStateMachine"}
)

// readContent tells what a document's own words do, with these parameters. Where it cannot tell an install from a scan
// it is an install.
func readContent(content string, parameters map[string][]string) readings {
	var found readings
	whole := []string{content}
	for _, values := range parameters {
		whole = append(whole, values...)
	}
	scans, operations := true, operates.FindAllStringSubmatch(content, -1)
	operations = slices.DeleteFunc(operations, func(operation []string) bool {
		return operation[1] == "type" // where the parameter is declared
	})
	for _, operation := range operations {
		for _, value := range given(operation[1], parameters) {
			scans = scans && value == "Scan"
		}
	}
	scans = scans && len(operations) > 0
	for _, text := range whole {
		found.installs = found.installs || updates.MatchString(text)
		for _, name := range patchDocuments {
			if regexp.MustCompile(regexp.QuoteMeta(name) + `(?:[^\w-]|$)`).MatchString(text) {
				found.installs = found.installs || !scans
			}
		}
	}
	for _, step := range unread {
		if strings.Contains(content, step) {
			found.unsure = "it runs what is not in it (" + step + ")"
		}
	}
	for _, match := range runsDocument.FindAllStringSubmatch(content, -1) {
		for _, name := range given(strings.Join(match[1:], ""), parameters) {
			switch {
			case strings.Contains(name, "{{") || name == "":
				found.unsure = "which document it runs is not known beforehand"
			case slices.Contains(patchDocuments, documentName(name)): // judged above, with its operation
			default:
				found.runs = append(found.runs, name)
			}
		}
	}
	return found
}

// given is a value as it will be: of a parameter, what it is given.
func given(value string, parameters map[string][]string) []string {
	named := parameter.FindStringSubmatch(value)
	if named == nil || len(parameters[named[1]]) == 0 {
		return []string{value}
	}
	return parameters[named[1]]
}
