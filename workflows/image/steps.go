package image

import (
	"errors"
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/freeze"
	"github.com/patchtide/patchtide/workflows/internal/run"
	"github.com/patchtide/patchtide/workflows/internal/undo"
	"github.com/patchtide/patchtide/workflows/scan"
)

// look reads what the group launches from, and refuses what may not be changed.
func (r *renewal) look(ctx workflow.Context) error {
	read, err := r.read(ctx)
	if err != nil {
		return err
	}
	if why := r.in.Policy.Image.Refuse(read.Launch); why != "" {
		return errors.New(why)
	}
	if read.Donor == "" {
		return errors.New("none of those patched is in service any more")
	}
	r.status.Was, r.donor = read.Launch.Brief(), read.Donor
	return nil
}

func (r *renewal) read(ctx workflow.Context) (activities.LaunchRead, error) {
	return r.readLaunch(ctx, activities.ReadLaunchInput{Group: r.in.Group, Donors: r.in.Donors})
}

func (r *renewal) readLaunch(ctx workflow.Context, in activities.ReadLaunchInput) (
	read activities.LaunchRead, err error,
) {
	options := run.Reading(ctx, r.in.Group, r.in.Policy.Timing)
	err = workflow.ExecuteActivity(options, aws.ReadLaunch, in).Get(ctx, &read)
	return read, err
}

// mayBegin asks right before something is launched or changed what was asked when the group began: an image may take
// hours, and the window may have closed since, a calendar too, or a person have frozen the account.
func (r *renewal) mayBegin(ctx workflow.Context) error {
	policy := r.in.Policy
	view := patch.View{Group: r.in.Group, Policy: policy, Now: workflow.Now(ctx)}
	if len(policy.Calendars) > 0 {
		around, err := run.ReadInterference(ctx, activities.ReadInterferenceInput{
			Group: r.in.Group, Calendars: policy.Calendars,
		}, policy.Timing)
		if err != nil {
			return err
		}
		view.Around = &around
	}
	if shut := patch.Shut(view); shut != nil {
		return errors.New(shut.What)
	}
	switch asked := freeze.Ask(ctx, run.Owner(ctx), r.in.Group.Account.Name); {
	case asked.Ended:
		return errors.New("whoever began it has ended")
	case asked.Why != "":
		return errors.New(asked.Why)
	}
	return ctx.Err()
}

// make makes the image, or reads which one the parameter names, and waits until it can be launched.
func (r *renewal) make(ctx workflow.Context) error {
	policy, t := r.in.Policy.Image, r.in.Policy.Timing
	if policy.From == patch.ImageNamed {
		r.status.From, r.status.Named = "the parameter "+policy.Parameter, true
		options := run.Reading(ctx, r.in.Group, t)
		if err := workflow.ExecuteActivity(options, aws.ReadNamedImage, activities.ReadNamedImageInput{
			Group: r.in.Group, Parameter: policy.Parameter,
		}).Get(ctx, &r.status.Image); err != nil {
			return err
		}
	} else {
		r.status.From = r.donor
		if err := r.act(ctx, aws.MakeImage, activities.MakeImageInput{
			Instance: activities.Instance{Group: r.in.Group, ID: r.donor}, Plan: r.in.Policy.Plan,
			Attempt: r.in.attempt("make"), Pace: r.pace(),
		}, &r.status.Image); err != nil {
			return err
		}
	}
	// It is as large as a first snapshot of its volume, at worst.
	return r.await(ctx, t.Snapshot, aws.AwaitImage, activities.AwaitImageInput{
		Group: r.in.Group, Image: r.status.Image, Pace: r.pace(),
	}, nil)
}

// ours reports whether the image was made by us: what a parameter names is not ours to mark or delete.
func (r *renewal) ours() bool { return r.in.Policy.Image.From == patch.ImagePatched }

// quarantine marks the image as failed: it is kept to be looked at, until a newer one is proven.
func (r *renewal) quarantine(ctx workflow.Context) error {
	if !r.ours() || r.status.Proven {
		return nil
	}
	options := run.Undoing(ctx, r.in.Group, r.in.Policy.Timing)
	if r.status.Image == "" { // its reply was lost: it may be there all the same
		if r.donor == "" {
			return nil
		}
		run.OutwaitLag(ctx, r.in.Policy.Timing)
		if err := undo.Act(options, aws.FindImage, activities.FindImageInput{
			Group: r.in.Group, Attempt: r.in.attempt("make"),
		}, &r.status.Image); err != nil || r.status.Image == "" {
			return err
		}
	}
	return undo.Act(options, aws.TagImage, activities.TagImageInput{
		Group: r.in.Group, Image: r.status.Image, State: activities.ImageFailed,
	}, nil)
}

