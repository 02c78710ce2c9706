package world

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// reading lets machines read one object.
func reading(w *World, object string) {
	w.ReadObject = func(_ *Region, bucket, key string) ([]byte, error) {
		if bucket+"/"+key != "lists/one" {
			return nil, fmt.Errorf("404 Not Found")
		}
		return []byte(object), nil
	}
}

func TestOverrideListThatMatchesNothing(t *testing.T) {
	for name, list := range map[string]string{"another title": "patches: [{id: 'glibc*', title: 'glibc.x86_64:0:9.9'}]", "empty": "patches: []"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "healthy")
			reading(w, list)
			i := staging(w).Instances()[0]
			behind, boot := i.BehindBy(), i.BootID()
			v := patchNow(t, i, map[string]string{"Operation": "Install", "InstallOverrideList": "s3://lists/one"})
			elapse(t, w, 5*time.Minute)
			require.Equal(t, "Success", v.Status)
			require.Zero(t, v.Code)
			require.Equal(t, behind, i.BehindBy(), "nothing was installed")
			require.Equal(t, boot, i.BootID(), "so nothing rebooted")
		})
	}
}

func TestScanIgnoresTheOverrideList(t *testing.T) {
	w := newWorld(t, "healthy")
	i := staging(w).Instances()[0]
	critical7(t, staging(w))
	v := patchNow(t, i, map[string]string{"Operation": "Scan", "InstallOverrideList": "s3://lists/gone"})
	elapse(t, w, time.Minute)
	require.Equal(t, "Success", v.Status, "it does not even read it")
	require.Equal(t, 6, staging(w).PatchState(i.ID).Count("Missing"), "what the baseline approves")
}

const oneKernel = `[{"OperatingSystem": "AMAZON_LINUX_2023", "ApprovalRules": {"PatchRules": []}, "ApprovedPatches": ["kernel*"]}]`

func TestBaselineOverrideReportsToStdoutOnly(t *testing.T) {
	w := newWorld(t, "healthy")
	r := staging(w)
	reading(w, oneKernel)
	critical7(t, r)
	i := r.Instances()[0]
	patchNow(t, i, map[string]string{"Operation": "Scan"})
	elapse(t, w, time.Minute)
	before := r.PatchState(i.ID)
	v := patchNow(t, i, map[string]string{"Operation": "Scan", "BaselineOverride": "s3://lists/one"})
	elapse(t, w, time.Minute)
	require.Equal(t, "Success", v.Status, v.Stderr)
	require.Contains(t, v.Stdout, "Missing: 1,")
	require.Same(t, before, r.PatchState(i.ID), "patch states do not show that run")
	v = patchNow(t, i, map[string]string{"Operation": "Install", "BaselineOverride": "s3://lists/one"})
	elapse(t, w, 5*time.Minute)
	require.Equal(t, "Success", v.Status, v.Stderr)
	require.Equal(t, "0:6.1.141-155.222.amzn2023", i.Disk().Version("kernel.x86_64"))
	require.Equal(t, "0:2.34-117.amzn2023.0.1", i.Disk().Version("glibc.x86_64"))
	require.Same(t, before, r.PatchState(i.ID))
}

func TestBaselineOverridesThatFail(t *testing.T) {
	for _, tc := range []struct {
		name, object, where, list, want string
	}{
		{"together with a list", oneKernel, "s3://lists/one", "s3://lists/one", "cannot be used together"},
		{"not there", oneKernel, "s3://lists/two", "", "404"},
		{"not in reach", oneKernel, "https://example.com/one", "", "use an s3:// URL"},
		{"no JSON", "patches: []", "s3://lists/one", "", "no list of baselines"},
		{"unknown keys", `[{"OperatingSystem": "AMAZON_LINUX_2023", "Odd": 1}]`, "s3://lists/one", "", "Odd"},
		{"another system", `[{"OperatingSystem": "WINDOWS"}]`, "s3://lists/one", "", "no baseline for operating system"},
		{
			"what no baseline may say", strings.Replace(oneKernel, "[]}", `[{"ApproveAfterDays": 999}]}`, 1), "s3://lists/one",
			"", "ApproveAfterDays",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, "healthy")
			reading(w, tc.object)
			i := staging(w).Instances()[0]
			behind := i.BehindBy()
			v := patchNow(
				t, i, map[string]string{"Operation": "Install", "BaselineOverride": tc.where, "InstallOverrideList": tc.list},
			)
			elapse(t, w, 5*time.Minute)
			require.Equal(t, "Failed", v.Status)
			require.Contains(t, v.Stderr, tc.want)
			require.Equal(t, behind, i.BehindBy())
		})
	}
}

