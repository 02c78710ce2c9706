package services

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// registerTrail tells who has changed patch baselines.
func registerTrail(r *api.Registry, w *world.World) {
	badToken := api.Errorf("InvalidNextTokenException", "Invalid NextToken.")
	api.Handle(r, "cloudtrail", "LookupEvents", []string{
		"LookupAttributes", "StartTime", "EndTime", "MaxResults", "NextToken",
	}, func(c api.Call, in *cloudtrail.LookupEventsInput) (*cloudtrail.LookupEventsOutput, error) {
		from, to := aws.ToTime(in.StartTime), aws.ToTime(in.EndTime)
		switch {
		case in.StartTime != nil && in.EndTime != nil && from.After(to):
			return nil, api.Errorf("InvalidTimeRangeException", "The start time must not be after the end time.")
		case in.MaxResults != nil && (*in.MaxResults < 1 || *in.MaxResults > 50):
			return nil, api.Errorf("InvalidMaxResultsException", "MaxResults must be between 1 and 50.")
		case len(in.LookupAttributes) > 1:
			return nil, api.Errorf("InvalidLookupAttributesException", "Only one lookup attribute is allowed.")
		}
		name := ""
		for _, attribute := range in.LookupAttributes {
			if attribute.AttributeKey != types.LookupAttributeKeyEventName {
				return nil, api.NotModelled("attribute %s of cloudtrail:LookupEvents", attribute.AttributeKey)
			}
			name = aws.ToString(attribute.AttributeValue)
		}
		found := slices.DeleteFunc(regionOf(w, c).Trail(), func(event world.TrailEvent) bool {
			return name != "" && event.Name != name || in.StartTime != nil && event.Time.Before(from) ||
				in.EndTime != nil && event.Time.After(to)
		})
		found, next, err := page(found, in.NextToken, in.MaxResults, 50, badToken)
		out := &cloudtrail.LookupEventsOutput{Events: []types.Event{}, NextToken: next}
		for _, event := range found {
			out.Events = append(out.Events, eventOf(event))
		}
		return out, err
	})
}

func eventOf(event world.TrailEvent) types.Event {
	user := event.Caller[strings.LastIndex(event.Caller, "/")+1:]
	text, err := json.Marshal(map[string]any{
		"eventVersion": "1.08", "eventID": event.ID, "eventName": event.Name, "eventSource": event.Source,
		"eventTime": event.Time.UTC().Format(time.RFC3339), "userIdentity": map[string]string{"arn": event.Caller},
		"requestParameters": event.Parameters, "responseElements": event.Response,
	})
	if err != nil {
		panic(err) // texts always marshal
	}
	return types.Event{
		EventId: aws.String(event.ID), EventName: aws.String(event.Name), EventSource: aws.String(event.Source),
		EventTime: aws.Time(event.Time), Username: aws.String(user), ReadOnly: aws.String("false"),
		CloudTrailEvent: aws.String(string(text)),
	}
}

// traced lets CloudTrail see a call to Systems Manager that changed the baseline.
func traced(w *world.World, c api.Call, parameters map[string]string, baselineID string) {
	regionOf(w, c).Trace(world.TrailEvent{
		Name: c.Operation, Source: "ssm.amazonaws.com", Caller: c.Caller, Parameters: parameters,
		Response: map[string]string{"baselineId": baselineID},
	})
}
