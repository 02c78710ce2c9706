package world

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// critical7 approves critical security at once and the rest after seven days.
func critical7(t *testing.T, r *Region) *Baseline {
	t.Helper()
	now, week := 0, 7
	b, err := r.CreateBaseline(Baseline{
		Name: "patchtide-amazon-linux-2023", OS: "AMAZON_LINUX_2023",
		Rules: []ApprovalRule{
			{
				AfterDays: &now,
				Filters: []PatchFilter{
					{"PRODUCT", []string{"*"}}, {"CLASSIFICATION", []string{"Security"}}, {"SEVERITY", []string{"Critical"}},
				},
			},
			{AfterDays: &week, Filters: []PatchFilter{{"PRODUCT", []string{"*"}}}},
		},
	})
	require.NoError(t, err)
	require.NoError(t, r.RegisterPatchGroup("amazon-linux-2023", b.ID))
	return b
}

func patchNow(t *testing.T, i *Instance, parameters map[string]string) *Invocation {
	t.Helper()
	spec := SendSpec{Document: "AWS-RunPatchBaseline", Instances: []string{i.ID}, Parameters: map[string][]string{}}
	for name, value := range parameters {
		spec.Parameters[name] = []string{value}
	}
	command, err := i.Region.Send(spec)
	require.NoError(t, err)
	return command.Invocations[0]
}

func TestScanReportsWhatTheBaselineApproves(t *testing.T) {
	w := newWorld(t, "healthy")
	r := staging(w)
	i := r.Instances()[0]
	baseline := critical7(t, r)
	token := uuid.NewString()
	v := patchNow(t, i, map[string]string{"Operation": "Scan", "SnapshotId": token})
	elapse(t, w, 20*time.Second)
	require.Equal(t, "InProgress", v.Status)
	require.Nil(t, r.PatchState(i.ID), "nothing is reported before it has ended")
	elapse(t, w, 20*time.Second)
	require.Equal(t, "Success", v.Status, v.Stderr)
	state := r.PatchState(i.ID)
	require.Equal(t, 6, state.Count("Missing"), "vim is three days old: not approved")
	require.Equal(t, []int{6, 7}, []int{i.Missing(), i.BehindBy()})
	require.Equal(t, token, state.SnapshotID)
	require.Equal(t, baseline.ID, state.BaselineID)
	require.Equal(t, "amazon-linux-2023", state.PatchGroup)
	require.False(t, state.End.Before(state.Start.Add(30*time.Second)))
}

func TestInstallAndReboot(t *testing.T) {
	w := newWorld(t, "healthy")
	r := staging(w)
	i := r.Instances()[0]
	critical7(t, r)
	before := factsOf(t, i)
	v := patchNow(t, i, map[string]string{"Operation": "Install"})
	elapse(t, w, 95*time.Second)
	require.Equal(t, "InProgress", v.Status)
	require.False(t, i.Up(), "it reboots")
	elapse(t, w, 60*time.Second)
	require.Equal(t, "Success", v.Status)
	after := factsOf(t, i)
	require.NotEqual(t, before.BootID, after.BootID)
	require.NotEqual(t, before.PackagesSHA256, after.PackagesSHA256)
	require.Equal(t, "0:6.1.141-155.222.amzn2023", after.Kernel)
	require.False(t, after.PendingReboot)
	state := r.PatchState(i.ID)
	require.Zero(t, state.Count("Missing"), "an install lists nothing as missing")
	require.Equal(t, []int{0, 1}, []int{i.Missing(), i.BehindBy()}, "vim is newer than the baseline approves")
	require.Equal(t, 6, state.Count("Installed"))
	elapse(t, w, 15*time.Second)
	require.True(t, i.AppHealthy())

	patchNow(t, i, map[string]string{"Operation": "Scan"})
	elapse(t, w, time.Minute)
	require.Zero(t, r.PatchState(i.ID).Count("Missing"), "any scan overwrites the report")
	require.Equal(t, "Scan", r.PatchState(i.ID).Operation)

	boot := i.BootID()
	patchNow(t, i, map[string]string{"Operation": "Install"})
	elapse(t, w, 3*time.Minute)
	require.Equal(t, boot, i.BootID(), "nothing to install, no reboot")
}

func TestInstallWithoutReboot(t *testing.T) {
	w := newWorld(t, "healthy")
	r := staging(w)
	i := r.Instances()[0]
	critical7(t, r)
	before := factsOf(t, i)
	v := patchNow(t, i, map[string]string{"Operation": "Install", "RebootOption": "NoReboot"})
	elapse(t, w, 2*time.Minute)
	require.Equal(t, "Success", v.Status)
	after := factsOf(t, i)
	require.Equal(t, before.BootID, after.BootID)
	require.Equal(t, before.Kernel, after.Kernel, "the new kernel does not run yet")
	require.True(t, after.PendingReboot)
	// The guide: not that each of them needs a reboot, only that there was none since.
	require.Equal(t, 6, r.PatchState(i.ID).Count("InstalledPendingReboot"))
	require.NoError(t, i.Reboot())
	elapse(t, w, 2*time.Minute)
	require.False(t, factsOf(t, i).PendingReboot)
}

