package wave_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

const webKey = "arn:aws:kms:ap-northeast-1:111122223333:key/11111111-2222-4333-8444-555555555555"

// patching is somebody else's nightly patching of the production group.
func patching(opens time.Duration, operation string) world.MaintenanceSpec {
	return world.MaintenanceSpec{
		Name: "nightly", Enabled: true, Schedule: "cron(0 2 * * ? *)", Duration: 2, Opens: world.Duration(opens),
		Task: "AWS-RunPatchBaseline", Operation: operation, Tags: map[string]string{"Role": "web"},
	}
}

// stop is an alarm that stops the first instance of the group.
func stop(g *world.ScalingGroup, action string, enabled bool) *world.Alarm {
	return &world.Alarm{
		Name: "stuck", Metric: "StatusCheckFailed", Namespace: "AWS/EC2", Period: time.Minute, EvaluationPeriods: 2,
		ActionsEnabled: enabled,
		Comparison:     "GreaterThanThreshold", Statistic: "Maximum", AlarmActions: []string{action},
		Dimensions: [][2]string{{"InstanceId", g.Members()[0].Instance.ID}},
	}
}

func inStack(g *world.ScalingGroup, status string) {
	id := g.Region.PutStack(world.Stack{Name: "web", Status: status})
	g.Tags = append(g.Tags, world.GroupTag{Key: "aws:cloudformation:stack-id", Value: id})
}

// companyMonthly is a document of somebody's own that patches by one of AWS's.
const companyMonthly = `schemaVersion: "0.3"
parameters:
  InstanceId: {type: String}
mainSteps:
  - name: install
    action: aws:runCommand
    inputs:
      DocumentName: AWS-RunPatchBaseline
      InstanceIds: ["{{ InstanceId }}"]
      Parameters: {Operation: Install}
`

// fromMarketplace has production's machines launched from an image of the Marketplace.
func fromMarketplace(doubts ...world.Doubt) func(*world.Scenario) {
	return func(s *world.Scenario) {
		s.Doubts = doubts
		for i := range s.Images {
			if s.Images[i].Name == "web-2.4" {
				s.Images[i].ProductCode = "abcdef0123456789abcdef012"
			}
		}
	}
}

// encrypted gives production's machines an encrypted root.
func encrypted(s *world.Scenario) {
	for i := range s.Images {
		if s.Images[i].Name == "web-2.4" {
			s.Images[i].KMSKey = webKey
		}
	}
}

var calendars = wavetest.PlanWith("    stages:\n",
	"    change_calendars: [freeze]\n    stages:\n")

func openCalendar(scene *wavetest.Scene, account string) {
	scene.Sim.Inspect(func(w *world.World) {
		w.Account(account).Region(wavetest.Tokyo).PutCalendar(&world.Calendar{Name: "freeze", State: "OPEN"})
	})
}

