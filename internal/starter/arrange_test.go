package starter

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/config"
)

func names(plans []Plan) (all []string) {
	for _, plan := range plans {
		text := plan.Name + " " + plan.Baseline + ":"
		for _, stage := range plan.Stages {
			for _, group := range stage.Groups {
				text += " " + stage.Name + "=" + group.Account + "/" + group.Name()
			}
		}
		all = append(all, text)
	}
	return all
}

func TestPlans(t *testing.T) {
	const linux, windows = "amazon-linux-2023", "windows-server-2022"
	group := func(account, name, role, environment, baseline string) Group {
		return Group{
			Account: account, Region: "ap-northeast-1", AutoScalingGroup: name, Role: role, Environment: environment,
			Baseline: baseline,
		}
	}
	for _, tc := range []struct {
		name   string
		groups []Group
		want   []string
	}{
		{
			"by account",
			[]Group{group("production", "web", "web", "", linux), group("staging", "web", "web", "", linux)},
			[]string{"web " + linux + ": staging=staging/web production=production/web"},
		},
		{
			"the environment counts more",
			[]Group{group("staging", "a", "web", "Production", linux), group("main", "b", "web", "QA", linux)},
			[]string{"web " + linux + ": staging=main/b production=staging/a"},
		},
		{
			"what nobody says is production",
			[]Group{group("main", "b", "web", "", linux), group("main", "a", "web", "blue", linux)},
			[]string{"web " + linux + ": production=main/a production=main/b"},
		},
		{
			"pre-production is none",
			[]Group{group("main", "a", "web", "pre-prod", linux)},
			[]string{"web " + linux + ": staging=main/a"},
		},
		{
			"roles apart",
			[]Group{group("main", "b", "web", "", linux), group("main", "a", "api", "", linux)},
			[]string{"api " + linux + ": production=main/a", "web " + linux + ": production=main/b"},
		},
		{
			"systems apart",
			[]Group{group("main", "a", "web", "", windows), group("main", "b", "web", "", linux)},
			[]string{
				"web-" + linux + " " + linux + ": production=main/b", "web-" + windows + " " + windows + ": production=main/a",
			},
		},
		{
			"a name that no plan may have",
			[]Group{group("main", "a", "web: (blue) é", "", linux)},
			[]string{"web-blue " + linux + ": production=main/a"},
		},
		{"nothing", nil, nil},
	} {
		t.Run(tc.name, func(t *testing.T) { require.Equal(t, tc.want, names(Plans(tc.groups))) })
	}
}

func TestBaselines(t *testing.T) {
	for agent, want := range map[[2]string]string{
		{"Amazon Linux", "2023"}: "amazon-linux-2023", {"Amazon Linux", "2"}: "amazon-linux-2",
		{"Ubuntu", "22.04"}: "ubuntu-22.04", {"Ubuntu", "24.04"}: "ubuntu-24.04", {"Ubuntu", "18.04"}: "",
		{"Debian GNU/Linux", "12"}: "debian-12", {"Debian GNU/Linux", "10"}: "",
		{"Red Hat Enterprise Linux", "8.9"}: "rhel-8", {"Red Hat Enterprise Linux", "9.8"}: "rhel-9",
		{"Red Hat Enterprise Linux Server", "7.9"}: "", {"Red Hat Enterprise Linux", "10.0"}: "",
		{"Rocky Linux", "9.4"}: "rocky-9", {"AlmaLinux", "8.10"}: "alma-8", {"Oracle Linux Server", "9.3"}: "oracle-9",
		{"SLES", "15.5"}: "sles-15", {"CentOS Stream", "9"}: "",
		{"Microsoft Windows Server 2022 Datacenter", "10.0.20348"}: "windows-server-2022",
		{"Microsoft Windows Server 2012 R2 Standard", "6.3.9600"}:  "", {"Fedora", "40"}: "",
	} {
		require.Equal(t, want, baselineFor(agent[0], agent[1]), agent)
	}
}

// What people put into tags and names must not break the file.
func TestTheFileSurvivesWhatIsInTags(t *testing.T) {
	fleet := Fleet{
		Accounts: []Account{
			{
				Name: "main", ID: "011122223333", RoleARN: "arn:aws:iam::011122223333:role/patchtide",
				Regions: []string{"ap-northeast-1"},
			},
		},
		Groups: []Group{
			{
				Account: "main", Region: "ap-northeast-1", Tags: map[string]string{"Role": `a: "b" #c, {d}`}, Role: `a: "b"`,
				Baseline: "amazon-linux-2023", Instances: 1,
			},
			{
				Account: "main", Region: "ap-northeast-1", AutoScalingGroup: "yes", Role: "yes", Baseline: "amazon-linux-2023",
				Instances: 2, Check: &HTTPCheck{Path: "/h?a=b:c", Port: 8080},
			},
		},
		LeftOut: []LeftOut{{"main/ap-northeast-1/x", "because"}},
	}
	text, err := Write(
		"patchtide.yaml", fleet, Settings{Evidence: "s3://bucket/prefix", JournalKeyFrom: "ssm:/patchtide/journal-key"},
	)
	require.NoError(t, err)
	require.NotContains(t, string(text), "single_worker")
	loaded, err := config.Parse("patchtide.yaml", text, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"a-b", "yes"}, loaded.PlanNames())
	plan, err := loaded.Plan("a-b")
	require.NoError(t, err)
	require.Equal(t, `a: "b" #c, {d}`, plan.Stages[0].Groups[0].Tags["Role"])
	plan, err = loaded.Plan("yes")
	require.NoError(t, err)
	require.Equal(t, "/h?a=b:c", plan.Stages[0].Health[1].HTTP.Path)

	_, err = Write("patchtide.yaml", fleet, Settings{Evidence: "./e", JournalKeyFrom: "nonsense"})
	require.ErrorContains(t, err, "journal_key_from")
	require.Equal(t, 1, strings.Count(string(text), "# Seen and left out:"))
}
