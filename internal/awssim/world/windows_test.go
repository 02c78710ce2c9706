package world

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const windowsFleet = `
seed: 7
home: {name: tooling, id: "999900001111", access_key_id: A, secret_access_key: B}
operating_systems:
  - name: windows-server-2022
    ssm: WINDOWS
    platform: Windows
    platform_name: Microsoft Windows Server 2022 Datacenter
    platform_version: "10.0.20348"
    product: WindowsServer2022
    kernel: KB5040000
    packages: {KB5040000: installed}
images:
  - {id: ami-0123456789abcdef0, name: iis, os: windows-server-2022, app: {name: iis, version: "1", port: 80, path: /}}
patches:
  - {os: windows-server-2022, id: KB5041111, version: installed, severity: Critical, classification: SecurityUpdates, age_days: 9, reboot: true}
  - {os: windows-server-2022, id: KB5042222, version: installed, severity: Moderate, classification: Updates, age_days: 9}
  - {os: windows-server-2022, id: KB5043333, version: installed, severity: Critical, classification: SecurityUpdates, age_days: 9, after: KB5041111}
accounts:
  - id: "222233334444"
    name: staging
    regions: [{name: ap-northeast-1, instances: [{name: win, image: iis, zone: ap-northeast-1a}]}]
`

func TestWindows(t *testing.T) {
	s, err := ParseScenario("windows.yaml", []byte(windowsFleet))
	require.NoError(t, err)
	w, err := New(s, dawn)
	require.NoError(t, err)
	i := staging(w).Instances()[0]
	patchNow(t, i, map[string]string{"Operation": "Scan"})
	elapse(t, w, time.Minute)
	state := staging(w).PatchState(i.ID)
	require.Equal(t, 1, state.Count("Missing"), "AWS's default baseline approves the critical one")
	before := factsOf(t, i)
	require.False(t, *before.DomainJoined)
	i.JoinDomain()
	require.True(t, *factsOf(t, i).DomainJoined)
	patchNow(t, i, map[string]string{"Operation": "Install"})
	elapse(t, w, 5*time.Minute)
	require.Equal(t, "installed", i.Disk().Version("KB5041111"))
	require.Empty(t, i.Disk().Version("KB5042222"))
	require.NotEqual(t, before.BootID, factsOf(t, i).BootID)
	send := func(document string) (*Command, error) {
		return i.Region.Send(SendSpec{
			Document: document, Instances: []string{i.ID},
			Parameters: map[string][]string{"commands": {`# patchtide:probe {"checks":[{"port":80,"path":"/"}]}`}},
		})
	}
	command, err := send("AWS-RunPowerShellScript")
	require.NoError(t, err)
	elapse(t, w, time.Minute)
	require.Contains(t, command.Invocations[0].Stdout, "1 200 + ")
	_, err = send("AWS-RunShellScript")
	requireCode(t, err, "UnsupportedPlatformType")
}

// Windows lists what builds on another update only once that one took effect, so that a second pass finds more.
func TestWindowsListsSomePatchesAfterAReboot(t *testing.T) {
	s, err := ParseScenario("windows.yaml", []byte(windowsFleet))
	require.NoError(t, err)
	w, err := New(s, dawn)
	require.NoError(t, err)
	i := staging(w).Instances()[0]
	missing := func() (ids []string) {
		patchNow(t, i, map[string]string{"Operation": "Scan"})
		elapse(t, w, time.Minute)
		for _, report := range staging(w).PatchState(i.ID).Patches {
			if report.State == "Missing" {
				ids = append(ids, report.Patch.ID)
			}
		}
		return ids
	}
	require.Equal(t, []string{"KB5041111"}, missing())
	patchNow(t, i, map[string]string{"Operation": "Install", "RebootOption": "NoReboot"})
	elapse(t, w, 5*time.Minute)
	require.Empty(t, missing(), "installed, and waiting for a reboot")
	require.NoError(t, i.Reboot())
	elapse(t, w, 5*time.Minute)
	require.Equal(t, []string{"KB5043333"}, missing())
}

func TestOverrideListOnWindowsNeedsTheBaselineToo(t *testing.T) {
	s, err := ParseScenario("windows.yaml", []byte(windowsFleet))
	require.NoError(t, err)
	w, err := New(s, dawn)
	require.NoError(t, err)
	reading(w, "patches: [{id: KB5041111}, {id: KB5042222}]")
	i := staging(w).Instances()[0]
	v := patchNow(t, i, map[string]string{"Operation": "Install", "InstallOverrideList": "s3://lists/one"})
	elapse(t, w, 5*time.Minute)
	require.Equal(t, "Success", v.Status, v.Stderr)
	require.Equal(t, "installed", i.Disk().Version("KB5041111"))
	require.Empty(t, i.Disk().Version("KB5042222"), "listed, and not approved by the baseline")
}
