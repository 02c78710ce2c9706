package patch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

var launch = patch.Launch{
	Template: "lt-1", TemplateName: "web", Follows: patch.FollowsDefault, Version: 3, Default: 3, Latest: 4, Image: "ami-1",
}

func TestWhatMayNotBeRenewed(t *testing.T) {
	renews := patch.ImagePolicy{From: patch.ImagePatched, Promote: patch.PromoteDefault}
	for _, c := range []struct {
		name   string
		policy func(*patch.ImagePolicy)
		launch func(*patch.Launch)
		says   string // "": it may
	}{
		{name: "the default"},
		{name: "the latest", launch: func(l *patch.Launch) { l.Follows = patch.FollowsLatest }},
		{name: "a number", launch: func(l *patch.Launch) { l.Follows = "3" }},
		{name: "a launch configuration", launch: func(l *patch.Launch) { l.Unusable = "it has the launch configuration web" }, says: "it has"},
		{name: "a parameter", launch: func(l *patch.Launch) { l.Image = "resolve:ssm:/a" }, says: "follows the parameter already"},
		{
			"a parameter, from a parameter", func(p *patch.ImagePolicy) { p.From = patch.ImageNamed },
			func(l *patch.Launch) { l.Image = "resolve:ssm:/a" }, "follows the parameter already",
		},
		{
			"a parameter, by force", func(p *patch.ImagePolicy) { p.From, p.Force = patch.ImageNamed, true },
			func(l *patch.Launch) { l.Image = "resolve:ssm:/a" }, "follows the parameter already",
		},
		{
			"a parameter that nobody changes", func(p *patch.ImagePolicy) {
				p.From, p.Promote = patch.ImageNamed, patch.PromoteNone
			},
			func(l *patch.Launch) { l.Image = "resolve:ssm:/a" }, "",
		},
		{
			"a parameter, of which nobody knows what it maps", func(p *patch.ImagePolicy) { p.Promote = patch.PromoteNone },
			func(l *patch.Launch) { l.Image = "resolve:ssm:/a" }, "write from: parameter",
		},
		{name: "a volume of the image", launch: func(l *patch.Launch) { l.Dropped = "it maps /dev/sdf" }, says: "maps /dev/sdf"},
		{
			"a volume of the image, by force", func(p *patch.ImagePolicy) { p.Force = true },
			func(l *patch.Launch) { l.Dropped = "it maps /dev/sdf" }, "maps /dev/sdf",
		},
		{
			"a volume of the image, from a parameter", func(p *patch.ImagePolicy) { p.From = patch.ImageNamed },
			func(l *patch.Launch) { l.Dropped = "it maps /dev/sdf" }, "",
		},
		{
			name:   "in a stack",
			launch: func(l *patch.Launch) { l.Tags = map[string]string{"aws:cloudformation:stack-name": "web"} },
			says:   "kept by the CloudFormation stack web",
		},
		{
			"in a stack, by force", func(p *patch.ImagePolicy) { p.Force = true },
			func(l *patch.Launch) { l.Tags = map[string]string{"aws:cloudformation:stack-name": "web"} }, "",
		},
		{
			name: "Terraform's", launch: func(l *patch.Launch) { l.Tags = map[string]string{"managed-by": "terraform"} },
			says: "kept by terraform",
		},
		{name: "Terraform's, shortly", launch: func(l *patch.Launch) { l.Tags = map[string]string{"Terraform": "true"} }, says: "kept by"},
		{name: "not Terraform's", launch: func(l *patch.Launch) { l.Tags = map[string]string{"Terraform": "false"} }},
		{name: "a name that only has it", launch: func(l *patch.Launch) { l.Tags = map[string]string{"Name": "terraform-runner"} }},
		{name: "shared", launch: func(l *patch.Launch) { l.Shared = []string{"api", "batch"} }, says: "also serves api, batch"},
		{
			"shared, by force", func(p *patch.ImagePolicy) { p.Force = true },
			func(l *patch.Launch) { l.Shared = []string{"api"} }, "",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			policy, l := renews, launch
			if c.policy != nil {
				c.policy(&policy)
			}
			if c.launch != nil {
				c.launch(&l)
			}
			if said := policy.Refuse(l); c.says == "" {
				require.Empty(t, said)
			} else {
				require.Contains(t, said, c.says)
			}
		})
	}
}

