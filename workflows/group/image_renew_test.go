package group_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// renewing is production of so many, whose image is renewed as written.
func renewing(image string, faults ...world.WorldFault) wavetest.Options {
	return inOrder(2, "        image: "+image+"\n", faults...)
}

// launched is the image of what production launches next, and its template.
func launched(scene *wavetest.Scene) (image *world.Image, template world.LaunchTemplate) {
	scene.Production(func(group *world.ScalingGroup) {
		_, version, _ := group.Template.Version(group.TemplateVersion)
		image, template = group.Region.Image(version.Image), *group.Template
	})
	return image, template
}

// follows has production name its template's version so.
func follows(scene *wavetest.Scene, version string) {
	scene.Production(func(group *world.ScalingGroup) { group.TemplateVersion = version })
}

// requireClosed proves that nothing of a renewal is under way, and that what production launches next has what its
// members have, or is named as stale.
func requireClosed(t *testing.T, scene *wavetest.Scene, result *patch.WaveResult) {
	t.Helper()
	for _, wrong := range scene.ImageOpen(result) {
		t.Error(wrong)
	}
}

func renewal(result *patch.WaveResult) *patch.ImageRenewal {
	stage := result.Stages[len(result.Stages)-1]
	return stage.Groups[0].Image
}

func TestAnImageIsRenewed(t *testing.T) {
	for _, c := range []struct {
		name, image, follows string
		change               func(*testing.T, *wavetest.Scene)
		fleet                func(*world.Scenario)
		outcome              patch.Outcome
		reaches              bool
		says                 string
	}{
		{name: "the default", image: "patched_instance", outcome: patch.Succeeded, reaches: true, says: "image renewed: "},
		{
			name: "the latest", image: "patched_instance", follows: "$Latest", outcome: patch.Succeeded, reaches: true,
			says: "image renewed: ",
		},
		{
			name: "a mixed group", image: "patched_instance", fleet: mixed, outcome: patch.Succeeded,
			reaches: true, says: "image renewed: ",
		},
		{
			name: "the default stays", image: "{from: patched_instance, promote: latest}", outcome: patch.Succeeded,
			says: "image proven, and not what it launches next: ",
		},
		{
			name: "only made", image: "{from: patched_instance, promote: none}", follows: "$Latest", outcome: patch.Succeeded,
			says: "image proven, and in no launch template",
		},
		{
			name: "a number", image: "patched_instance", follows: "1", outcome: patch.Succeeded, reaches: true,
			says: "image renewed: ",
		},
		{
			name: "a number of a mixed group", image: "patched_instance", follows: "1", fleet: mixed, outcome: patch.Succeeded,
			reaches: true, says: "image renewed: ",
		},
		{
			name: "a number stays", image: "{from: patched_instance, promote: latest}", follows: "1", outcome: patch.Succeeded,
			says: "of which the group names version 1",
		},
		{
			name: "it is in a stack", image: "patched_instance", outcome: patch.SucceededImageStale,
			change: tagged("aws:cloudformation:stack-name", "web"), says: "kept by the CloudFormation stack web",
		},
		{
			name: "it is Terraform's", image: "patched_instance", outcome: patch.SucceededImageStale,
			change: tagged("ManagedBy", "Terraform"), says: "kept by terraform",
		},
		{
			name: "it is Terraform's, by force", image: "{from: patched_instance, force: true}", outcome: patch.Succeeded,
			change: tagged("ManagedBy", "Terraform"), reaches: true, says: "image renewed: ",
		},
		{
			name: "the image maps a volume", image: "patched_instance", outcome: patch.SucceededImageStale,
			change: func(_ *testing.T, scene *wavetest.Scene) {
				image, _ := launched(scene)
				image.Data = []string{"/dev/sdf"}
			},
			says: "maps /dev/sdf beside its root volume",
		},
		{
			name: "it was frozen meanwhile", image: "patched_instance", outcome: patch.SucceededImageStale,
			change: func(_ *testing.T, scene *wavetest.Scene) {
				scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
					if call.Operation == "RunInstances" {
						scene.Frozen = patch.Freezes{{Account: "production", Actor: "boss", Reason: "sale"}}
					}
					return awssim.Fault{}
				})
			},
			says: "image proven, and not what it launches next: put into the launch template: ",
		},
		{
			name: "a trial that may not be launched", image: "patched_instance", outcome: patch.SucceededImageStale,
			change: func(_ *testing.T, scene *wavetest.Scene) {
				scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
					if call.Operation == "RunInstances" {
						return awssim.Fault{Kind: awssim.FaultError, Code: "UnauthorizedOperation", Message: "not authorized"}
					}
					return awssim.Fault{}
				})
			},
			says: "launch a trial: ",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			options := renewing(c.image)
			if c.fleet != nil {
				options.Fleet = c.fleet
			}
			scene := wavetest.New(t, options)
			if c.follows != "" {
				follows(scene, c.follows)
			}
			if c.change != nil {
				c.change(t, scene)
			}
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, c.outcome, result.Outcome, "%s %+v", reasons(result), renewal(result))
			require.Contains(t, renewal(result).Told(), c.says)
			require.Equal(t, c.reaches, renewal(result).Reaches)
			status, answers := scene.Status()
			require.True(t, answers)
			require.Contains(t, status.Stages[0].Groups[0].Image, c.says)
			require.Equal(t, c.reaches, status.Stages[0].Groups[0].StaleImage == "", status.Stages[0].Groups[0].StaleImage)
			if c.outcome == patch.SucceededImageStale {
				require.Contains(t, result.Reason, c.says)
			}
			requireClosed(t, scene, result)
			scene.RequireNothingOfOurs(wavetest.Except{})
		})
	}
}

