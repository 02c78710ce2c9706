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
	patchNow(t, i, map[string]string{"Operation": "Install"})
	elapse(t, w, 5*time.Minute)
	require.Equal(t, "installed", i.Disk().Version("KB5041111"))
	require.Empty(t, i.Disk().Version("KB5042222"))
	require.NotEqual(t, before.BootID, factsOf(t, i).BootID)
	for document, want := range map[string]string{"AWS-RunPowerShellScript": "200\n", "AWS-RunShellScript": ""} {
		command, err := i.Region.Send(SendSpec{
			Document: document, Instances: []string{i.ID}, Parameters: map[string][]string{"commands": {"# patchtide:http 80 /"}},
		})
		require.NoError(t, err)
		elapse(t, w, time.Minute)
		require.Equal(t, want, command.Invocations[0].Stdout, document)
	}
}
