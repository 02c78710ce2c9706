package baselines_test

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/baselines"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/strictyaml"
)

func TestEmbeddedBaselines(t *testing.T) {
	require.Equal(t, []string{
		"alma-8", "alma-9", "amazon-linux-2", "amazon-linux-2023", "debian-11", "debian-12", "oracle-8", "oracle-9",
		"rhel-8", "rhel-9", "rocky-8", "rocky-9", "sles-15", "ubuntu-20.04", "ubuntu-22.04", "ubuntu-24.04",
		"windows-server-2016", "windows-server-2019", "windows-server-2022", "windows-server-2025",
	}, baselines.Names())
	for _, name := range baselines.Names() {
		b, err := baselines.Load(name)
		require.NoError(t, err)
		require.Equal(t, name, b.Name)
		require.Equal(t, strings.HasPrefix(name, "windows"), b.Platform == patch.Windows)
		require.Equal(t, name, b.PatchGroup)
		require.LessOrEqual(t, len(*b.ToSSM().Description), 1024)
	}
	_, err := baselines.Load("amazon-linux")
	require.EqualError(
		t, err, `there is no baseline "amazon-linux"; known: `+strings.Join(baselines.Names(), ", "),
	)
}

func TestToSSM(t *testing.T) {
	t.Run("Amazon Linux 2023", func(t *testing.T) {
		b, err := baselines.Load("amazon-linux-2023")
		require.NoError(t, err)
		in := b.ToSSM()
		require.Equal(t, "patchtide-amazon-linux-2023", *in.Name)
		require.Equal(t, types.OperatingSystemAmazonLinux2023, in.OperatingSystem)
		require.Contains(t, *in.Description, b.Hash())
		require.Equal(t, []types.PatchRule{
			{
				PatchFilterGroup: &types.PatchFilterGroup{PatchFilters: []types.PatchFilter{
					{Key: types.PatchFilterKeyProduct, Values: []string{"*"}},
					{Key: types.PatchFilterKeyClassification, Values: []string{"Security"}},
					{Key: types.PatchFilterKeySeverity, Values: []string{"Critical"}},
				}},
				ApproveAfterDays: aws.Int32(0), // at once, not "absent": Systems Manager wants one of the two
				ComplianceLevel:  types.PatchComplianceLevelCritical,
			},
			{
				PatchFilterGroup: &types.PatchFilterGroup{PatchFilters: []types.PatchFilter{
					{Key: types.PatchFilterKeyProduct, Values: []string{"*"}},
					{Key: types.PatchFilterKeyClassification, Values: []string{"*"}},
					{Key: types.PatchFilterKeySeverity, Values: []string{"*"}},
				}},
				ApproveAfterDays:  aws.Int32(7),
				ComplianceLevel:   types.PatchComplianceLevelMedium,
				EnableNonSecurity: aws.Bool(true),
			},
		}, in.ApprovalRules.PatchRules)
	})
	t.Run("Windows filters by MSRC_SEVERITY", func(t *testing.T) {
		b, err := baselines.Load("windows-server-2022")
		require.NoError(t, err)
		filters := b.ToSSM().ApprovalRules.PatchRules[0].PatchFilterGroup.PatchFilters
		require.Equal(t, []types.PatchFilter{
			{Key: types.PatchFilterKeyProduct, Values: []string{"WindowsServer2022"}},
			{Key: types.PatchFilterKeyClassification, Values: []string{"SecurityUpdates"}},
			{Key: types.PatchFilterKeyMsrcSeverity, Values: []string{"Critical"}},
		}, filters)
	})
	t.Run("Ubuntu has no delay", func(t *testing.T) {
		b, err := baselines.Load("ubuntu-22.04")
		require.NoError(t, err)
		rule := b.ToSSM().ApprovalRules.PatchRules[0]
		require.Equal(t, aws.Int32(0), rule.ApproveAfterDays, "one without it is refused")
		require.Equal(t, types.PatchFilterKeyPriority, rule.PatchFilterGroup.PatchFilters[1].Key)
	})
}

func TestDiffOfASystemWithoutDelay(t *testing.T) {
	b, err := baselines.Load("ubuntu-22.04")
	require.NoError(t, err)
	for name, days := range map[string]*int32{
		"given back": aws.Int32(0), "left out": nil, "without an effect": aws.Int32(7),
	} {
		t.Run(name, func(t *testing.T) {
			got := asRead(b)
			for n := range got.ApprovalRules.PatchRules {
				got.ApprovalRules.PatchRules[n].ApproveAfterDays = days
			}
			require.Empty(t, b.Diff(got))
		})
	}
}