// A SnapshotId holds the rules of its first use for three days, and no versions at all.
func TestSnapshotHoldsRules(t *testing.T) {
	w := newWorld(t, "healthy")
	r := staging(w)
	i := r.Instances()[0]
	baseline := critical7(t, r)
	id := uuid.NewString()
	missing := func(snapshot string) int {
		patchNow(t, i, map[string]string{"Operation": "Scan", "SnapshotId": snapshot})
		elapse(t, w, time.Minute)
		return r.PatchState(i.ID).Count("Missing")
	}
	require.Equal(t, 6, missing(id))
	changed := *baseline
	changed.Rules, changed.Approved = nil, []string{"kernel*"}
	require.NoError(t, r.UpdateBaseline(changed))
	require.Equal(t, 6, missing(id), "the rules as they were")
	require.Equal(t, 1, missing(uuid.NewString()), "another id, the rules of now")
	elapse(t, w, 73*time.Hour)
	require.Equal(t, 1, missing(id), "it is not honoured any more")
}

func TestRejectedPatchesThatAreInstalled(t *testing.T) {
	for action, want := range map[string]string{"BLOCK": "InstalledRejected", "ALLOW_AS_DEPENDENCY": "InstalledOther"} {
		t.Run(action, func(t *testing.T) {
			w := newWorld(t, "healthy")
			r := staging(w)
			i := r.Instances()[0]
			baseline := *critical7(t, r)
			patchNow(t, i, map[string]string{"Operation": "Install"})
			elapse(t, w, 5*time.Minute)
			baseline.Rejected, baseline.Action = []string{"glibc"}, action
			require.NoError(t, r.UpdateBaseline(baseline))
			patchNow(t, i, map[string]string{"Operation": "Scan"})
			elapse(t, w, time.Minute)
			require.Equal(t, 1, r.PatchState(i.ID).Count(want))
			require.Equal(t, 5, r.PatchState(i.ID).Count("Installed"))
		})
	}
}

func TestTimeOfTheLastInstallWithoutRebootStays(t *testing.T) {
	w := newWorld(t, "healthy")
	r := staging(w)
	i := r.Instances()[0]
	patchNow(t, i, map[string]string{"Operation": "Install", "RebootOption": "NoReboot"})
	elapse(t, w, 5*time.Minute)
	at := r.PatchState(i.ID).LastNoReboot
	require.False(t, at.IsZero())
	patchNow(t, i, map[string]string{"Operation": "Scan"})
	elapse(t, w, time.Minute)
	require.Equal(t, at, r.PatchState(i.ID).LastNoReboot)
}

func TestExitCodesOfAnInstall(t *testing.T) {
	for _, tc := range []struct {
		fault, option       string
		code                int
		failed, behind      int
		reboots, someOfThem bool
	}{
		{FaultInstallFailsRebooting, "RebootIfNeeded", 195, 3, 4, true, true},
		{FaultInstallFailsRebooting, "NoReboot", 1, 3, 4, false, true},
		{FaultDependencyFails, "RebootIfNeeded", 196, 6, 7, false, false},
		{FaultRebootsInCircles, "RebootIfNeeded", 3, 0, 1, true, true},
		{FaultInstallFails, "RebootIfNeeded", 1, 3, 4, false, true},
	} {
		t.Run(fmt.Sprintf("%s, %s", tc.fault, tc.option), func(t *testing.T) {
			w := faulty(t, "    - {kind: "+tc.fault+", account: staging}\n")
			r := staging(w)
			critical7(t, r)
			i := r.Instances()[0]
			boots := map[string]bool{i.BootID(): true}
			v := patchNow(t, i, map[string]string{"Operation": "Install", "RebootOption": tc.option})
			for range 10 {
				elapse(t, w, 30*time.Second)
				boots[i.BootID()] = true
			}
			require.Equal(t, "Failed", v.Status)
			require.Equal(t, tc.code, v.Code)
			require.Equal(t, tc.failed, r.PatchState(i.ID).Count("Failed"))
			require.Equal(t, tc.behind, i.BehindBy())
			require.Equal(t, tc.reboots, len(boots) > 1)
			if tc.fault == FaultRebootsInCircles {
				require.Len(t, boots, 1+3)
			}
			again := patchNow(t, i, map[string]string{"Operation": "Install"})
			elapse(t, w, 5*time.Minute)
			require.Equal(t, "Success", again.Status, "it strikes once")
		})
	}
}

func TestLimitsOfPatchManager(t *testing.T) {
	r := staging(newWorld(t, "healthy"))
	first := critical7(t, r)
	for n := range BaselineLimit - 1 {
		_, err := r.CreateBaseline(Baseline{Name: fmt.Sprintf("mine-%d", n), OS: "AMAZON_LINUX_2023"})
		require.NoError(t, err)
	}
	_, err := r.CreateBaseline(Baseline{Name: "one too many", OS: "AMAZON_LINUX_2023"})
	requireCode(t, err, "ResourceLimitExceededException")
	for n := range PatchGroupLimit - 1 { // critical7 has registered one
		require.NoError(t, r.RegisterPatchGroup(fmt.Sprintf("group-%d", n), first.ID))
	}
	requireCode(t, r.RegisterPatchGroup("one-too-many", first.ID), "ResourceLimitExceededException")
	require.NoError(t, r.RegisterPatchGroup("group-0", first.ID), "the same again is no error")
}
