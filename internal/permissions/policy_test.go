package permissions_test

import (
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/permissions"
)

var update = flag.Bool("update", false, "write the table of docs/installing.md anew")

const installingPage = "../../docs/installing.md"

// The page, the command and doctor say the same: the page's table is made of the one that the others use.
func TestTheInstallingPageListsThePolicy(t *testing.T) {
	page, err := os.ReadFile(installingPage)
	require.NoError(t, err)
	fresh, after := string(page), ""
	for _, table := range [][2]string{{"lists", permissions.ListsTable()}, {"actions", permissions.Table()}} {
		begin, end := "<!-- begin: "+table[0]+" -->\n", "<!-- end: "+table[0]+" -->"
		before, rest, found := strings.Cut(fresh, begin)
		require.True(t, found, "the page has no mark %q", begin)
		_, after, found = strings.Cut(rest, end)
		require.True(t, found, "the page has no mark %q", end)
		fresh = before + begin + table[1] + end + after
	}
	if *update {
		require.NoError(t, os.WriteFile(installingPage, []byte(fresh), 0o644)) //nolint:gosec // a page of the repository
		return
	}
	require.Equal(t, fresh, string(page), "docs/installing.md is stale: go generate ./internal/permissions")
	for _, action := range permissions.AutomationActions() {
		require.Contains(t, after, "`"+action+"`", "what is said of Automation's role")
	}
}

func TestThePolicyHasWhatTheRoleHasToDoWith(t *testing.T) {
	const role, automation = "arn:aws:iam::111122223333:role/patchtide", "arn:aws:iam::111122223333:role/automation"
	const topic = "arn:aws:sns:ap-northeast-1:111122223333:patching"
	least := permissions.Role{}.Policy()
	require.Len(t, least.Statement, 3)
	require.Equal(t, []string{permissions.WhoChanged}, least.Statement[2].Action)
	require.Equal(t, permissions.Actions(), least.Statement[0].Action)
	require.Equal(t, "*", least.Statement[0].Resource)

	all := permissions.Role{ARN: role, AutomationRole: automation, Topic: topic}.Policy()
	resources := map[string]string{}
	for _, statement := range all.Statement {
		require.Equal(t, "Allow", statement.Effect)
		resources[statement.Sid] = statement.Resource
	}
	require.Equal(t, map[string]string{
		"Patch": "*", "EncryptedVolumes": "*", "Notify": topic, "PassAutomationRole": automation, "AskWhatIsAllowed": role,
		"WhoChangedBaselines": "*",
	}, resources)
	text, err := json.Marshal(all)
	require.NoError(t, err)
	require.Contains(t, string(text), `{"Sid":"PassAutomationRole","Effect":"Allow","Action":["iam:PassRole"],`+
		`"Resource":"`+automation+`","Condition":{"StringEquals":{"iam:PassedToService":"ssm.amazonaws.com"}}}`)
	images := permissions.Role{InstanceRoles: []string{role + "-web"}}.Policy()
	require.Equal(t, permissions.ImageActions(), images.Statement[2].Action)
	require.Contains(t, permissions.ImageActions(), "ec2:RunInstances")
	passed, err := json.Marshal(images.Statement[3])
	require.NoError(t, err)
	require.JSONEq(t, `{"Sid": "PassInstanceRoles", "Effect": "Allow", "Action": ["iam:PassRole"], "Resource": ["`+role+
		`-web"], "Condition": {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}}`, string(passed))
	functions := []string{
		"arn:aws:lambda:ap-northeast-1:111122223333:function:drain:live", "arn:aws:lambda:*:*:function:x",
	}
	hooks, err := json.Marshal(permissions.Role{Functions: functions}.Policy().Statement[2])
	require.NoError(t, err)
	require.JSONEq(t, `{"Sid": "InvokeHooks", "Effect": "Allow", "Action": ["lambda:InvokeFunction"], "Resource": ["`+
		functions[0]+`", "`+functions[1]+`"]}`, string(hooks))
	require.Less(t, len(text), 6144, "the most that a managed policy may have")
}

func TestTrust(t *testing.T) {
	for _, c := range []struct {
		name     string
		document permissions.Document
		want     string
	}{
		{
			"with an external id", permissions.Trust("arn:aws:iam::999900001111:role/worker", "abc"),
			`{"Version": "2012-10-17", "Statement": [{"Sid": "Patchtide", "Effect": "Allow",
				"Principal": {"AWS": "arn:aws:iam::999900001111:role/worker"}, "Action": ["sts:AssumeRole"],
				"Condition": {"StringEquals": {"sts:ExternalId": "abc"}}}]}`,
		},
		{
			"without", permissions.Trust("arn:aws:iam::999900001111:role/worker", ""),
			`{"Version": "2012-10-17", "Statement": [{"Sid": "Patchtide", "Effect": "Allow",
				"Principal": {"AWS": "arn:aws:iam::999900001111:role/worker"}, "Action": ["sts:AssumeRole"]}]}`,
		},
		{
			"Automation's", permissions.AutomationTrust(),
			`{"Version": "2012-10-17", "Statement": [{"Sid": "Automation", "Effect": "Allow",
				"Principal": {"Service": "ssm.amazonaws.com"}, "Action": ["sts:AssumeRole"]}]}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			text, err := json.Marshal(c.document)
			require.NoError(t, err)
			require.JSONEq(t, c.want, string(text))
		})
	}
}

func TestWhatListsOfPackagesNeed(t *testing.T) {
	for _, c := range []struct {
		name, address string
		read          bool
		want          string
	}{
		{
			"the worker puts them", "s3://patchtide-manifests/lists", false,
			`{"Version": "2012-10-17", "Statement": [{"Sid": "PutLists", "Effect": "Allow", "Action": ["s3:PutObject"],
				"Resource": "arn:aws:s3:::patchtide-manifests/lists/*"}]}`,
		},
		{
			"instances read them", "s3://patchtide-manifests/", true,
			`{"Version": "2012-10-17", "Statement": [{"Sid": "ReadLists", "Effect": "Allow", "Action": ["s3:GetObject"],
				"Resource": "arn:aws:s3:::patchtide-manifests/*"}]}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			text, err := json.Marshal(permissions.ListsPolicy(c.address, c.read))
			require.NoError(t, err)
			require.JSONEq(t, c.want, string(text))
		})
	}
}

// Only images and snapshots of ours may be shared, and only where a plan copies some.
func TestWhatCopiesOfImagesNeed(t *testing.T) {
	for _, c := range []struct {
		name string
		role permissions.Role
		want string // of the statement after those that each role has
	}{
		{
			"the account that gets copies",
			permissions.Role{CopyImages: true},
			`{"Sid": "CopyImages", "Effect": "Allow", "Action": ["ec2:CopyImage", "kms:GenerateDataKey"],
				"Resource": "*"}`,
		},
		{
			"the account whose images are copied",
			permissions.Role{ShareImages: true},
			`{"Sid": "ShareImages", "Effect": "Allow", "Action": ["ec2:ModifyImageAttribute", "ec2:ModifySnapshotAttribute"],
				"Resource": "*", "Condition": {"StringLike": {"aws:ResourceTag/patchtide:image": "*"}}}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			document := c.role.Policy()
			require.Len(t, document.Statement, len(permissions.Role{}.Policy().Statement)+1)
			text, err := json.Marshal(document.Statement[2])
			require.NoError(t, err)
			require.JSONEq(t, c.want, string(text))
		})
	}
}