const everything = `name: bad
description: All that a file may say.
operating_system: %s
approved_patches: ['kernel-6.1*']
approved_compliance_level: HIGH
rejected_patches: [vim]
rejected_action: ALLOW_AS_DEPENDENCY
exceptions: [{patch: 'docker*', owner: ann, reason: breaks the runtime, until: 2026-12-31}]
%s`

// Whatever a file says is told to Systems Manager, and not found to differ afterwards.
func TestAllThatAFileSays(t *testing.T) {
	linux, err := baselines.Parse("bad.yaml", fmt.Appendf(nil, everything, "ROCKY_LINUX", `approved_enable_non_security: true
sources: [{name: ours, products: [RockyLinux9.4], configuration: "[ours]\nbaseurl=https://example.com"}]
rules: [{name: frozen, approve_until: 2026-11-15, compliance_level: LOW}]
`))
	require.NoError(t, err)
	in := linux.ToSSM()
	require.Equal(t, []string{"vim", "docker*"}, in.RejectedPatches)
	require.Equal(t, types.PatchActionAllowAsDependency, in.RejectedPatchesAction)
	require.Equal(t, types.PatchComplianceLevelHigh, in.ApprovedPatchesComplianceLevel)
	require.True(t, *in.ApprovedPatchesEnableNonSecurity)
	require.Equal(t, "ours", *in.Sources[0].Name)
	require.Equal(t, "2026-11-15", *in.ApprovalRules.PatchRules[0].ApproveUntilDate)
	require.Nil(t, in.ApprovalRules.PatchRules[0].ApproveAfterDays, "only one of them is taken")
	require.Empty(t, linux.Diff(asRead(linux)))

	windows, err := baselines.Parse("bad.yaml", fmt.Appendf(nil, everything, "WINDOWS", `rules:
  - {name: system, approve_after_days: 7, products: [WindowsServer2022]}
  - {name: office, patch_set: APPLICATION, product_families: [Office], products: ["Office 2019"], approve_after_days: 7}
`))
	require.NoError(t, err)
	require.Equal(t, []types.PatchFilter{
		{Key: types.PatchFilterKeyPatchSet, Values: []string{"APPLICATION"}},
		{Key: types.PatchFilterKeyProductFamily, Values: []string{"Office"}},
		{Key: types.PatchFilterKeyProduct, Values: []string{"Office 2019"}},
	}, windows.ToSSM().ApprovalRules.PatchRules[1].PatchFilterGroup.PatchFilters)
	require.Empty(t, windows.Diff(asRead(windows)))
}

func TestDiffOfSources(t *testing.T) {
	b, err := baselines.Parse("bad.yaml", fmt.Appendf(nil, everything, "ROCKY_LINUX", `sources:
  - {name: gone, products: [a], configuration: x}
  - {name: moved, products: [a], configuration: x}
  - {name: other, products: [a], configuration: secret}
rules: [{name: all, approve_after_days: 7}]
`))
	require.NoError(t, err)
	got := asRead(b)
	got.Sources = []types.PatchSource{
		{Name: aws.String("moved"), Products: []string{"b"}, Configuration: aws.String("x")},
		{Name: aws.String("other"), Products: []string{"a"}, Configuration: aws.String("also secret")},
		{Name: aws.String("new")},
	}
	require.Equal(t, []string{
		`patch source "gone" is missing`, `patch source "moved" is for "b", should be for "a"`,
		`patch source "other" has another configuration`, `patch source "new" was added`,
	}, b.Diff(got))
}

// An exception rejects until somebody has decided anew; that its day is over is told.
func TestAnExceptionThatIsOver(t *testing.T) {
	b, err := baselines.Parse("bad.yaml", fmt.Appendf(nil, everything, "UBUNTU", "rules: [{name: all}]\n"))
	require.NoError(t, err)
	day := time.Date(2026, 12, 31, 23, 59, 59, 0, time.UTC)
	require.Empty(t, b.Over(day))
	require.Equal(t, b.Exceptions, b.Over(day.Add(time.Second)))
	require.Contains(t, b.ToSSM().RejectedPatches, "docker*")
}

