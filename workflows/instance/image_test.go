package instance_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
	"github.com/patchtide/patchtide/workflows"
)

// byImage is a scene whose production gets root volumes of an image that staging has proven.
func byImage(t *testing.T, fleet func(*world.Scenario)) *wavetest.Scene {
	return wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Fleet: wavetest.WithAPI(fleet),
		Config: func(file []byte) []byte { return wavetest.ByImage(wavetest.Unattended(file)) },
	})
}

// roots are production's root volumes.
func roots(scene *wavetest.Scene) (volumes map[string]string) {
	scene.Production(func(group *world.ScalingGroup) { volumes = wavetest.Roots(group.Region) })
	return volumes
}

// Each machine of production gets a root volume of the one image that a machine of staging has proven, in place: its id
// and addresses stay, and its old root volume is kept for as long as backups are.
func TestRootVolumesAreReplacedByTheImageThatStagingProved(t *testing.T) {
	scene := byImage(t, nil)
	before := roots(scene)
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	require.Len(t, result.Stages[1].Images, 1)
	image := result.Stages[1].Images[0]
	require.True(t, image.Ours)
	require.NotEmpty(t, image.Packages)
	require.Contains(t, image.From, "/api")
	require.Len(t, scene.Effects("CreateImage"), 1)
	require.Len(t, scene.Effects("CreateReplaceRootVolumeTask"), 4)
	require.Len(t, scene.Effects("StartAutomationExecution"), 2, "staging's two only")
	for _, told := range result.Stages[1].Groups[0].Instances {
		require.Equal(t, patch.Patched, told.Outcome, "%+v", told)
		require.Equal(t, image.Packages, told.PackagesAfter)
		require.NotZero(t, told.Changes)
		scene.Production(func(group *world.ScalingGroup) {
			machine := group.Region.Instance(told.ID)
			require.Equal(t, told.RootVolume, machine.RootVolume)
			require.Equal(t, image.ID, machine.Image.ID)
			old := group.Region.Volume(before[told.ID])
			require.NotNil(t, old)
			require.Empty(t, old.Attached)
			require.NotEmpty(t, old.Tags[names.TagExpires])
			require.Equal(t, told.ID, old.Tags[names.TagReplaced])
		})
	}
	scene.RequireInvariants(result, wavetest.Except{})
}

// Whatever becomes of a replacement, the machine is proven on what it had, or is in quarantine.
func TestAReplacementByAnImageThatGoesWrong(t *testing.T) {
	fault := func(kind string, times int) func(*world.Scenario) {
		return wavetest.WithFaults(nil, world.WorldFault{Kind: kind, Account: "production", Group: "web", Times: times})
	}
	for _, c := range []struct {
		name  string
		fleet func(*world.Scenario)
		want  patch.Outcome
		own   bool // on the very root volume that it had
		says  string
	}{
		{"EC2 fails, and leaves it", fault(world.FaultRootReplaceFails, 1), patch.RolledBack, true, "ended as failed"},
		{"EC2 leaves it without one", fault(world.FaultRootReplaceDetaches, 1), patch.RolledBack, false, "failed-detached"},
		{"and so it does again", fault(world.FaultRootReplaceDetaches, -1), patch.Quarantined, false, "failed-detached"},
		{"its agent does not come back", fault(world.FaultAgentSilent, 1), patch.RolledBack, false, "gave up waiting"},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := byImage(t, c.fleet)
			volumes, held := roots(scene), scene.Packages()
			scene.Decide = []patch.Verb{patch.Abort}
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			victim := result.Stages[1].Groups[0].Instances[0]
			require.Equal(t, c.want, victim.Outcome, "%+v", victim)
			require.Contains(t, victim.Reason, c.says)
			require.Equal(t, c.own, roots(scene)[victim.ID] == volumes[victim.ID])
			require.Empty(t, scene.NeitherRoot(result, held))
			except := wavetest.Except{}
			if c.want == patch.Quarantined {
				except = wavetest.Except{Newcomers: 1, Out: []string{victim.ID}}
			}
			scene.RequireInvariants(result, except)
		})
	}
}

// A reply that is lost, and an abort in the middle, replace no root volume twice.
func TestAReplacementByAnImageIsMadeOnce(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault string
		abort bool
	}{
		{"its reply is lost", awssim.FaultLostReply, false},
		{"it is throttled", awssim.FaultThrottle, false},
		{"the wave is aborted meanwhile", "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := byImage(t, nil)
			held, asked := scene.Packages(), 0
			scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
				if call.Operation != "CreateReplaceRootVolumeTask" {
					return awssim.Fault{}
				}
				if asked++; asked == 1 && c.fault != "" {
					return awssim.Fault{Kind: c.fault}
				}
				return awssim.Fault{}
			})
			if c.abort {
				scene.When(scene.Did("CreateReplaceRootVolumeTask"), func(patch.WaveStatus) {
					scene.Tell(patch.Abort, "")
				})
			}
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			effects := scene.Effects("CreateReplaceRootVolumeTask")
			if c.abort {
				require.Equal(t, patch.Aborted, result.Outcome)
				require.Len(t, effects, 1)
				require.Equal(t, patch.Patched, result.Stages[1].Groups[0].Instances[0].Outcome)
			} else {
				require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
				require.Len(t, effects, 4)
			}
			require.Empty(t, scene.NeitherRoot(result, held))
			scene.RequireInvariants(result, wavetest.Except{})
		})
	}
}

