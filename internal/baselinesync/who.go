package baselinesync

import (
	"context"
	"encoding/json"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"github.com/patchtide/patchtide/baselines"
	"github.com/patchtide/patchtide/internal/aws"
)

const (
	// trailKept is for how long CloudTrail tells of an event, and trailLag how late at most (API reference, LookupEvents;
	// guide, event history).
	trailKept = 90 * 24 * time.Hour
	trailLag  = 15 * time.Minute
	// beside is by how much the time of a change may differ between the two services.
	beside = 2 * time.Minute
	// trailBudget bounds the question: nobody waits long for what nothing depends on.
	trailBudget = 10 * time.Second
	// trailPages bounds how many pages are read: an account may change baselines often.
	trailPages = 5
)

// question is what CloudTrail is asked of a baseline: one kind of event within a time.
type question struct {
	operation  string
	patchGroup string // that the event is about; "": any
	from, to   time.Time
}

// questionOf is about what changed a baseline last. Of a patch group that was taken from it Systems Manager keeps no
// time.
func questionOf(found *Found, now time.Time) (question, bool) {
	if group := found.onlyGroup(); group != "" {
		return question{"DeregisterPatchBaselineForPatchGroup", group, now.Add(-trailKept), now}, true
	}
	modified := found.Has.ModifiedDate
	if modified == nil {
		return question{}, false
	}
	asked := question{"UpdatePatchBaseline", "", modified.Add(-beside), modified.Add(beside)}
	if created := found.Has.CreatedDate; created != nil && modified.Sub(*created) < time.Second {
		asked.operation = "CreatePatchBaseline"
	}
	return asked, true
}

// addWho adds who changed a baseline last, as CloudTrail tells it. Nothing depends on it: what keeps it from being told
// is told in its place.
func (d *Drift) addWho(ctx context.Context, s *aws.Services, found *Found) {
	d.ByUnknown = "nobody could say who"
	now, err := aws.TimeOf(found.Has.ResultMetadata, "")
	if err != nil || s.CloudTrail == nil {
		return
	}
	asked, known := questionOf(found, now)
	switch {
	case !known:
		return
	case now.Sub(asked.to) > trailKept:
		d.ByUnknown += ": CloudTrail tells of 90 days"
		return
	}
	ctx, cancel := context.WithTimeout(ctx, trailBudget)
	defer cancel()
	pages := cloudtrail.NewLookupEventsPaginator(s.CloudTrail, &cloudtrail.LookupEventsInput{
		LookupAttributes: []types.LookupAttribute{{
			AttributeKey: types.LookupAttributeKeyEventName, AttributeValue: &asked.operation,
		}},
		StartTime: &asked.from, EndTime: &asked.to,
	})
	for n := 0; n < trailPages && pages.HasMorePages(); n++ {
		page, err := pages.NextPage(ctx)
		switch {
		case aws.KindOf(err) == aws.Denied:
			d.ByUnknown += ": the role may not ask CloudTrail (cloudtrail:LookupEvents)"
			return
		case err != nil:
			d.ByUnknown += ": CloudTrail did not answer"
			return
		}
		for _, event := range page.Events { // the newest first
			if by := changedBy(event, found.ID, asked.patchGroup); by != "" {
				d.By, d.ByUnknown, d.Modified = by, "", event.EventTime
				return
			}
		}
	}
	if now.Sub(asked.to) < trailLag-beside {
		d.ByUnknown = "nobody can say who yet: CloudTrail tells it up to 15 minutes later"
		return
	}
	d.ByUnknown += ": CloudTrail has no event of it"
}

// changedBy is who made a change to the baseline; "" where the event is of another one, of another patch group than one
// that is asked for, or failed.
func changedBy(event types.Event, id, patchGroup string) string {
	var told struct {
		UserIdentity struct {
			ARN string `json:"arn"`
		} `json:"userIdentity"`
		ErrorCode         string `json:"errorCode"`
		RequestParameters struct {
			BaselineID string `json:"baselineId"`
			PatchGroup string `json:"patchGroup"`
		} `json:"requestParameters"`
		ResponseElements struct {
			BaselineID string `json:"baselineId"`
		} `json:"responseElements"`
	}
	if err := json.Unmarshal([]byte(aws.Deref(event.CloudTrailEvent)), &told); err != nil || told.ErrorCode != "" {
		return ""
	}
	if patchGroup != "" && told.RequestParameters.PatchGroup != patchGroup {
		return ""
	}
	for _, of := range []string{told.RequestParameters.BaselineID, told.ResponseElements.BaselineID} {
		if of != "" && aws.BareID(of) == aws.BareID(id) {
			if told.UserIdentity.ARN != "" {
				return told.UserIdentity.ARN
			}
			return aws.Deref(event.Username)
		}
	}
	return ""
}

// ReadDrift is how a baseline differs from its file and who changed it last, as far as CloudTrail tells that; nil where
// it does not differ, or is not there. It changes nothing, and never fails.
func ReadDrift(ctx context.Context, s *aws.Services, wanted baselines.Baseline, found *Found) *Drift {
	drift := driftOf(wanted, found)
	if drift != nil {
		drift.addWho(ctx, s, found)
	}
	return drift
}
