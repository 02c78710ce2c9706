package baselinesync

import (
	"context"
	"encoding/json"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
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

// who is who changed a baseline last, as CloudTrail tells it. Nothing depends on it: what keeps it from being told is
// told in its place.
func who(ctx context.Context, s *aws.Services, found *Found) (by, unknown string) {
	modified := found.Has.ModifiedDate
	now, err := aws.TimeOf(found.Has.ResultMetadata, "")
	switch {
	case s.CloudTrail == nil || modified == nil || err != nil:
		return "", "nobody could say who"
	case now.Sub(*modified) > trailKept:
		return "", "nobody could say who: CloudTrail tells of 90 days"
	}
	ctx, cancel := context.WithTimeout(ctx, trailBudget)
	defer cancel()
	operation := "UpdatePatchBaseline"
	if created := found.Has.CreatedDate; created != nil && modified.Sub(*created) < time.Second {
		operation = "CreatePatchBaseline"
	}
	pages := cloudtrail.NewLookupEventsPaginator(s.CloudTrail, &cloudtrail.LookupEventsInput{
		LookupAttributes: []types.LookupAttribute{{
			AttributeKey: types.LookupAttributeKeyEventName, AttributeValue: &operation,
		}},
		StartTime: awssdk.Time(modified.Add(-beside)), EndTime: awssdk.Time(modified.Add(beside)),
	})
	for n := 0; n < trailPages && pages.HasMorePages(); n++ {
		page, err := pages.NextPage(ctx)
		switch {
		case aws.KindOf(err) == aws.Denied:
			return "", "nobody could say who: the role may not ask CloudTrail (cloudtrail:LookupEvents)"
		case err != nil:
			return "", "nobody could say who: CloudTrail did not answer"
		}
		for _, event := range page.Events { // the newest first
			if by := changedBy(event, found.ID); by != "" {
				return by, ""
			}
		}
	}
	if now.Sub(*modified) < trailLag {
		return "", "nobody can say who yet: CloudTrail tells it up to 15 minutes later"
	}
	return "", "nobody could say who: CloudTrail has no event of it"
}

// changedBy is who made a change to the baseline; "" where the event is of another one, or failed.
func changedBy(event types.Event, id string) string {
	var told struct {
		UserIdentity struct {
			ARN string `json:"arn"`
		} `json:"userIdentity"`
		ErrorCode         string `json:"errorCode"`
		RequestParameters struct {
			BaselineID string `json:"baselineId"`
		} `json:"requestParameters"`
		ResponseElements struct {
			BaselineID string `json:"baselineId"`
		} `json:"responseElements"`
	}
	if err := json.Unmarshal([]byte(aws.Deref(event.CloudTrailEvent)), &told); err != nil || told.ErrorCode != "" {
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

// ReadDrift is DriftOf with who changed it last, as far as CloudTrail tells that. It changes nothing, and never fails.
func ReadDrift(
	ctx context.Context, s *aws.Services, wanted baselines.Baseline, found *Found,
) *Drift {
	drift := DriftOf(wanted, found)
	if drift != nil {
		drift.By, drift.ByUnknown = who(ctx, s, found)
	}
	return drift
}