func TestWhatOthersChangedOfALaunch(t *testing.T) {
	for _, c := range []struct {
		name string
		now  func(*patch.Launch)
		says string
	}{
		{"nothing", func(*patch.Launch) {}, ""},
		{"a tag", func(l *patch.Launch) { l.Tags = map[string]string{"a": "b"} }, ""},
		{"its template", func(l *patch.Launch) { l.Template = "lt-2" }, "another template"},
		{"what it follows", func(l *patch.Launch) { l.Follows = patch.FollowsLatest }, "another version"},
		{"the default, which it follows", func(l *patch.Launch) { l.Version, l.Default = 4, 4 }, "from version 4"},
		{"a version", func(l *patch.Launch) { l.Latest = 5 }, "somebody made version 5"},
		{"the default", func(l *patch.Launch) { l.Default = 2 }, "version 2 the default"},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := launch
			c.now(&now)
			if said := launch.Changed(now); c.says == "" {
				require.Empty(t, said)
			} else {
				require.Contains(t, said, c.says)
			}
		})
	}
}

func TestWhatIsPutBackOfATemplate(t *testing.T) {
	latest := launch
	latest.Follows = patch.FollowsLatest
	number := launch
	number.Follows = "3"
	for _, c := range []struct {
		name     string
		was      patch.Launch
		defaults bool
		now      patch.TemplateNow
		back     patch.TemplateBack
	}{
		{"the default", launch, true, patch.TemplateNow{Default: 5, Latest: 5}, patch.TemplateBack{Default: 3}},
		{"the default, under later versions", launch, true, patch.TemplateNow{Default: 5, Latest: 7}, patch.TemplateBack{Default: 3}},
		{
			"a default of somebody's", launch, true,
			patch.TemplateNow{Default: 6, Latest: 6},
			patch.TemplateBack{Told: "somebody has made version 6 the default since, which stays"},
		},
		{"it is back already", launch, true, patch.TemplateNow{Default: 3, Latest: 5}, patch.TemplateBack{}},
		{"the default was left", launch, false, patch.TemplateNow{Default: 3, Latest: 5}, patch.TemplateBack{}},
		{"the latest", latest, false, patch.TemplateNow{Default: 3, Latest: 5}, patch.TemplateBack{Again: true}},
		{"both", latest, true, patch.TemplateNow{Default: 5, Latest: 5}, patch.TemplateBack{Default: 3, Again: true}},
		{
			"an earlier try has made the latest", latest, true,
			patch.TemplateNow{Default: 6, Latest: 6, Again: 6},
			patch.TemplateBack{Told: "somebody has made version 6 the default since, which stays"},
		},
		{
			"a later version than an earlier try's", latest, false,
			patch.TemplateNow{Default: 3, Latest: 7, Again: 6},
			patch.TemplateBack{Told: "somebody has made version 7 since, which stays"},
		},
		{
			"a later version of somebody's", latest, false,
			patch.TemplateNow{Default: 3, Latest: 6},
			patch.TemplateBack{Told: "somebody has made version 6 since, which stays"},
		},
		{"a number", number, false, patch.TemplateNow{Default: 3, Latest: 5, Named: "5"}, patch.TemplateBack{Names: true}},
		{"a number that is back already", number, false, patch.TemplateNow{Default: 3, Latest: 5, Named: "3"}, patch.TemplateBack{}},
		{
			"a number of somebody's", number, false,
			patch.TemplateNow{Default: 3, Latest: 6, Named: "6"},
			patch.TemplateBack{Told: "somebody has had the group launch from version 6 since, which stays"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			renewal := patch.ImageRenewal{Was: c.was, Version: 5, Defaults: c.defaults}
			require.Equal(t, c.back, renewal.TemplateBack(c.now))
		})
	}
}