// mixed gives production two instances by a mixed instances policy.
func mixed(s *world.Scenario) {
	wavetest.Sized(1, 2, 3)(s)
	wavetest.EachGroup(func(g *world.GroupSpec) { g.Mixed = []world.Override{{Type: "m7i.large"}} })(s)
}

// tagged gives production's group a tag.
func tagged(key, value string) func(*testing.T, *wavetest.Scene) {
	return func(_ *testing.T, scene *wavetest.Scene) {
		scene.Production(func(group *world.ScalingGroup) {
			group.Tags = append(group.Tags, world.GroupTag{Key: key, Value: value})
		})
	}
}

// The trial is nobody's member: it is attached to nothing and registered nowhere, and is gone before the template is
// changed.
func TestATrialIsNobodysMember(t *testing.T) {
	scene := wavetest.New(t, renewing("patched_instance"))
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, reasons(result))
	var order []string
	for _, event := range scene.Sim.Events() {
		if event.Effect && slices.Contains([]string{
			"CreateImage", "RunInstances", "TerminateInstances", "CreateLaunchTemplateVersion", "ModifyLaunchTemplate",
		}, event.Operation) {
			order = append(order, event.Operation)
		}
	}
	require.Equal(t, []string{
		"CreateImage", "RunInstances", "TerminateInstances", "CreateLaunchTemplateVersion", "ModifyLaunchTemplate",
	}, order)
	scene.Production(func(group *world.ScalingGroup) {
		for _, instance := range group.Region.Instances() {
			if instance.Tags[names.TagTrial] == "" {
				continue
			}
			require.Contains(t, []world.InstanceState{world.ShuttingDown, world.Terminated}, instance.State)
			require.Empty(t, instance.Group)
			for _, target := range group.Region.TargetGroups() {
				require.Nil(t, wavetest.Registration(target, instance.ID, 0))
			}
		}
	})
	image, _ := launched(scene)
	require.Equal(t, "proven", image.Tags[names.TagImageState])
}

// What others change of the template while the image is made stays.
func TestWhatOthersChangeOfATemplateStays(t *testing.T) {
	for _, c := range []struct {
		name, follows, says string
		change              func(*world.ScalingGroup)
	}{
		{"a version, which is the latest", "$Latest", "it launches from version 2 by now", func(group *world.ScalingGroup) {
			larger(group.Template)
		}},
		{"a version that is the default", "$Default", "it launches from version 2 by now", func(group *world.ScalingGroup) {
			group.Template.Default = larger(group.Template)
		}},
		{"a version", "$Default", "somebody made version 2", func(group *world.ScalingGroup) { larger(group.Template) }},
		{"a number", "1", "the group was given another template, or another version", func(group *world.ScalingGroup) {
			group.TemplateVersion = strconv.Itoa(larger(group.Template))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, renewing("patched_instance"))
			follows(scene, c.follows)
			_, was := launched(scene)
			done := false
			scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
				if call.Operation == "RunInstances" && !done {
					done = true
					scene.Later(func() {
						scene.Production(c.change)
					})
				}
				return awssim.Fault{}
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, patch.SucceededImageStale, result.Outcome, "%+v", renewal(result))
			require.Contains(t, result.Reason, c.says)
			_, now := launched(scene)
			require.Len(t, now.Versions, len(was.Versions)+1, "only theirs")
			requireClosed(t, scene, result)
		})
	}
}