func TestBadPatchBreaksProductionOnly(t *testing.T) {
	w := newWorld(t, "bad-patch")
	for _, c := range []struct {
		region *Region
		image  string
		status int
	}{{staging(w), "web-2.3", 200}, {production(w), "web-2.4", 503}} {
		critical7(t, c.region)
		i, err := c.region.Place(LaunchSpec{Image: c.image, Tags: Tags{"PatchGroup": "amazon-linux-2023"}})
		require.NoError(t, err)
		require.True(t, i.AppHealthy())
		patchNow(t, i, map[string]string{"Operation": "Install"})
		elapse(t, w, 5*time.Minute)
		require.Equal(t, c.status, i.HTTPStatus(80, "/healthz"), c.region.String())
	}
}

func TestOverrideListReplacesTheBaseline(t *testing.T) {
	list := "patches:\n- {id: 'curl*', title: 'curl-minimal.x86_64:0:8.11.1-4.amzn2023.0.3'}\n- {id: " +
		"'vim-minimal.x86_64', title: '*'}\n"
	w := newWorld(t, "healthy")
	w.ReadObject = func(_ *Region, bucket, key string) ([]byte, error) {
		require.Equal(t, "lists/sha256", bucket+"/"+key)
		return []byte(list), nil
	}
	i := staging(w).Instances()[0]
	patchNow(t, i, map[string]string{"Operation": "Install", "InstallOverrideList": "s3://lists/sha256"})
	elapse(t, w, 5*time.Minute)
	require.Equal(t, "0:8.11.1-4.amzn2023.0.3", i.Disk().Version("curl-minimal.x86_64"))
	require.Equal(t, "2:9.1.1706-1.amzn2023.0.1", i.Disk().Version("vim-minimal.x86_64"), "whatever the baseline approves")
	require.Equal(t, "0:2.34-117.amzn2023.0.1", i.Disk().Version("glibc.x86_64"))
}

func TestOverrideListThatCannotBeRead(t *testing.T) {
	w := newWorld(t, "healthy")
	i := staging(w).Instances()[0]
	v := patchNow(t, i, map[string]string{"Operation": "Install", "InstallOverrideList": "s3://lists/gone"})
	elapse(t, w, 5*time.Minute)
	require.Equal(t, "Failed", v.Status)
	critical7(t, staging(w))
	v = patchNow(t, i, map[string]string{"Operation": "Install", "InstallOverrideList": "https://example.com/list"})
	elapse(t, w, 5*time.Minute)
	require.Equal(t, "Success", v.Status, "AWS's trap: the whole baseline installs")
	require.Equal(t, 1, i.BehindBy())
}

func TestFailedInstallReportsIt(t *testing.T) {
	s, err := ParseScenario(
		"x.yaml",
		[]byte("extends: fleet\nfaults: {world: [{kind: install_fails, account: staging, instance: staging-web-1}]}\n"),
	)
	require.NoError(t, err)
	w, err := New(s, dawn)
	require.NoError(t, err)
	r := staging(w)
	critical7(t, r)
	first := patchNow(t, r.Instances()[0], map[string]string{"Operation": "Install"})
	second := patchNow(t, r.Instances()[1], map[string]string{"Operation": "Install"})
	elapse(t, w, 5*time.Minute)
	require.Equal(t, "Failed", first.Status)
	require.Equal(t, 3, r.PatchState(r.Instances()[0].ID).Count("Failed"))
	require.Equal(
		t,
		3,
		r.PatchState(
			r.Instances()[0].ID,
		).Count(
			"Installed",
		)+r.PatchState(
			r.Instances()[0].ID,
		).Count(
			"InstalledPendingReboot",
		),
	)
	require.Equal(t, "Success", second.Status, "the fault names the first instance only")
	again := patchNow(t, r.Instances()[0], map[string]string{"Operation": "Install"})
	elapse(t, w, 5*time.Minute)
	require.Equal(t, "Success", again.Status, "it strikes once")
}

func TestBaselineRefusals(t *testing.T) {
	r := staging(newWorld(t, "healthy"))
	week := 7
	cases := []struct {
		name     string
		baseline Baseline
		code     string
	}{
		{
			"days on Ubuntu",
			Baseline{Name: "u", OS: "UBUNTU", Rules: []ApprovalRule{{AfterDays: &week}}},
			"ValidationException",
		},
		{
			"Linux severity on Windows",
			Baseline{Name: "w", OS: "WINDOWS", Filters: []PatchFilter{{"SEVERITY", []string{"Critical"}}}},
			"ValidationException",
		},
		{
			"Windows severity on Linux",
			Baseline{Name: "a", OS: "AMAZON_LINUX_2023", Filters: []PatchFilter{{"MSRC_SEVERITY", []string{"Critical"}}}},
			"ValidationException",
		},
		{"too many exceptions", Baseline{Name: "x", OS: "WINDOWS", Approved: make([]string, 51)}, "ValidationException"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := r.CreateBaseline(c.baseline)
			requireCode(t, err, c.code)
		})
	}
	b := critical7(t, r)
	requireCode(t, r.DeleteBaseline(b.ID), "ResourceInUseException")
	other, err := r.CreateBaseline(Baseline{Name: "other", OS: "AMAZON_LINUX_2023"})
	require.NoError(t, err)
	requireCode(t, r.RegisterPatchGroup("amazon-linux-2023", other.ID), "AlreadyExistsException")
	require.NoError(t, r.RegisterPatchGroup("amazon-linux-2023", b.ID), "the same again is no error")
	require.NoError(t, r.DeregisterPatchGroup("amazon-linux-2023", b.ID))
	require.NoError(t, r.DeleteBaseline(b.ID))
	require.Equal(
		t, "AWS-AmazonLinux2023DefaultPatchBaseline", r.BaselineForGroup("amazon-linux-2023", "AMAZON_LINUX_2023").Name,
	)
}