// What somebody else does, or is about to do, refuses the wave before anything is changed anywhere.
func TestOthersRefuseTheWave(t *testing.T) {
	type scaling = *world.ScalingGroup
	for _, c := range []struct {
		name   string
		fleet  func(*world.Scenario)
		config func([]byte) []byte
		do     func(*testing.T, scaling)
		want   []string // parts of the error; none: the wave succeeds
	}{
		{name: "calendar closed", config: calendars, do: func(_ *testing.T, g scaling) {
			g.Region.PutCalendar(&world.Calendar{Name: "freeze", State: "CLOSED"})
		}, want: []string{"CalendarClosed", "production/ap-northeast-1/web", "freeze is closed"}},
		{
			name: "calendar that does not exist", config: calendars, do: func(*testing.T, scaling) {}, want: []string{
				"CalendarClosed", "gave no answer", "InvalidDocument",
			},
		},
		{name: "calendar that closes too soon", config: calendars, do: func(_ *testing.T, g scaling) {
			g.Region.PutCalendar(&world.Calendar{
				Name: "freeze", State: "OPEN", Changes: g.Region.World.Now().Add(10 * time.Minute),
			})
		}, want: []string{"CalendarClosed", "closes at"}},
		{name: "stack update", do: func(_ *testing.T, g scaling) {
			inStack(g, "UPDATE_ROLLBACK_IN_PROGRESS")
		}, want: []string{"StackUpdateRunning", "web (UPDATE_ROLLBACK_IN_PROGRESS)", "settled"}},
		{name: "a stack that rests", do: func(_ *testing.T, g scaling) { inStack(g, "UPDATE_COMPLETE") }},
		{name: "deployment", do: func(_ *testing.T, g scaling) {
			g.Region.PutDeployment(world.Deployment{
				ID: "d-ABCDEF111", Status: "InProgress", Targets: []string{g.Members()[1].Instance.ID},
			})
		}, want: []string{"DeploymentRunning", "d-ABCDEF111"}},
		{name: "deployment that is about to begin", do: func(_ *testing.T, g scaling) {
			g.Region.PutDeployment(world.Deployment{ID: "d-ABCDEF222", Status: "Created"})
		}, want: []string{"DeploymentRunning", "nobody can tell yet"}},
		{name: "a deployment that has ended, and one elsewhere", do: func(_ *testing.T, g scaling) {
			g.Region.PutDeployment(world.Deployment{
				ID: "d-ABCDEF111", Status: "Succeeded", Targets: []string{g.Members()[1].Instance.ID},
			})
			g.Region.PutDeployment(world.Deployment{
				ID: "d-ABCDEF222", Status: "InProgress", Targets: []string{"i-0123456789abcdef0"},
			})
		}},
		{name: "alarm that stops", do: func(_ *testing.T, g scaling) {
			g.Region.PutAlarm(stop(g, "arn:aws:automate:ap-northeast-1:ec2:stop", true))
		}, want: []string{"StoppedByAlarm", "stuck would stop it", "disable-alarm-actions"}},
		{name: "alarm that terminates, in the older spelling", do: func(_ *testing.T, g scaling) {
			g.Region.PutAlarm(stop(g, "arn:aws:swf:ap-northeast-1:111122223333:action/actions/AWS_EC2.InstanceId.Terminate/1.0",
				true))
		}, want: []string{"StoppedByAlarm", "stuck would terminate it"}},
		{name: "an alarm that only tells, and one that is switched off", do: func(_ *testing.T, g scaling) {
			g.Region.PutAlarm(stop(g, "arn:aws:sns:ap-northeast-1:111122223333:ops", true))
			off := stop(g, "arn:aws:automate:ap-northeast-1:ec2:reboot", false)
			off.Name = "off"
			g.Region.PutAlarm(off)
		}},
		{name: "maintenance window soon", do: func(_ *testing.T, g scaling) {
			g.Region.AddMaintenanceWindow(patching(15*time.Minute, "Install"))
		}, want: []string{"OtherPatcher", "nightly", "may patch it from"}},
		{name: "maintenance window running", do: func(_ *testing.T, g scaling) {
			window := g.Region.AddMaintenanceWindow(patching(time.Hour, "Install"))
			window.Next = g.Region.World.Now().Add(-time.Minute)
		}, want: []string{"OtherPatcher", "nightly", "at any moment"}},
		{name: "maintenance window that runs soon by its offset, its cron of days ago", do: func(_ *testing.T, g scaling) {
			window := patching(30*24*time.Hour, "Install")
			said := g.Region.World.Now().UTC().Add(20*time.Minute).AddDate(0, 0, -4)
			window.Schedule = fmt.Sprintf("cron(%d %d %d * ? *)", said.Minute(), said.Hour(), said.Day())
			window.Offset = 4
			g.Region.AddMaintenanceWindow(window)
		}, want: []string{"OtherPatcher", "nightly", "4 days after cron(", "may patch it from"}},
		{name: "maintenance windows that scan, sleep, or patch others", do: func(_ *testing.T, g scaling) {
			g.Region.AddMaintenanceWindow(patching(15*time.Minute, "Scan"))
			g.Region.AddMaintenanceWindow(patching(48*time.Hour, "Install"))
			disabled := patching(15*time.Minute, "Install")
			disabled.Enabled = false
			g.Region.AddMaintenanceWindow(disabled)
			others := patching(15*time.Minute, "Install")
			others.Tags = map[string]string{"Role": "database"}
			g.Region.AddMaintenanceWindow(others)
		}},
		{name: "association", do: func(_ *testing.T, g scaling) {
			g.Region.AddAssociation(world.AssociationsSpec{
				Name: "patch-all", Document: "AWS-RunPatchBaseline", Schedule: "rate(1 day)", Operation: "Install",
			})
		}, want: []string{"OtherPatcher", "patch-all", "at any moment"}},
		{name: "a patch policy of Quick Setup", do: func(_ *testing.T, g scaling) {
			g.Region.AddAssociation(world.AssociationsSpec{
				Name:     "AWS-QuickSetup-PatchPolicy-InstallPatches-LA-ab12c",
				Document: "AWSQuickSetup-PatchPolicy-InstallPatches-LA-ab12c", Schedule: "cron(0 2 ? * SAT *)",
				Tags: map[string]string{"Role": "web"},
			})
		}, want: []string{"OtherPatcher", "AWS-QuickSetup-PatchPolicy-InstallPatches-LA-ab12c", "at any moment"}},
		{name: "a patch policy of Quick Setup that scans", do: func(_ *testing.T, g scaling) {
			g.Region.AddAssociation(world.AssociationsSpec{
				Name:     "AWS-QuickSetup-PatchPolicy-ScanForPatches-LA-ab12c",
				Document: "AWSQuickSetup-PatchPolicy-ScanForPatches-LA-ab12c", Schedule: "rate(1 day)",
			})
		}},
		{name: "a document of one's own that runs one of AWS's", do: func(t *testing.T, g scaling) {
			_, err := g.Region.CreateDocument("Company-Monthly", "Automation", "YAML", companyMonthly, "", nil)
			require.NoError(t, err)
			g.Region.AddAssociation(world.AssociationsSpec{
				Name: "monthly", Document: "Company-Monthly", Schedule: "rate(1 day)",
			})
		}, want: []string{"OtherPatcher", "the association monthly", "at any moment"}},
		{name: "a script that updates", do: func(_ *testing.T, g scaling) {
			g.Region.AddAssociation(world.AssociationsSpec{
				Name: "updates", Document: "AWS-RunShellScript", Schedule: "rate(1 day)",
				Parameters: map[string][]string{"commands": {"dnf -y upgrade"}},
			})
		}, want: []string{"OtherPatcher", "the association updates"}},
		{name: "a script that does something else", do: func(_ *testing.T, g scaling) {
			g.Region.AddAssociation(world.AssociationsSpec{
				Name: "cleans", Document: "AWS-RunShellScript", Schedule: "rate(1 day)",
				Parameters: map[string][]string{"commands": {"find /tmp -mtime +7 -delete"}},
			})
		}},
		{name: "associations that scan, ran once, or do something else", do: func(_ *testing.T, g scaling) {
			g.Region.AddAssociation(world.AssociationsSpec{
				Name: "scan", Document: "AWS-RunPatchBaseline", Schedule: "rate(1 day)", Operation: "Scan",
			})
			g.Region.AddAssociation(world.AssociationsSpec{Name: "once", Document: "AWS-RunPatchBaseline", Operation: "Install"})
			g.Region.AddAssociation(world.AssociationsSpec{
				Name: "inventory", Document: "AWS-GatherSoftwareInventory", Schedule: "rate(1 day)",
			})
		}},
		{name: "an instance without a patch group", do: func(_ *testing.T, g scaling) {
			delete(g.Members()[0].Instance.Tags, "PatchGroup")
		}, want: []string{
			"NotInPatchGroup", "1 of 4 instances", "(none)", "amazon-linux-2023",
			"aws ec2 create-tags --region ap-northeast-1 --resources i-",
			"ResourceId=web,ResourceType=auto-scaling-group,Key=PatchGroup,Value=amazon-linux-2023,PropagateAtLaunch=true",
		}},
		{name: "instances of another patch group, spelt the other way", do: func(_ *testing.T, g scaling) {
			for _, member := range g.Members() {
				delete(member.Instance.Tags, "PatchGroup")
				member.Instance.Tags["Patch Group"] = "ours"
			}
		}, want: []string{
			"NotInPatchGroup", "4 of 4 instances", "(Patch Group=ours)", "Key=Patch Group,Value=amazon-linux-2023",
		}},
		{name: "an instance of two patch groups", do: func(_ *testing.T, g scaling) {
			g.Members()[0].Instance.Tags["Patch Group"] = "ours"
		}, want: []string{"NotInPatchGroup", "(PatchGroup=amazon-linux-2023, Patch Group=ours)", "delete-tags"}},
		{name: "the patch group belongs to another baseline", do: func(t *testing.T, g scaling) {
			other, err := g.Region.CreateBaseline(world.Baseline{Name: "theirs", OS: "AMAZON_LINUX_2023"})
			require.NoError(t, err)
			require.NoError(t, g.Region.RegisterPatchGroup("amazon-linux-2023", other.ID))
		}, want: []string{"NotInPatchGroup", "theirs", "deregister-patch-baseline-for-patch-group"}},
		{name: "a system that Patchtide does not patch", fleet: func(s *world.Scenario) {
			for i := range s.OperatingSystems {
				s.OperatingSystems[i].PlatformName, s.OperatingSystems[i].PlatformVersion = "CentOS Stream", "9"
			}
		}, do: func(*testing.T, scaling) {}, want: []string{"OtherSystem", "CentOS Stream 9", "does not patch"}},
		{name: "a patch group by the other spelling", do: func(_ *testing.T, g scaling) {
			tags := g.Members()[0].Instance.Tags
			delete(tags, "PatchGroup")
			tags["Patch Group"] = "amazon-linux-2023"
		}},
		{
			name: "bake too short for the alarm", config: wavetest.PlanWith("bake: 5m", "bake: 179s"),
			do: func(*testing.T, scaling) {}, want: []string{"BakeTooShort", "web-5xx", "bake: 3m0s or more"},
		},
		{
			name: "from the Marketplace", fleet: fromMarketplace(), do: func(*testing.T, scaling) {},
			want: []string{"RestoreNotPossible", "is not proven", "restore: replace or none"},
		},
		{
			name: "from the Marketplace, should AWS refuse it", fleet: fromMarketplace(world.DoubtProductsNotRestored),
			do: func(*testing.T, scaling) {}, want: []string{"RestoreNotPossible", "is not proven"},
		},
		{
			name: "from the Marketplace, and not to be restored", fleet: fromMarketplace(),
			config: wavetest.PlanWith("restore: root_volume", "restore: none"), do: func(*testing.T, scaling) {},
		},
		{name: "key disabled", fleet: encrypted, do: func(_ *testing.T, g scaling) {
			g.Region.Key(webKey).State = "Disabled"
		}, want: []string{"RestoreNotPossible", webKey, "Disabled"}},
		{
			name: "a key that its policy lets EC2 use for us, and nobody directly", fleet: encrypted,
			do: func(_ *testing.T, g scaling) { g.Region.Key(webKey).Via = "ec2" },
		},
		{name: "a key to be deleted that EC2 may use for us", fleet: encrypted, do: func(_ *testing.T, g scaling) {
			g.Region.Key(webKey).Via, g.Region.Key(webKey).State = "ec2", "PendingDeletion"
		}, want: []string{"RestoreNotPossible", webKey, "PendingDeletion"}},
		{name: "a key that may be used", fleet: encrypted, do: func(*testing.T, scaling) {}},
		{name: "AWS's own key", fleet: encrypted, do: func(_ *testing.T, g scaling) { g.Region.Key(webKey).Manager = "AWS" }},
		{name: "encryption by default, with a key that is disabled", do: func(_ *testing.T, g scaling) {
			g.Region.PutKey(&world.Key{ARN: webKey, State: "Disabled", Manager: "CUSTOMER"})
			g.Region.EncryptsByDefault, g.Region.DefaultKey = true, webKey
		}, want: []string{"RestoreNotPossible", webKey, "encryption by default", "Disabled"}},
		{name: "encryption by default, with AWS's own key", do: func(_ *testing.T, g scaling) {
			g.Region.EncryptsByDefault = true
		}},
		{name: "lifetime ends", fleet: wavetest.EachGroup(func(g *world.GroupSpec) {
			g.MaxLifetime = world.Duration(24 * time.Hour)
		}), do: func(_ *testing.T, g scaling) {
			g.Members()[2].Instance.LaunchTime = g.Region.World.Now().Add(-23 * time.Hour)
		}, want: []string{"InstanceLifetimeEnds", "24h0m0s"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Fleet: c.fleet, Config: c.config})
			openCalendar(scene, wavetest.Staging)
			scene.Production(func(g *world.ScalingGroup) { c.do(t, g) })
			result, err := scene.Run(wavetest.WebWave)
			if len(c.want) == 0 {
				require.NoError(t, err)
				require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
				scene.RequireInvariants(result, wavetest.Except{})
				return
			}
			require.Nil(t, result)
			for _, part := range c.want {
				require.ErrorContains(t, err, part)
			}
			require.Empty(t, scene.Mutations(wavetest.Staging))
			require.Empty(t, scene.Mutations(wavetest.Production))
		})
	}
}