// asRead is what Systems Manager answers for a baseline that was created from the file and registered for its group.
func asRead(b baselines.Baseline) *ssm.GetPatchBaselineOutput {
	in := b.ToSSM()
	return &ssm.GetPatchBaselineOutput{
		Name: in.Name, Description: in.Description, OperatingSystem: in.OperatingSystem, ApprovalRules: in.ApprovalRules,
		ApprovedPatches: in.ApprovedPatches, RejectedPatches: in.RejectedPatches,
		RejectedPatchesAction: in.RejectedPatchesAction, PatchGroups: []string{b.PatchGroup}, Sources: in.Sources,
		ApprovedPatchesComplianceLevel: cmp.Or(
			in.ApprovedPatchesComplianceLevel, types.PatchComplianceLevelUnspecified,
		),
		ApprovedPatchesEnableNonSecurity: aws.Bool(aws.ToBool(in.ApprovedPatchesEnableNonSecurity)),
	}
}

func TestDiff(t *testing.T) {
	load := func(t *testing.T) baselines.Baseline {
		b, err := baselines.Load("amazon-linux-2023")
		require.NoError(t, err)
		return b
	}
	for _, c := range []struct {
		name   string
		change func(*ssm.GetPatchBaselineOutput)
		want   []string
	}{
		{"equal", func(*ssm.GetPatchBaselineOutput) {}, nil},
		{"order of filters does not matter", func(o *ssm.GetPatchBaselineOutput) {
			f := o.ApprovalRules.PatchRules[0].PatchFilterGroup.PatchFilters
			f[0], f[2] = f[2], f[0]
		}, nil},
		{"delay", func(o *ssm.GetPatchBaselineOutput) { o.ApprovalRules.PatchRules[1].ApproveAfterDays = aws.Int32(14) }, []string{
			`rule 2 (the rest after 7 days), approval is "after 14 days", should be "after 7 days"`,
		}},
		{"a filter that matches everything is none", func(o *ssm.GetPatchBaselineOutput) {
			o.ApprovalRules.PatchRules[1].PatchFilterGroup = nil
		}, nil},
		{"a rule's parts", func(o *ssm.GetPatchBaselineOutput) {
			rule := &o.ApprovalRules.PatchRules[0]
			rule.PatchFilterGroup.PatchFilters[1].Values = []string{"Security", "Bugfix"}
			rule.PatchFilterGroup.PatchFilters[2].Values = []string{"*"}
			rule.ComplianceLevel, rule.EnableNonSecurity = types.PatchComplianceLevelLow, aws.Bool(true)
		}, []string{
			`rule 1 (critical security at once), CLASSIFICATION is "Bugfix,Security", should be "Security"`,
			`rule 1 (critical security at once), SEVERITY is "*", should be "Critical"`,
			`rule 1 (critical security at once), compliance level is "LOW", should be "CRITICAL"`,
			`rule 1 (critical security at once), non-security is "true", should be "false"`,
		}},
		{"rule removed", func(o *ssm.GetPatchBaselineOutput) { o.ApprovalRules.PatchRules = o.ApprovalRules.PatchRules[:1] }, []string{
			`rule 2 is missing: CLASSIFICATION=* PRODUCT=* SEVERITY=* after 7 days as MEDIUM with non-security`,
		}},
		{"rule added by hand", func(o *ssm.GetPatchBaselineOutput) {
			o.ApprovalRules.PatchRules = append(
				o.ApprovalRules.PatchRules, types.PatchRule{ApproveUntilDate: aws.String("2026-01-01")},
			)
		}, []string{`rule 3 was added: no filter until 2026-01-01 as UNSPECIFIED`}},
		{"no rules at all", func(o *ssm.GetPatchBaselineOutput) { o.ApprovalRules = nil }, []string{
			`rule 1 is missing: CLASSIFICATION=Security PRODUCT=* SEVERITY=Critical after 0 days as CRITICAL`,
			`rule 2 is missing: CLASSIFICATION=* PRODUCT=* SEVERITY=* after 7 days as MEDIUM with non-security`,
		}},
		{"everything else", func(o *ssm.GetPatchBaselineOutput) {
			o.Name, o.Description, o.OperatingSystem = aws.String("x"), nil, types.OperatingSystemUbuntu
			o.ApprovedPatches, o.RejectedPatches, o.RejectedPatchesAction = []string{"b", "a"}, []string{"docker"}, ""
			o.ApprovedPatchesComplianceLevel, o.ApprovedPatchesEnableNonSecurity = types.PatchComplianceLevelHigh, aws.Bool(true)
			o.GlobalFilters = &types.PatchFilterGroup{
				PatchFilters: []types.PatchFilter{{Key: types.PatchFilterKeyProduct, Values: []string{"z"}}},
			}
			o.Sources = []types.PatchSource{{Name: aws.String("mine")}}
			o.PatchGroups = nil
		}, []string{
			`name is "x", should be "patchtide-amazon-linux-2023"`,
			`operating system is "UBUNTU", should be "AMAZON_LINUX_2023"`,
			`description is nothing, should be "Critical security at once, the rest after 7 days. Managed by Patchtide, content HASH."`,
			`approved patches is "a,b", should be nothing`,
			`approved patches' compliance level is "HIGH", should be "UNSPECIFIED"`,
			`approved patches' non-security is "true", should be "false"`,
			`rejected patches is "docker", should be nothing`,
			`rejected patches' action is "ALLOW_AS_DEPENDENCY", should be "BLOCK"`,
			`global filters is "PRODUCT=z", should be nothing`,
			`patch source "mine" was added`,
			`patch group "amazon-linux-2023" is not registered`,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := load(t)
			got := asRead(b)
			c.change(got)
			for i := range c.want {
				c.want[i] = strings.ReplaceAll(c.want[i], "HASH", b.Hash())
			}
			require.Equal(t, c.want, b.Diff(got))
		})
	}
}