func TestWhichImagesExpire(t *testing.T) {
	image := func(id string, day int, proven bool) patch.OurImage {
		return patch.OurImage{
			ID: id, Proven: proven, Created: time.Date(2026, 11, day, 0, 0, 0, 0, time.UTC).Format(time.RFC3339),
		}
	}
	all := []patch.OurImage{
		image("a", 1, true), image("failed-early", 2, false), image("b", 3, true), image("c", 4, true),
		image("failed-late", 5, false), image("d", 6, true),
	}
	for _, c := range []struct {
		name    string
		images  []patch.OurImage
		keep    int
		newest  string
		expired []string
	}{
		{"none", nil, 3, "d", nil},
		{"more than are kept", all, 2, "d", []string{"failed-late", "b", "failed-early", "a"}},
		{"as many as are kept", all, 4, "d", []string{"failed-late", "failed-early"}},
		{"the newest is not listed yet", all[:5], 2, "d", []string{"failed-early", "a"}},
		{"what failed last stays until a newer is proven", []patch.OurImage{image("a", 1, true), image("bad", 2, false)}, 1, "", nil},
		{
			"of those that failed last the newest stays", []patch.OurImage{
				image("a", 1, true), image("bad", 2, false), image("worse", 3, false), image("worst", 4, false),
			}, 1, "", []string{"worse", "bad"},
		},
		{"a clock that goes back keeps the newest", []patch.OurImage{image("new", 1, true), image("old", 9, true)}, 1, "new", nil},
		{"zero is one", []patch.OurImage{image("a", 1, true), image("b", 2, true)}, 0, "b", []string{"a"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			expired := patch.ExpiredImages(c.images, c.keep, c.newest)
			require.Equal(t, c.expired, expired)
			require.NotContains(t, expired, c.newest)
		})
	}
}

// A roll back has the group launch the image of before again: it is kept, however few are.
func TestTheImageOfARollBackStays(t *testing.T) {
	at := func(day int) string { return time.Date(2026, 11, day, 0, 0, 0, 0, time.UTC).Format(time.RFC3339) }
	images := []patch.OurImage{
		{ID: "older", Proven: true, Created: at(1)},
		{ID: "before", Proven: true, Created: at(2)},
		{ID: "newest", Proven: true, Created: at(3)},
	}
	require.Equal(t, []string{"older"}, patch.ExpiredImages(images, 1, "newest", "before"))
}

func TestWhatIsToldOfAnImage(t *testing.T) {
	renewed := patch.ImageRenewal{Image: "ami-2", From: "i-1", Was: launch, Proven: true, Reaches: true}
	require.Equal(t, "image proven, and what it launches from already: ami-2, made from i-1", renewed.Told())
	renewed.Version, renewed.Notes = 5, []string{"it was tried without its target groups"}
	require.Equal(t, "image renewed: it launches next from ami-2, made from i-1 (version 5 of the launch template web); it was "+
		"tried without its target groups", renewed.Told())
}

// An image takes hours: its window, a blackout or a calendar may have shut meanwhile. That the rest of the window is
// too short for another instance is no such thing.
func TestWhatShutsWhileAnImageIsMade(t *testing.T) {
	now := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	window := func(minutes int) *patch.Window {
		closes := now.Add(time.Duration(minutes) * time.Minute)
		return &patch.Window{Opens: now.Add(-time.Hour), Cutoff: closes, Closes: closes}
	}
	for _, c := range []struct {
		name   string
		change func(*patch.View)
		code   patch.RefusalCode // "": open
	}{
		{"no window", func(*patch.View) {}, ""},
		{"a window", func(v *patch.View) { v.Policy.Window = window(120) }, ""},
		{"a window that ends soon", func(v *patch.View) { v.Policy.Window = window(1) }, ""},
		{"a window that has closed", func(v *patch.View) { v.Policy.Window = window(-1) }, patch.RefusedOutsideWindow},
		{"a calendar", func(v *patch.View) {
			v.Around = &patch.Interference{Calendars: []patch.Calendar{{Name: "sale", Open: true}}}
		}, ""},
		{"a closed calendar", func(v *patch.View) {
			v.Around = &patch.Interference{Calendars: []patch.Calendar{{Name: "sale"}}}
		}, patch.RefusedCalendar},
		{"a silent calendar", func(v *patch.View) {
			v.Around = &patch.Interference{Calendars: []patch.Calendar{{Name: "sale", Error: "denied"}}}
		}, patch.RefusedCalendar},
	} {
		t.Run(c.name, func(t *testing.T) {
			view := patch.View{Group: patch.Group{Region: "eu-west-1", AutoScalingGroup: "web"}, Now: now}
			c.change(&view)
			if shut := patch.Shut(view); c.code == "" {
				require.Nil(t, shut)
			} else {
				require.NotNil(t, shut)
				require.Equal(t, c.code, shut.Code)
			}
		})
	}
}