// larger adds a version of a larger type to a template, and tells its number.
func larger(template *world.LaunchTemplate) int {
	return template.AddVersion(world.LaunchTemplateVersion{Image: template.Versions[0].Image, Type: "m7i.xlarge"})
}

// A version whose making was never told is known all the same, so that a roll back puts it back; and is nobody else's,
// however late it is listed.
func TestAVersionThatNobodyWasToldOf(t *testing.T) {
	for _, c := range []struct {
		name    string
		then    awssim.Fault // of the next look at the versions
		outcome patch.Outcome
	}{
		{"which may not be looked for", awssim.Fault{
			Kind: awssim.FaultError, Code: "UnauthorizedOperation", Message: "not authorized",
		}, patch.SucceededImageStale},
		{"which is not listed yet", awssim.Fault{Kind: awssim.FaultEmpty}, patch.Succeeded},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, renewing("patched_instance"))
			follows(scene, "$Latest")
			lost, then := false, false
			scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
				switch {
				case call.Operation == "CreateLaunchTemplateVersion" && !lost:
					lost = true
					return awssim.Fault{Kind: awssim.FaultLostReply}
				case call.Operation == "DescribeLaunchTemplateVersions" && lost && !then:
					then = true
					return c.then
				}
				return awssim.Fault{}
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.True(t, then)
			require.Equal(t, c.outcome, result.Outcome, "%s %+v", reasons(result), renewal(result))
			require.Equal(t, 2, renewal(result).Version, renewal(result).Told())
			require.True(t, renewal(result).Reaches)
			require.True(t, renewal(result).Undoes())
		})
	}
}

// A lost reply of each change makes nothing twice.
func TestALostReplyRenewsAnImageOnce(t *testing.T) {
	for _, operation := range []string{
		"CreateImage", "RunInstances", "TerminateInstances", "CreateLaunchTemplateVersion", "ModifyLaunchTemplate",
		"UpdateAutoScalingGroup",
	} {
		t.Run(operation, func(t *testing.T) {
			scene := wavetest.New(t, renewing("patched_instance"))
			if operation == "UpdateAutoScalingGroup" {
				follows(scene, "1")
			}
			lost := false
			scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
				if call.Operation == operation && !lost {
					lost = true
					return awssim.Fault{Kind: awssim.FaultLostReply}
				}
				return awssim.Fault{}
			})
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.True(t, lost)
			require.Equal(t, patch.Succeeded, result.Outcome, "%s %+v", reasons(result), renewal(result))
			_, template := launched(scene)
			require.Len(t, template.Versions, 2)
			made, trials := 0, 0
			scene.Production(func(group *world.ScalingGroup) {
				for _, image := range group.Region.Images() {
					if strings.HasPrefix(image.Name, "patchtide-") {
						made++
					}
				}
				for _, instance := range group.Region.Instances() {
					if instance.Tags[names.TagTrial] != "" {
						trials++
					}
				}
			})
			require.Equal(t, []int{1, 1}, []int{made, trials})
			requireClosed(t, scene, result)
		})
	}
}

// A cancel while the image is made, or tried, leaves nothing of it.
func TestACancelledRenewalLeavesNothing(t *testing.T) {
	for _, operation := range []string{"CreateImage", "RunInstances"} {
		t.Run(operation, func(t *testing.T) {
			scene := wavetest.New(t, renewing("patched_instance"))
			before, _ := launched(scene)
			done := false
			scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
				if call.Operation == operation && !done {
					done = true
					scene.Later(scene.Env.CancelWorkflow)
				}
				return awssim.Fault{}
			})
			result, _ := scene.Run(wavetest.WebWave)
			require.NotNil(t, result)
			require.Contains(t, renewal(result).Told(), "image not renewed: ")
			now, _ := launched(scene)
			require.Equal(t, before.ID, now.ID)
			requireClosed(t, scene, result)
			scene.RequireNothingOfOurs(wavetest.Except{})
		})
	}
}
