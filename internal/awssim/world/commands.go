package world

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// How Run Command takes its time.
const (
	deliverAfter     = time.Second            // from the call until a living agent has it
	invocationLag    = 500 * time.Millisecond // GetCommandInvocation knows of it only then
	cancelAfter      = 5 * time.Second        // until a living agent hears of a cancel
	defaultDelivery  = time.Hour
	defaultExecution = time.Hour
)

// Command is one SendCommand.
type Command struct {
	Region      *Region
	ID          string
	Document    string
	Version     string
	Comment     string
	Parameters  map[string][]string
	Requested   time.Time
	Expires     time.Time // when delivery and execution have had their time
	Delivery    time.Duration
	Invocations []*Invocation
	Rate        RateControl
	Output      CommandOutput

	content *commandContent
	errors  int // how many have counted against MaxErrors
}

// Invocation is a command on one instance.
type Invocation struct {
	Command  *Command
	Instance *Instance
	Status   string // Pending, InProgress, Cancelling, Success, Failed, Cancelled, TimedOut
	Details  string // as StatusDetails: DeliveryTimedOut, ExecutionTimedOut, ...
	Started  time.Time
	Ended    time.Time
	Code     int // -1 until it has ended
	Stdout   string
	Stderr   string

	results   []CommandStep // of a document of one's own, as far as it has come
	platform  string        // when the command was sent: a machine that is terminated has no disk any more
	sent      bool          // it is on its way to its agent, or past that: MaxConcurrency has let it
	cancelled bool
	timeout   *Event
	work      *Event
	onEnd     []func()
}

type commands struct {
	all shelf[*Command]
}

// SendSpec says what to run where.
type SendSpec struct {
	Document   string
	Version    string
	Comment    string
	Instances  []string
	Targeted   bool // they were found by targets: there may be none, or more than can be named
	Parameters map[string][]string
	Delivery   time.Duration // 0 is an hour
	Rate       RateControl
	Output     CommandOutput
}

// Send runs a command document on instances. An instance that SSM never heard of is InvalidInstanceId; one whose agent
// is silent gets the command when it is back, or never.
func (r *Region) Send(spec SendSpec) (*Command, error) {
	content, err := r.commandDocument(spec.Document, spec.Version)
	if err != nil {
		return nil, err
	}
	if err := content.checkParameters(spec.Document, spec.Parameters); err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, id := range spec.Instances {
		if seen[id] {
			return nil, api.Errorf("DuplicateInstanceId", "Instance %s is named more than once.", id)
		}
		seen[id] = true
	}
	if !spec.Targeted && (len(spec.Instances) == 0 || len(spec.Instances) > 50) {
		return nil, api.Errorf("ValidationException", "InstanceIds must hold 1 to 50 ids, it holds %d.", len(spec.Instances))
	}
	w := r.World
	command := &Command{
		Region: r, Document: spec.Document, Version: spec.Version, Comment: spec.Comment, Parameters: spec.Parameters,
		Requested: w.now, Delivery: spec.Delivery, Rate: spec.Rate.orDefault(), content: content,
		Output: spec.Output,
	}
	if err := command.Rate.check(); err != nil {
		return nil, err
	}
	if command.Delivery == 0 {
		command.Delivery = defaultDelivery
	}
	command.Expires = w.now.Add(command.Delivery + command.executionTimeout())
	for _, id := range spec.Instances {
		instance := r.Machine(id)
		if instance == nil || instance.State == Terminated || instance.LastPing().IsZero() ||
			w.Has(DoubtSilentAgentRefused) && instance.PingStatus() != "Online" {
			return nil, api.Errorf("InvalidInstanceId", "Instances [[%s]] not in a valid state for account %s", id, r.Account.ID)
		}
		if !spec.Targeted && !content.runsOn(instance.platform()) {
			return nil, api.Errorf("UnsupportedPlatformType", "Document %s does not support the platform %s of instance %s.",
				spec.Document, instance.platform(), id)
		}
		command.Invocations = append(command.Invocations, &Invocation{
			Command: command, Instance: instance, Status: "Pending", Details: "Pending", Code: -1, platform: instance.platform(),
		})
	}
	command.ID = r.NewUUID("command")
	r.commands.all.put(command.ID, command)
	for _, invocation := range command.Invocations {
		invocation.timeout = w.After(command.Expires.Sub(w.now), func() { invocation.expire("DeliveryTimedOut") })
	}
	command.sendMore()
	r.Changed("command", command.ID, "sent "+command.Document)
	return command, nil
}

