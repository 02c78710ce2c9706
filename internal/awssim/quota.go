package awssim

import (
	"net/http"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// rate is a token bucket's: calls a second of AWS time, and how many may come at once.
type rate struct{ perSecond, burst float64 }

// documentedRates are quotas per account, region and operation as AWS documents them for Systems Manager Automation,
// CloudWatch and CloudTrail.
var documentedRates = map[string]rate{
	"ssm:StartAutomationExecution":         {1, 1},
	"ssm:StopAutomationExecution":          {1, 1},
	"ssm:GetAutomationExecution":           {3, 3},
	"ssm:DescribeAutomationExecutions":     {3, 3},
	"ssm:DescribeAutomationStepExecutions": {3, 3},
	"ssm:SendAutomationSignal":             {3, 3},
	"monitoring:DescribeAlarms":            {9, 9},
	"cloudtrail:LookupEvents":              {2, 2},
	"monitoring:GetMetricData":             {50, 50},
}

// Rates that AWS does not publish, or publishes per kind of call. EC2's are its documented buckets for reads and
// writes. Auto Scaling has one bucket for its whole API; its size is a cautious guess.
var (
	ec2Reads     = rate{20, 100}
	ec2Writes    = rate{5, 50}
	autoScaling  = rate{10, 50}
	objectStore  = rate{3500, 5500}
	everyoneElse = rate{20, 50}
)

// throttleErrors are each service's own way to say "Rate exceeded".
var throttleErrors = map[string]*api.Error{
	"ssm":        {Code: "ThrottlingException", Message: "Rate exceeded", Status: http.StatusBadRequest},
	"monitoring": {Code: "ThrottlingException", Message: "Rate exceeded", Status: http.StatusBadRequest},
	"kms":        {Code: "ThrottlingException", Message: "Rate exceeded", Status: http.StatusBadRequest},
	"codedeploy": {Code: "ThrottlingException", Message: "Rate exceeded", Status: http.StatusBadRequest},
	"cloudtrail": {Code: "ThrottlingException", Message: "Rate exceeded", Status: http.StatusBadRequest},
	"ec2": {
		Code: "RequestLimitExceeded", Message: "Request limit exceeded.", Status: http.StatusServiceUnavailable,
	},
	"sqs": {Code: "RequestThrottled", Message: "Rate exceeded", Status: http.StatusBadRequest},
	"lambda": {
		Code: "TooManyRequestsException", Message: "Rate Exceeded.", Status: http.StatusTooManyRequests,
		Details: map[string]string{"Reason": "CallerRateLimitExceeded"}, Headers: map[string]string{"Retry-After": "1"},
	},
	"s3": {Code: "SlowDown", Message: "Please reduce your request rate.", Status: http.StatusServiceUnavailable},
}

func throttled(service string) *api.Error {
	if failure := throttleErrors[service]; failure != nil {
		return failure
	}
	return &api.Error{Code: "Throttling", Message: "Rate exceeded", Status: http.StatusBadRequest}
}

func isThrottle(code string) bool {
	switch code {
	case "ThrottlingException", "RequestLimitExceeded", "SlowDown", "Throttling", "RequestThrottled",
		"TooManyRequestsException":
		return true
	}
	return false
}

// quotas holds one bucket per account, region and what shares a limit.
type quotas struct{ buckets map[string]*bucket }

type bucket struct {
	tokens float64
	at     time.Time
}

func newQuotas() quotas { return quotas{buckets: map[string]*bucket{}} }

func bucketOf(service, operation string) (string, rate) {
	name := service + ":" + operation
	if documented, ok := documentedRates[name]; ok {
		return name, documented
	}
	switch {
	case service == "autoscaling":
		return service, autoScaling
	case service == "s3":
		return service, objectStore
	case service == "ec2" && api.IsRead(operation):
		return "ec2:reads", ec2Reads
	case service == "ec2":
		return name, ec2Writes
	}
	return name, everyoneElse
}

// take takes one token; false means throttled.
func (q quotas) take(account string, sc scope, operation string, now time.Time) bool {
	name, limit := bucketOf(sc.service, operation)
	key := account + "/" + sc.region + "/" + name
	b := q.buckets[key]
	if b == nil {
		b = &bucket{tokens: limit.burst, at: now}
		q.buckets[key] = b
	}
	if passed := now.Sub(b.at).Seconds(); passed > 0 {
		b.tokens, b.at = min(limit.burst, b.tokens+passed*limit.perSecond), now
	}
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