// A wave that dies in the middle of a replacement is healed: the machine has its own root volume's content again, also
// where EC2 tells of the task no more, or somebody took our tag off it.
func TestADeadReplacementByAnImageIsHealed(t *testing.T) {
	for _, c := range []struct {
		name   string
		forget bool
	}{{"EC2 tells of its task", false}, {"EC2 tells of it no more", true}} {
		t.Run(c.name, func(t *testing.T) {
			scene := byImage(t, nil)
			held := scene.Packages()
			scene.DieAt(wavetest.Production, "CreateReplaceRootVolumeTask", 1)
			if c.forget {
				scene.Production(func(group *world.ScalingGroup) {
					for _, task := range group.Region.RootTasks() {
						clear(task.Tags)
					}
				})
			}
			result := scene.Reconcile(workflows.ReconcileRequest{}, time.Hour)
			require.Empty(t, result.Failed)
			scene.Production(func(group *world.ScalingGroup) {
				for _, member := range group.Members() {
					require.Equal(t, held[member.Instance.ID], member.Instance.Disk().Packages(), member.Instance.ID)
				}
			})
			require.Len(t, scene.Effects("CreateReplaceRootVolumeTask"), 2, "the image's, and the way back")
			scene.RequireNobodyOut()
		})
	}
}

// A roll back puts the old root volume's content back, without taking the image's volume for somebody else's.
func TestARollBackOfAnImagePutsTheOldRootBack(t *testing.T) {
	scene := byImage(t, nil)
	held := scene.Packages()
	scene.Play(func(s wavetest.Story) {
		wave := s.Wave("wave-image")
		if wave.Outcome != patch.Succeeded {
			t.Errorf("%+v", wave)
		}
		back, err := s.RollBack("wave-image", false)
		if err != nil || back.Outcome != patch.RolledBack {
			t.Errorf("%v %+v", err, back)
		}
	})
	scene.Production(func(group *world.ScalingGroup) {
		for _, member := range group.Members() {
			require.Equal(t, held[member.Instance.ID], member.Instance.Disk().Packages(), member.Instance.ID)
		}
	})
}

// A first stage has nobody before it: a parameter names its image, which its machines prove.
func TestAFirstStageGetsTheImageThatAParameterNames(t *testing.T) {
	const parameter, newest = "/aws/service/newest", "ami-0fffffffffffffff0"
	for _, c := range []struct {
		name  string
		image func(*world.Scenario) // that the parameter names
		want  patch.Outcome
		says  string
	}{
		{"it has all", func(s *world.Scenario) { newer(s, newest, true) }, patch.Patched, ""},
		{"it lacks what is approved", func(s *world.Scenario) {
			newer(s, newest, false)
		}, patch.RolledBack, "lacks what is approved"},
		{"it is another's product", func(s *world.Scenario) {
			newer(s, newest, true)
			s.Images[len(s.Images)-1].ProductCode = "product"
		}, patch.Failed, "ImageDoesNotFit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			scene := wavetest.New(t, wavetest.Options{
				Scenario: "healthy", Fleet: func(s *world.Scenario) {
					c.image(s)
					region := &s.Accounts[1].Regions[0]
					if region.Parameters == nil {
						region.Parameters = map[string]string{}
					}
					region.Parameters[parameter] = newest
				},
				Config: wavetest.ProductionOnly(func(file []byte) []byte {
					return wavetest.PlanWith("        service: web\n", "        service: web\n        method: image\n"+
						"        state_on_root: none\n        root_image: "+parameter+"\n")(wavetest.Unattended(file))
				}),
			})
			held := scene.Packages()
			scene.Decide = []patch.Verb{patch.Abort}
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			first := result.Stages[0].Groups[0].Instances[0]
			require.Equal(t, c.want, first.Outcome, "%+v", first)
			require.Contains(t, first.Reason, c.says)
			require.Equal(t, newest, result.Stages[0].Images[0].ID)
			require.Empty(t, scene.Effects("CreateImage"))
			require.Empty(t, scene.NeitherRoot(result, held))
			scene.RequireNobodyOut()
			if c.want == patch.Failed {
				require.Empty(t, scene.Effects("EnterStandby"), "nothing was touched")
			}
		})
	}
}