// Command returns the command with that id, or nil.
func (r *Region) Command(id string) *Command {
	command, _ := r.commands.all.get(id)
	return command
}

// Commands lists the region's commands, oldest first.
func (r *Region) Commands() []*Command { return r.commands.all.all() }

// On returns the command's invocation on an instance, or nil.
func (c *Command) On(instanceID string) *Invocation {
	n := slices.IndexFunc(c.Invocations, func(v *Invocation) bool { return v.Instance.ID == instanceID })
	if n < 0 {
		return nil
	}
	return c.Invocations[n]
}

// Visible reports whether GetCommandInvocation knows of the command yet.
func (c *Command) Visible() bool { return !c.Region.World.now.Before(c.Requested.Add(invocationLag)) }

// Status sums the invocations up, as ListCommands does.
func (c *Command) Status() string {
	worst := "Success"
	for _, status := range []string{"Pending", "InProgress", "Cancelling", "Failed", "TimedOut", "Cancelled"} {
		if slices.ContainsFunc(c.Invocations, func(v *Invocation) bool { return v.Status == status }) {
			worst = status
			break
		}
	}
	return worst
}

// Done reports whether every invocation is terminal.
func (c *Command) Done() bool {
	return !slices.ContainsFunc(c.Invocations, func(v *Invocation) bool { return !v.Done() })
}

func (c *Command) parameter(name, fallback string) string {
	if values := c.Parameters[name]; len(values) > 0 && values[0] != "" {
		return values[0]
	}
	return fallback
}

func (c *Command) executionTimeout() time.Duration {
	if c.content.own {
		var all time.Duration
		for _, step := range c.content.steps {
			all += c.limit(step)
		}
		return all
	}
	for _, name := range []string{"executionTimeout", "StepTimeoutSeconds"} {
		if seconds, err := strconv.Atoi(c.parameter(name, "")); err == nil {
			return time.Duration(seconds) * time.Second
		}
	}
	if strings.HasPrefix(c.Document, "AWS-RunPatchBaseline") {
		return 2 * time.Hour
	}
	return defaultExecution
}

// Done reports whether the invocation is terminal.
func (v *Invocation) Done() bool {
	switch v.Status {
	case "Success", "Failed", "Cancelled", "TimedOut":
		return true
	}
	return false
}

// deliver hands the command to the agent, if one is listening; otherwise it waits for the agent to come back.
func (v *Invocation) deliver() {
	if v.Status != "Pending" || !v.sent || !v.Instance.AgentOnline() {
		return
	}
	w := v.Instance.Region.World
	v.timeout.Stop()
	v.Status, v.Details, v.Started = "InProgress", "InProgress", w.now
	v.timeout = w.After(v.Command.executionTimeout(), v.overdue)
	switch {
	case v.Command.content.own:
		v.runOwn(0)
	case v.Command.Document == "AWS-RunPatchBaseline":
		v.runPatchBaseline()
	default:
		v.runShell()
	}
}

// agentBack is the moment an agent came back: what waited for it is delivered, what it was doing goes on.
func (r *Region) agentBack(i *Instance) {
	if !i.AgentOnline() {
		return
	}
	if resume := i.machine.resume; resume != nil {
		i.machine.resume = nil
		resume()
	}
	for _, command := range r.commands.all.all() {
		if v := command.On(i.ID); v != nil && v.Status == "Pending" {
			v.deliver()
		}
	}
}