func TestWhoGivesItsRootToAnImage(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(2026, 11, 22, hour, 0, 0, 0, time.UTC) }
	one := func(id string, outcome patch.Outcome, hour int) patch.InstanceResult {
		return patch.InstanceResult{ID: id, Outcome: outcome, Ended: at(hour)}
	}
	whole := patch.GroupResult{Outcome: patch.Succeeded}
	for _, c := range []struct {
		name      string
		change    func(*patch.GroupResult)
		instances []patch.InstanceResult
		donors    []string
		says      string
	}{
		{
			"the last proven first", nil,
			[]patch.InstanceResult{one("a", patch.Patched, 1), one("b", patch.Patched, 2), one("c", patch.AlreadyCompliant, 3)},
			[]string{"b", "a"},
			"",
		},
		{"one that waits for a reboot", nil, []patch.InstanceResult{one("a", patch.PatchedRebootPending, 1)}, nil, "a reboot"},
		{
			"a gap", func(g *patch.GroupResult) { g.Gaps = []patch.Gap{{Instance: "i-9", Why: "it joined"}} },
			[]patch.InstanceResult{one("a", patch.Patched, 1)},
			nil, "i-9 it joined",
		},
		{
			"a skip", func(g *patch.GroupResult) { g.Outcome = patch.SucceededWithSkips },
			[]patch.InstanceResult{one("a", patch.Patched, 1)},
			nil, "it ended succeeded with skips",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			group := whole
			group.Instances = c.instances
			if c.change != nil {
				c.change(&group)
			}
			donors, why := group.Donors()
			require.Equal(t, c.donors, donors)
			if c.says == "" {
				require.Empty(t, why)
			} else {
				require.Contains(t, why, c.says)
			}
		})
	}
}

func TestATrialIsJudgedByItsDonor(t *testing.T) {
	for _, c := range []struct {
		name         string
		trial, donor patch.Scan
		why, note    string
	}{
		{"both have all", patch.Scan{}, patch.Scan{}, "", ""},
		{"it lacks one", patch.Scan{Missing: []string{"curl", "openssl"}}, patch.Scan{Missing: []string{"curl"}}, "have: openssl", ""},
		{"both lack what is new", patch.Scan{Missing: []string{"curl"}}, patch.Scan{Missing: []string{"curl"}}, "", "published since, and on none of them: curl"},
		{"more are counted than are named", patch.Scan{MissingCount: 3}, patch.Scan{MissingCount: 1}, "2 more", ""},
		{"it was not scanned", patch.Scan{Error: "its agent is silent"}, patch.Scan{}, "its agent is silent", ""},
		{"one failed", patch.Scan{Failed: []string{"curl"}}, patch.Scan{}, "failed on the trial: curl", ""},
		{"its donor was not scanned, and it has all", patch.Scan{}, patch.Scan{Error: "gone"}, "", ""},
		{"its donor was not scanned, and it lacks one", patch.Scan{Missing: []string{"curl"}}, patch.Scan{Error: "gone"}, "it lacks curl", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			why, note := patch.JudgeTrial(c.trial, c.donor)
			require.Equal(t, c.note, note)
			if c.why == "" {
				require.Empty(t, why)
			} else {
				require.Contains(t, why, c.why)
			}
		})
	}
}

func TestAnImageFailsNobodysPatching(t *testing.T) {
	failed := patch.NotRenewed("a snapshot failed")
	require.Equal(t, patch.SucceededImageStale, patch.Succeeded.JudgedImage(failed))
	require.Equal(t, patch.Succeeded, patch.Succeeded.JudgedImage(&patch.ImageRenewal{Reaches: true}))
	require.Equal(t, patch.Succeeded, patch.Succeeded.JudgedImage(nil))
	for _, worse := range []patch.Outcome{patch.SucceededWithGaps, patch.SucceededWithSkips, patch.Failed, patch.Aborted} {
		require.Equal(t, worse, worse.JudgedImage(failed))
		require.Equal(t, worse, patch.CombinedOutcome([]patch.Outcome{patch.SucceededImageStale, worse, patch.Succeeded}))
	}
	require.Equal(t, patch.SucceededImageStale, patch.CombinedOutcome([]patch.Outcome{
		patch.Succeeded, patch.SucceededImageStale,
	}))
	require.True(t, patch.SucceededImageStale.EndsWell())
	require.False(t, patch.WaveStatus{Outcome: patch.SucceededImageStale}.EndedWell(), "somebody should look")
}