// launch launches the trial.
func (r *renewal) launch(ctx workflow.Context) error {
	if err := r.mayBegin(ctx); err != nil {
		return err
	}
	return r.act(ctx, aws.LaunchTrial, activities.TrialInput{
		Group: r.in.Group, Plan: r.in.Policy.Plan, Launch: r.status.Was, Image: r.status.Image, Donor: r.donor,
		Attempt: r.in.attempt("trial"), Pace: r.pace(),
	}, &r.trial)
}

// endTrial terminates the trial, for certain.
func (r *renewal) endTrial(ctx workflow.Context) error {
	if r.trial == "" {
		run.OutwaitLag(ctx, r.in.Policy.Timing)
	}
	return undo.Act(run.Undoing(ctx, r.in.Group, r.in.Policy.Timing), aws.EndTrial, activities.EndTrialInput{
		Group: r.in.Group, ID: r.trial, Token: r.in.attempt("trial").Token, Pace: r.pace(),
	}, nil)
}

// outside is the trial as an instance of no Auto Scaling group: it is asked as one that is chosen by its tag.
func (r *renewal) outside() activities.Instance {
	return activities.Instance{ID: r.trial, Group: patch.Group{
		Account: r.in.Group.Account, Region: r.in.Group.Region, Tags: map[string]string{names.TagTrial: r.in.Group.Name()},
	}}
}

// prove waits until the trial is well, and has all that the donor has. What can only be asked of a member is not asked,
// and told.
func (r *renewal) prove(ctx workflow.Context) error {
	t := r.in.Policy.Timing
	trial := r.outside()
	if err := r.await(ctx, t.Start, aws.AwaitStarted, activities.StartStoppedInput{
		Instance: trial, Pace: r.pace(),
	}, nil); err != nil {
		return err
	}
	checks, unasked := patch.TrialChecks(r.in.Policy.Health)
	if unasked != "" {
		r.note("%s", unasked)
	}
	if err := r.await(ctx, t.HealthBudget, aws.AwaitHealthy, activities.AwaitHealthyInput{
		Observe: activities.ObserveHealthInput{
			Instance: trial, Platform: r.in.Policy.Platform, Checks: checks,
			Pace: activities.Pace{Poll: t.HealthPoll, ReadLag: t.ReadLag},
		},
	}, nil); err != nil {
		return err
	}
	var has activities.ImageProof
	if err := r.await(ctx, t.Agent, aws.ProveImage, activities.ProveImageInput{
		CollectMachineFactsInput: activities.CollectMachineFactsInput{
			Instance: trial, Platform: r.in.Policy.Platform, Attempt: run.Anew(ctx, r.in.attempt("facts")), Budget: t.Agent,
			Pace: r.pace(),
		}, At: workflow.Now(ctx),
	}, &has); err != nil {
		return err
	}
	if len(has.Blocked) > 0 {
		return errors.New("it has what is blocked: " + strings.Join(has.Blocked, ", "))
	}
	scans, err := scan.Of(ctx, t, activities.AwaitScanInput{
		Group: r.in.Group, Instances: []string{r.trial, r.donor}, BaselineID: r.in.BaselineID,
	}, run.Anew(ctx, r.in.attempt("snapshot")).Token, run.Anew(ctx, r.in.attempt("scan")))
	if err != nil {
		return err
	}
	why, note := patch.JudgeTrial(scans[0], scans[1])
	if note != "" {
		r.note("%s", note)
	}
	if why != "" {
		return errors.New(why)
	}
	return nil
}

// endProven ends the trial, and marks the image as proven.
func (r *renewal) endProven(ctx workflow.Context) error {
	undoing, stop := r.undoing(ctx)
	defer stop()
	if err := r.endTrial(undoing); err != nil {
		return err
	}
	if r.ours() {
		if err := r.act(ctx, aws.TagImage, activities.TagImageInput{
			Group: r.in.Group, Image: r.status.Image, State: activities.ImageProven,
		}, nil); err != nil {
			return err
		}
	}
	r.status.Proven = true
	return nil
}