// busy lets the machine work for d and then goes on. A machine that goes down meanwhile never finishes, and nobody
// tells Run Command so.
func (v *Invocation) busy(d time.Duration, then func()) {
	epoch := v.Instance.machine.epoch
	v.work = v.Instance.Region.World.After(d, func() {
		if v.Instance.machine.epoch == epoch && !v.Done() {
			then()
		}
	})
}

// rebootAnd reboots the machine from inside and goes on when its agent is back.
func (v *Invocation) rebootAnd(then func()) {
	i := v.Instance
	w := i.Region.World
	epoch := i.machine.goDown(i)
	i.Region.Changed("instance", i.ID, "rebooting")
	i.machine.resume = func() {
		if !v.Done() {
			then()
		}
	}
	switch {
	case w.faults.strikes(FaultRebootHangs, i):
		i.after(epoch, w.Scenario.Durations.Reboot.D(), func() {
			i.machine.hung = true
			i.Region.Changed("instance", i.ID, "does not come back from its reboot")
		})
	default:
		i.machine.mute = w.faults.strikes(FaultAgentSilent, i)
		i.machine.boot(i, w.Scenario.Durations.Reboot.D())
	}
}

// end is the agent reporting how the command ended. A cancel that came in time wins.
func (v *Invocation) end(status string, code int, stdout, stderr string) {
	if v.Done() {
		return
	}
	if v.cancelled {
		status = "Cancelled"
	}
	if status == "Failed" && code > 0 {
		// Each of these documents is a script to the agent, which says so below what the script said (runscript.go of
		// amazon-ssm-agent).
		agents := fmt.Sprintf("\nfailed to run commands: exit status %d", code)
		stderr = strings.TrimLeft(strings.TrimRight(stderr, "\n")+agents, "\n")
	}
	v.Status, v.Details, v.Code, v.Stdout, v.Stderr = status, status, code, stdout, stderr
	v.finish()
}

// overdue is the agent ending what takes too long. Of a machine whose agent is silent Run Command says so only when the
// whole time for the command is over, delivery and execution: the guide on command statuses.
func (v *Invocation) overdue() {
	w := v.Instance.Region.World
	if left := v.Command.Expires.Sub(w.now); left > 0 && !v.Instance.AgentOnline() {
		v.timeout = w.After(left, func() { v.expire("DeliveryTimedOut") })
		return
	}
	v.expire("ExecutionTimedOut")
}

func (v *Invocation) expire(details string) {
	w := v.Instance.Region.World
	if v.Done() || v.cancelled && w.Has(DoubtCancellingStays) && !v.Instance.AgentOnline() {
		return
	}
	v.Status, v.Details = "TimedOut", details
	if v.cancelled {
		v.Status, v.Details = "Cancelled", "Cancelled"
	}
	v.finish()
}

func (v *Invocation) finish() {
	v.Ended = v.Instance.Region.World.now
	v.timeout.Stop()
	v.work.Stop()
	v.upload()
	v.Instance.Region.Changed("command", v.Command.ID, v.Status+" on "+v.Instance.ID)
	for _, do := range v.onEnd {
		do()
	}
	v.onEnd = nil
	v.Command.ended(v)
}

// Cancel asks for the invocations on these instances, or all, to end. One that waits for delivery is cancelled at once.
// A running one hears of it some seconds later if its agent lives: its work stops where it is, and what it changed
// stays. One in the middle of a reboot ends when its agent is back.
func (c *Command) Cancel(instanceIDs []string) {
	for _, v := range c.Invocations {
		if v.Done() || v.cancelled || len(instanceIDs) > 0 && !slices.Contains(instanceIDs, v.Instance.ID) {
			continue
		}
		v.cancelled = true
		if v.Status == "Pending" {
			v.end("Cancelled", -1, "", "")
			continue
		}
		v.Status, v.Details = "Cancelling", "Cancelling"
		c.Region.World.After(cancelAfter, func() {
			if !v.Done() && v.Instance.AgentOnline() {
				v.end("Cancelled", -1, "", "")
			}
		})
	}
}