// What begins while the first instance bakes is met before the second: it stays as it is, and what was patched stays
// patched.
func TestOthersRefuseTheNextInstance(t *testing.T) {
	for _, c := range []struct {
		name   string
		config func([]byte) []byte
		do     func(*world.ScalingGroup)
		want   string
	}{
		{name: "stack update begins", do: func(g *world.ScalingGroup) {
			inStack(g, "UPDATE_IN_PROGRESS")
		}, want: "StackUpdateRunning"},
		{name: "deployment begins", do: func(g *world.ScalingGroup) {
			g.Region.PutDeployment(world.Deployment{ID: "d-ABCDEF222", Status: "Queued"})
		}, want: "DeploymentRunning"},
		{name: "an association is made", do: func(g *world.ScalingGroup) {
			g.Region.AddAssociation(world.AssociationsSpec{Document: "AWS-RunPatchBaseline", Schedule: "rate(1 day)"})
		}, want: "OtherPatcher"},
		{name: "machines begin to patch themselves", do: func(g *world.ScalingGroup) {
			for _, member := range g.Members() {
				member.Instance.Patchers = []string{"unattended-upgrades"}
			}
		}, want: "OtherPatcher"},
		{name: "packages come to be installed by half", do: func(g *world.ScalingGroup) {
			for _, member := range g.Members() {
				member.Instance.Broken = []string{"libc6.amd64 half-configured"}
			}
		}, want: "libc6.amd64 half-configured"},
		{name: "a system that is not all on its root", do: func(g *world.ScalingGroup) {
			for _, member := range g.Members() {
				member.Instance.Elsewhere = []string{"/var/lib/rpm on nvme1n1"}
			}
		}, want: "RestoreNotPossible"},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{Scenario: "healthy", Config: c.config})
			openCalendar(scene, wavetest.Staging)
			openCalendar(scene, wavetest.Production)
			scene.Decide = []patch.Verb{patch.Abort}
			scene.WhenAtStep(patch.StepBake, func(string) { scene.Production(c.do) })
			reasons := ""
			scene.OnHold = func(status patch.WaveStatus) { reasons = status.Awaiting }
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, patch.Aborted, result.Outcome, "%+v", result)
			require.Equal(t, 1, wavetest.CountInProduction(result, patch.Patched), "%v", wavetest.ProductionOutcomes(result))
			require.Contains(t, reasons, c.want)
			scene.RequireNobodyOut()
		})
	}
}

// One that was refused before anything was begun on it is as it was: what its group had patched is put back whole.
func TestWhoWasRefusedKeepsNoRollBackFromBeingWhole(t *testing.T) {
	scene := wavetest.New(t, wavetest.Options{Scenario: "healthy"})
	scene.Decide = []patch.Verb{patch.RollBack}
	scene.WhenAtStep(patch.StepBake, func(string) {
		scene.Production(func(g *world.ScalingGroup) {
			for _, member := range g.Members() {
				member.Instance.Patchers = []string{"unattended-upgrades"}
			}
		})
	})
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.RolledBack, result.Outcome, "%+v", result)
	require.NotContains(t, result.Reason, "could not be put back")
	require.Contains(t, wavetest.ProductionOutcomes(result), patch.Failed, "it is told as refused")
	scene.RequireInvariants(nil, wavetest.Except{})
}