// promote puts the image into the launch template, as the plan says, and reads what the group launches then.
func (r *renewal) promote(ctx workflow.Context) error {
	policy, was := r.in.Policy.Image, r.status.Was
	if policy.Promote == patch.PromoteNone || was.Image == r.status.Image {
		r.status.Reaches = was.Image == r.status.Image
		return nil
	}
	if err := r.mayBegin(ctx); err != nil {
		return err
	}
	failed := r.act(ctx, aws.MakeVersion, activities.MakeVersionInput{
		Group: r.in.Group, Launch: was, Image: r.status.Image, Attempt: r.in.attempt("version"), Pace: r.pace(),
	}, &r.status.Version)
	switch {
	case failed != nil || policy.Promote != patch.PromoteDefault:
	case was.Numbered():
		failed = r.act(ctx, aws.NameVersion, activities.NameVersionInput{
			Group: r.in.Group, Launch: was, To: r.status.Version, Pace: r.pace(),
		}, nil)
	default:
		r.status.Defaults = true
		failed = r.act(ctx, aws.SetDefault, activities.SetDefaultInput{
			Group: r.in.Group, Template: was.Template, TemplateName: was.TemplateName, From: was.Default,
			To: r.status.Version, Pace: r.pace(),
		}, nil)
	}
	clean, _ := workflow.NewDisconnectedContext(ctx)
	if failed != nil {
		run.OutwaitLag(clean, r.in.Policy.Timing) // it may have had its effect
	}
	expects := failed == nil && policy.Reaches(was)
	if err := r.readPromoted(clean, expects); err != nil {
		r.strandVersion(err)
		return errors.Join(failed, errors.New("what the group launches now cannot be read: "+run.Reason(err)))
	}
	switch {
	case failed != nil:
		return failed
	case expects && !r.status.Reaches:
		return errors.New("somebody has changed at the same time what the group launches, which stays")
	case was.Follows == patch.FollowsLatest && r.status.Version > was.Latest+1:
		r.note("somebody made version %d of the launch template at the same time, over which ours has gone: see which is "+
			"meant", r.status.Version-1)
	}
	return nil
}

// readPromoted reads what the group launches from now, again as long as reads may lag where it is expected to be the
// image, and which version is ours, of whose making nobody may have heard.
func (r *renewal) readPromoted(ctx workflow.Context, expects bool) error {
	t, was := r.in.Policy.Timing, r.status.Was
	deadline := workflow.Now(ctx).Add(t.ReadLag.D())
	for {
		now, err := r.readLaunch(ctx, activities.ReadLaunchInput{Group: r.in.Group, Made: &activities.VersionMade{
			Template: was.Template, After: was.Latest, Token: r.in.attempt("version").Token,
		}})
		if err != nil {
			return err
		}
		r.status.Reaches = now.Launch.Image == r.status.Image
		r.status.Version = max(r.status.Version, now.Made)
		if !expects || r.status.Reaches || !workflow.Now(ctx).Before(deadline) {
			return nil
		}
		if err := workflow.NewTimerWithOptions(ctx, t.Poll.D(), workflow.TimerOptions{
			Summary: "until AWS's reads show the new version",
		}).Get(ctx, nil); err != nil {
			return err
		}
	}
}

// expire cleans up once an image is proven.
func (r *renewal) expire(ctx workflow.Context) error {
	r.cleanUp(ctx)
	return nil
}

// cleanUp deregisters older images of ours. What cannot be is told, and fails nothing.
func (r *renewal) cleanUp(ctx workflow.Context) {
	if !r.ours() {
		return
	}
	stay := []string{r.status.Was.Image}
	if r.status.Proven {
		stay = append(stay, r.status.Image)
	}
	var expired activities.ImagesExpired
	if err := r.act(ctx, aws.ExpireImages, activities.ExpireImagesInput{
		Group: r.in.Group, Keep: r.in.Policy.Image.Keep, Stay: stay,
	}, &expired); err != nil {
		r.note("older images could not be cleaned up: %s", run.Reason(err))
	}
	if expired.Kept != "" {
		r.note("older images are kept: %s", expired.Kept)
	}
	r.status.Expired = len(expired.Images)
}