func TestMistakes(t *testing.T) {
	files, err := filepath.Glob("testdata/mistakes/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			var want []string
			for line := range strings.Lines(string(data)) {
				if message, ok := strings.CutPrefix(line, "# want: "); ok {
					want = append(want, strings.TrimSpace(message))
				}
			}
			_, err = baselines.Parse("bad.yaml", data)
			require.EqualError(t, err, strings.Join(want, "\n"))
		})
	}
}

func TestUsersDirectory(t *testing.T) {
	write := func(t *testing.T, name, text string) string {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
		return dir
	}
	const own = "description: Everything after two weeks.\noperating_system: AMAZON_LINUX_2\nrules: [{name: all, " +
		"approve_after_days: 14}]\n"

	t.Run("adds", func(t *testing.T) {
		catalog, err := baselines.Open(write(t, "ours.yaml", "name: ours\n"+own))
		require.NoError(t, err)
		require.Contains(t, catalog.Names(), "ours")
		require.Len(t, catalog.Names(), len(baselines.Names())+1)
	})
	t.Run("does not replace a built-in one", func(t *testing.T) {
		_, err := baselines.Open(write(t, "ubuntu-22.04.yaml", "name: ubuntu-22.04\n"+own))
		require.ErrorContains(t, err, "ubuntu-22.04 is a built-in baseline's name; choose another")
	})
	t.Run("is not the same in Systems Manager as another", func(t *testing.T) {
		const adopted = "name: ours\nssm_name: patchtide-ubuntu-22.04\noperating_system: UBUNTU\nrules: [{name: all}]\n"
		_, err := baselines.Open(write(t, "ours.yaml", adopted))
		require.ErrorContains(t, err, "ours is called patchtide-ubuntu-22.04 in Systems Manager, and so is ubuntu-22.04")
		_, err = baselines.Open(write(t, "ours.yaml", strings.Replace(adopted, "UBUNTU", "DEBIAN", 1)))
		require.NoError(t, err, "Systems Manager finds it by its system, too")
	})
	t.Run("mistakes carry the path", func(t *testing.T) {
		dir := write(t, "ours.yaml", "name: ours\nrule: []\n"+own)
		_, err := baselines.Open(dir)
		require.ErrorContains(t, err, filepath.Join(dir, "ours.yaml")+":2: rule: unknown key; did you mean rules?")
	})
	t.Run("missing directory", func(t *testing.T) {
		_, err := baselines.Open(filepath.Join(t.TempDir(), "none"))
		require.ErrorIs(t, err, os.ErrNotExist)
		require.ErrorContains(t, err, "none cannot be read: no such file or directory; give a directory")
	})
}

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/mistakes/*.yaml")
	require.NoError(f, err)
	for _, file := range append(files, "amazon-linux-2023.yaml") {
		data, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := baselines.Parse("bad.yaml", data)
		if err == nil {
			require.NotEmpty(t, b.ToSSM().ApprovalRules.PatchRules)
			require.Empty(t, b.Diff(asRead(b)))
			return
		}
		var all strictyaml.Errors
		require.True(t, errors.As(err, &all), "%v", err)
		for _, one := range all {
			require.Positive(t, one.Line)
			require.NotEmpty(t, one.Message)
		}
	})
}
