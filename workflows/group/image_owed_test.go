package group_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/internal/awssim"
	"github.com/patchtide/patchtide/internal/awssim/world"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavetest"
)

// A wave that has nothing to patch renews the image that an earlier one did not, and is not green as long as it cannot.
func TestAnImageThatAnEarlierWaveOwesIsRenewed(t *testing.T) {
	for _, c := range []struct {
		name     string
		approved bool // somebody must approve the stage
		mended   bool
		changes  func(*testing.T, *world.ScalingGroup)
		outcome  patch.Outcome
		says     string // of the renewal; "": there is none
		failed   int    // images that are kept to be looked at
	}{
		{name: "by the next wave", mended: true, outcome: patch.Succeeded, says: "image renewed: ", failed: 1},
		{name: "it still cannot be", outcome: patch.SucceededImageStale, says: "launch a trial: ", failed: 1},
		{
			name: "nobody is asked to approve it", approved: true, mended: true, outcome: patch.SucceededImageStale,
			says: "nobody was asked to approve the stage, for nothing is due on it", failed: 1,
		},
		{
			name: "somebody has given it another", mended: true, outcome: patch.Succeeded, failed: 1,
			changes: func(t *testing.T, group *world.ScalingGroup) {
				group.Template.Default = group.Template.AddVersion(world.LaunchTemplateVersion{
					Image: earlierImage(t, group, 0).ID, Type: "m7i.large",
				})
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			options := renewing("patched_instance")
			options.Config = unattendedRenewal
			if c.approved {
				options = renewing("patched_instance")
			}
			scene := wavetest.New(t, options)
			denied := func(call awssim.CallInfo) awssim.Fault {
				if call.Operation == "RunInstances" {
					return awssim.Fault{Kind: awssim.FaultError, Code: "UnauthorizedOperation", Message: "not authorized"}
				}
				return awssim.Fault{}
			}
			scene.Sim.SetInterceptor(denied)
			named(scene)
			result, err := scene.Run(wavetest.WebWave)
			require.NoError(t, err)
			require.Equal(t, patch.SucceededImageStale, result.Outcome, "%+v", renewal(result))

			if c.mended {
				scene.Sim.SetInterceptor(nil)
			}
			if c.changes != nil {
				scene.Production(func(group *world.ScalingGroup) { c.changes(t, group) })
			}
			for range 2 {
				scene.Again(scene.Env.Now().Add(24 * time.Hour))
				named(scene)
				result, err = scene.Run(wavetest.WebWave)
				require.NoError(t, err)
				require.Equal(t, c.outcome, result.Outcome, "%+v", renewal(result))
				require.Zero(t, wavetest.CountInProduction(result, patch.Patched))
				switch now := renewal(result); {
				case c.says == "" || c.outcome == patch.Succeeded && now == nil: // what is renewed is renewed once
					require.Nil(t, now)
				default:
					require.Contains(t, now.Told(), c.says)
					require.Equal(t, c.outcome == patch.Succeeded, now.Reaches)
					require.Contains(t, strings.Join(now.Notes, "; "), " had left it: ")
					require.Equal(t, 1, strings.Count(now.Told(), "had left it: "), "it grows with no wave")
				}
			}
			require.Equal(t, c.outcome == patch.Succeeded, renewal(result) == nil, "what is renewed is renewed once")
			failed := 0
			scene.Production(func(group *world.ScalingGroup) {
				for _, image := range group.Region.Images() {
					if image.Tags[names.TagImageState] == "failed" {
						failed++
					}
				}
			})
			require.LessOrEqual(t, failed, c.failed, "of those that failed the newest is kept")
			scene.RequireNothingOfOurs(wavetest.Except{})
		})
	}
}

// unattendedRenewal is a plan of production alone that asks nobody, and renews its image.
func unattendedRenewal(file []byte) []byte {
	return wavetest.ProductionOnly(wavetest.PlanWith(
		"        max_unavailable: 1\n", "        max_unavailable: 1\n        image: patched_instance\n",
		"approval: {required: true, timeout: 24h}", "approval: {required: false}"))(file)
}

// A wave that is rolled back after a later one has renewed its image names that: the group would launch what is put
// back.
func TestARollBackNamesTheImageOfALaterWave(t *testing.T) {
	options := renewing("patched_instance")
	options.Config = unattendedRenewal
	scene := wavetest.New(t, options)
	deny := true
	scene.Sim.SetInterceptor(func(call awssim.CallInfo) awssim.Fault {
		if call.Operation == "RunInstances" && deny {
			return awssim.Fault{Kind: awssim.FaultError, Code: "UnauthorizedOperation", Message: "not authorized"}
		}
		return awssim.Fault{}
	})
	const first, later = "wave-web-20361122-020000", "wave-web-20361123-020000"
	var result, renewed, back, again *patch.WaveResult
	scene.Play(func(story wavetest.Story) {
		result = story.Wave(first)
		deny = false
		story.Later(12 * time.Hour)
		renewed = story.Wave(later)
		story.Later(time.Hour)
		var err error
		if back, err = story.RollBack(first, false); err != nil {
			t.Errorf("the roll back: %v", err)
		}
		if again, err = story.RollBack(later, false); err != nil {
			t.Errorf("the roll back of the later wave: %v", err)
		}
	})
	require.Equal(t, patch.SucceededImageStale, result.Outcome, reasons(result))
	require.True(t, renewal(renewed).Reaches, reasons(renewed))
	require.Len(t, back.Stranded, 1, reasons(back))
	require.Contains(t, back.Stranded[0].State, "which the wave "+later+" made of what is put back here")
	require.Contains(t, back.Stranded[0].WhatToDo, "patchtide wave roll-back "+later)
	require.Contains(t, renewal(again).Told(), "image put back: version 1 of the launch template web is the default again")
}

// named has the next wave an id as a schedule gives it, by which later ones find it.
func named(scene *wavetest.Scene) {
	scene.Env.SetStartWorkflowOptions(client.StartWorkflowOptions{
		ID: names.ScheduledWave("web", scene.Env.Now()), TaskQueue: names.TaskQueue,
	})
}