// A machine that is not well on the image gets its old root volume back, and what its hooks did is undone, as if
// packages had been installed.
func TestAMachineThatIsNotWellOnTheImageIsPutBack(t *testing.T) {
	const hooks = "        hooks:\n          before_out: [{name: drain, run: echo drain, undo: {run: echo undrain}}]\n" +
		"          before_install: [{name: stop, run: echo stop, undo: {run: echo start}}]\n" +
		"          after_install: [{name: warm, run: echo warm}]\n"
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Fleet: wavetest.WithAPI(nil), Config: func(file []byte) []byte {
			const key = "        state_on_root: none\n"
			return wavetest.PlanWith(key, key+hooks)(wavetest.ByImage(wavetest.Unattended(file)))
		},
	})
	scene.Decide = []patch.Verb{patch.Abort}
	replaced := false
	scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		replaced = replaced || call.Operation == "CreateReplaceRootVolumeTask"
		if replaced && call.Operation == "DescribeTargetHealth" { // what is on the image does not serve in production
			scene.Later(func() {
				scene.Production(func(group *world.ScalingGroup) {
					for _, member := range group.Members() {
						if member.Instance.Disk().Version("openssl.x86_64") == "1:3.2.2-1.amzn2023.0.7" {
							member.Instance.StopApp()
						}
					}
				})
			})
		}
		return awssim.Fault{}
	})
	held := scene.Packages()
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Empty(t, result.Stranded)
	first := result.Stages[1].Groups[0].Instances
	first = first[slices.IndexFunc(first, func(i patch.InstanceResult) bool { return i.Outcome != patch.NotStarted }):]
	require.Equal(t, patch.RolledBack, first[0].Outcome, "%+v", first[0])
	var said []string
	for _, event := range scene.Effects("SendCommand") {
		for _, word := range []string{"echo drain", "echo stop", "echo warm", "echo start", "echo undrain"} {
			if strings.Contains(string(event.Arguments), word+"\"") {
				said = append(said, strings.TrimPrefix(word, "echo "))
			}
		}
	}
	require.Equal(t, []string{"drain", "stop", "warm", "start", "undrain"}, said)
	require.Empty(t, scene.NeitherRoot(result, held))
	scene.RequireNobodyOut()
}

// What the first stage has proved of the image that a parameter names, the stages after it get, whatever the parameter
// names by then.
func TestALaterStageGetsTheImageThatTheFirstHasProven(t *testing.T) {
	const parameter, newest, later = "/aws/service/newest", "ami-0fffffffffffffff0", "ami-0ffffffffffffffff"
	scene := wavetest.New(t, wavetest.Options{
		Scenario: "healthy", Fleet: wavetest.WithAPI(func(s *world.Scenario) {
			newer(s, newest, true)
			newer(s, later, false)
			s.Images[len(s.Images)-1].Name = "later"
			s.Accounts[1].Regions[0].Parameters = map[string]string{parameter: newest}
		}),
		Config: func(file []byte) []byte {
			const api = "            auto_scaling_group: api\n"
			return wavetest.PlanWith(api, api+"        method: image\n        state_on_root: none\n        root_image: "+
				parameter+"\n")(wavetest.ByImage(file))
		},
	})
	scene.When(wavetest.InState(patch.StateAwaitingApproval), func(patch.WaveStatus) {
		scene.Production(func(group *world.ScalingGroup) {
			if _, err := group.Region.PutParameter(parameter, "String", later, true, nil); err != nil {
				t.Errorf("move the parameter: %v", err)
			}
		})
	})
	held := scene.Packages()
	result, err := scene.Run(wavetest.WebWave)
	require.NoError(t, err)
	require.Equal(t, patch.Succeeded, result.Outcome, "%+v", result)
	require.Equal(t, []string{newest, newest}, []string{result.Stages[0].Images[0].ID, result.Stages[1].Images[0].ID})
	proven := result.Stages[1].Images[0]
	require.NotEmpty(t, proven.Packages)
	require.NotEmpty(t, proven.Kernel)
	for _, stage := range result.Stages {
		for _, one := range stage.Groups[0].Instances {
			require.Equal(t, patch.Patched, one.Outcome, "%+v", one)
		}
	}
	require.Empty(t, scene.Effects("CreateImage"))
	require.Empty(t, scene.NeitherRoot(result, held))
}

// newer adds an image of the system that machines run, with all patches or with none.
func newer(s *world.Scenario, id string, patched bool) {
	image := s.Images[0]
	image.ID, image.Name = id, "newest"
	if patched {
		os := s.OperatingSystems[0]
		for _, one := range s.OperatingSystems {
			if one.Name == image.OS {
				os = one
			}
		}
		packages := map[string]string{}
		for name, version := range os.Packages {
			packages[name] = version
		}
		for _, one := range s.Patches {
			if _, holds := packages[one.ID]; holds && one.OS == os.Name {
				packages[one.ID] = one.Version
			}
		}
		os.Packages, os.Name = packages, "patched"
		s.OperatingSystems = append(s.OperatingSystems, os)
		image.OS = os.Name
	}
	s.Images = append(s.Images, image)
}
