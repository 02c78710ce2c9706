package aws

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Whether a document that nobody knows installs patches is read from what is in it, and what cannot be told is said.
func TestWhatADocumentDoes(t *testing.T) {
	shell := func(command string) string {
		return `{"schemaVersion":"2.2","mainSteps":[{"action":"aws:runShellScript","inputs":{"runCommand":["set -e","` +
			command + `"]}}]}`
	}
	nested := func(name string) string {
		return "schemaVersion: '2.2'\nmainSteps:\n  - action: aws:runDocument\n    inputs: {documentType: SSMDocument, " +
			"documentPath: \"" + name + "\"}\n"
	}
	automation := func(operation string) string {
		return "schemaVersion: '0.3'\nmainSteps:\n  - action: aws:runCommand\n    inputs:\n" +
			"      DocumentName: AWS-RunPatchBaseline\n      Parameters:\n        Operation: " + operation + "\n"
	}
	for _, c := range []struct {
		name, content string
		parameters    map[string][]string
		installs      bool
		unsure        string
		runs          []string
	}{
		{name: "yum update", content: shell("yum -y update"), installs: true},
		{name: "dnf upgrade of one", content: shell("sudo dnf upgrade -y openssl"), installs: true},
		{name: "apt", content: shell("DEBIAN_FRONTEND=noninteractive apt-get -y dist-upgrade"), installs: true},
		{
			name: "apt, unattended", installs: true,
			content: "mainSteps:\n  - inputs:\n      runCommand:\n        - apt-get -o Dpkg::Options::=\"--force-confold\" -y upgrade\n",
		},
		{name: "yum over two lines", content: "runCommand: |\n  yum -y \\\n    update\n", installs: true},
		{name: "unattended-upgrade", content: shell("sudo unattended-upgrade -d"), installs: true},
		{name: "unattended-upgrades is switched off", content: shell("systemctl disable --now unattended-upgrades")},
		{name: "unattended-upgrades is taken away", content: shell("apt-get -y purge unattended-upgrades")},
		{name: "dnf-automatic", content: shell("systemctl enable --now dnf-automatic-install.timer"), installs: true},
		{name: "two commands", content: shell(`yum -y install httpd","echo update`)},
		{
			name: "a declared operation", parameters: map[string][]string{"Operation": {"Scan"}},
			content: "parameters:\n  Operation:\n    type: String\n" + automation("'{{ Operation }}'"),
		},
		{name: "zypper", content: shell("zypper --non-interactive patch"), installs: true},
		{name: "of Windows", content: shell("Install-WindowsUpdate -AcceptAll"), installs: true},
		{name: "looks for updates only", content: shell("yum check-update; apt-get update")},
		{name: "installs something of its own", content: shell("yum install -y httpd")},
		{name: "a word of an echo", content: shell("echo yum; systemctl restart update-agent")},
		{name: "a script by parameter", content: shell("{{ commands }}"), parameters: map[string][]string{
			"commands": {"cd /tmp", "apt-get update", "apt-get -y upgrade"},
		}, installs: true},
		{name: "a runbook that installs", content: automation("Install"), installs: true},
		{name: "a runbook that scans", content: automation("Scan")},
		{name: "a runbook as it is told", content: automation("'{{ Operation }}'"), installs: true},
		{name: "a runbook that is told to scan", content: automation("'{{ Operation }}'"), parameters: map[string][]string{
			"Operation": {"Scan"},
		}},
		{name: "runs another", content: nested("Company-Monthly"), runs: []string{"Company-Monthly"}},
		{name: "runs AWS's own", content: nested("AWS-RunPatchBaseline"), installs: true},
		{
			name: "runs what it is told", content: nested("{{ documentPath }}"), unsure: "which document it runs",
		},
		{
			name: "runs what it is told, and that is known", content: nested("{{ documentPath }}"),
			parameters: map[string][]string{"documentPath": {"Company-Monthly"}}, runs: []string{"Company-Monthly"},
		},
		{
			name: "runs what it downloads", content: `{"mainSteps":[{"action":"aws:downloadContent"}]}`,
			unsure: "what is not in it",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := readContent(c.content, c.parameters)
			require.Equal(t, c.installs, found.installs)
			require.Equal(t, c.runs, found.runs)
			if c.unsure == "" {
				require.Empty(t, found.unsure)
			} else {
				require.Contains(t, found.unsure, c.unsure)
			}
		})
	}
}

func TestADocumentsName(t *testing.T) {
	for id, name := range map[string]string{
		"AWS-RunPatchBaseline": "AWS-RunPatchBaseline",
		"arn:aws:ssm:ap-northeast-1:111122223333:document/Company-Monthly":    "Company-Monthly",
		"arn:aws:ssm:ap-northeast-1:111122223333:document/Company-Monthly:$1": "Company-Monthly",
	} {
		require.Equal(t, name, documentName(id))
	}
}
