package awssim

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Event is one call as the simulator saw it.
type Event struct {
	Seq       int             `json:"seq"`
	Time      time.Time       `json:"time"` // AWS time
	Account   string          `json:"account"`
	Region    string          `json:"region"`
	Caller    string          `json:"caller"` // ARN
	Service   string          `json:"service"`
	Operation string          `json:"operation"`
	Resource  string          `json:"resource,omitempty"`
	Ordinal   int             `json:"ordinal,omitempty"` // counts (account, region, operation, resource) from 1
	Arguments json.RawMessage `json:"arguments,omitempty"`
	Error     string          `json:"error,omitempty"` // code
	Message   string          `json:"message,omitempty"`
	Effect    bool            `json:"effect"`          // it changed something, even if the reply was lost
	Fault     string          `json:"fault,omitempty"` // kind of the injected fault
}

// Call names the call of an event, as an interceptor was asked about it.
func (e Event) Call() CallInfo {
	return CallInfo{
		Account: e.Account, Region: e.Region, Caller: e.Caller, Service: e.Service, Operation: e.Operation,
		Resource: e.Resource, Ordinal: e.Ordinal, Time: e.Time,
	}
}

// maxEvents bounds the log of a simulator that is left running; the oldest are dropped.
const maxEvents = 200_000

type eventLog struct {
	events    []Event
	seq       int
	requests  int
	ordinals  map[string]int
	calls     map[string]int
	throttled int
}

func newEventLog() eventLog {
	return eventLog{ordinals: map[string]int{}, calls: map[string]int{}}
}

func (l *eventLog) nextRequestID() string {
	l.requests++
	return fmt.Sprintf("00000000-0000-4000-8000-%012d", l.requests)
}

func (l *eventLog) ordinal(e Event) int {
	key := strings.Join([]string{e.Account, e.Region, e.Service, e.Operation, e.Resource}, "\x00")
	l.ordinals[key]++
	return l.ordinals[key]
}

func (l *eventLog) add(e Event) {
	l.seq++
	e.Seq = l.seq
	l.calls[e.Service+":"+e.Operation]++
	if isThrottle(e.Error) {
		l.throttled++
	}
	if len(l.events) == maxEvents {
		l.events = slices.Delete(l.events, 0, maxEvents/10)
	}
	l.events = append(l.events, e)
}

// Events returns every call so far, in order.
func (s *Sim) Events() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events.events)
}

// Calls counts calls by "service:operation", refused and throttled ones included.
func (s *Sim) Calls() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.events.calls)
}

// Throttled counts calls refused by a quota or a throttle fault.
func (s *Sim) Throttled() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.events.throttled
}

// logName is the service's usual name; CloudWatch signs as "monitoring".
func logName(service string) string {
	if service == "monitoring" {
		return "cloudwatch"
	}
	return service
}

// resourceFields are the input fields that name what a call is about, the most telling first.
var resourceFields = []string{
	"InstanceIds", "InstanceId", "AutomationExecutionId", "ExecutionId", "CommandId", "SnapshotId", "SnapshotIds",
	"VolumeId",
	"VolumeIds", "ReplaceRootVolumeTaskIds", "Targets", "AutoScalingGroupName", "AutoScalingGroupNames", "TargetGroupArn",
	"TargetGroupArns", "AlarmName", "AlarmNames", "Key", "Bucket", "RoleArn", "Resources", "ResourceId", "BaselineId",
	"PatchGroup", "DocumentName", "Name", "TopicArn", "QueueUrl", "FunctionName",
}

// resourceOf names what a call is about: ids, sorted and joined by commas, or "" when the input names nothing.
func resourceOf(input any) string {
	v := reflect.ValueOf(input).Elem()
	if started := parameterResource(v); started != "" {
		return started
	}
	for _, name := range resourceFields {
		field := v.FieldByName(name)
		if !field.IsValid() || field.IsZero() {
			continue
		}
		if names := namesIn(field); len(names) > 0 {
			return strings.Join(names, ",")
		}
	}
	return ""
}

func namesIn(field reflect.Value) []string {
	switch {
	case field.Kind() == reflect.Pointer && field.Elem().Kind() == reflect.String:
		return []string{field.Elem().String()}
	case field.Kind() == reflect.Slice && field.Type().Elem().Kind() == reflect.String:
		names := make([]string, field.Len())
		for i := range names {
			names[i] = field.Index(i).String()
		}
		slices.Sort(names)
		return names
	case field.Kind() == reflect.Slice && field.Type().Elem().Kind() == reflect.Struct: // targets of a target group
		var names []string
		for i := range field.Len() {
			if id := field.Index(i).FieldByName("Id"); id.IsValid() && id.Kind() == reflect.Pointer && !id.IsNil() {
				names = append(names, id.Elem().String())
			}
		}
		slices.Sort(names)
		return names
	}
	return nil
}

// parameterResource is the instance that an Automation is started for: it tells more than the runbook's name.
func parameterResource(v reflect.Value) string {
	parameters := v.FieldByName("Parameters")
	if !parameters.IsValid() {
		return ""
	}
	if byName, ok := parameters.Interface().(map[string][]string); ok {
		return strings.Join(byName["InstanceId"], ",")
	}
	return ""
}
