package world

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// stepOutputLimit is how much of a command's output a step keeps: the plugin output of ListCommandInvocations is cut
// there too. Whoever needs more reads the command's invocation.
const stepOutputLimit = 2500

// runCommandStep is aws:runCommand: it sends a command and waits for all its invocations.
func (e *Execution) runCommandStep(done *StepExecution, inputs map[string]any, end func(result)) {
	spec := SendSpec{
		Document: textOf(inputs["DocumentName"]), Comment: textOf(inputs["Comment"]), Instances: texts(inputs["InstanceIds"]),
		Parameters: map[string][]string{},
	}
	if seconds := textOf(inputs["TimeoutSeconds"]); seconds != "" {
		n, err := strconv.Atoi(seconds)
		if err != nil || n < 30 || n > 2592000 {
			end(result{status: "Failed", failure: "TimeoutSeconds must be 30 to 2592000, it is " + seconds})
			return
		}
		spec.Delivery = time.Duration(n) * time.Second
	}
	if parameters, ok := inputs["Parameters"].(map[string]any); ok {
		for name, value := range parameters {
			spec.Parameters[name] = texts(value)
		}
	}
	command, err := e.send(spec, inputs)
	if err != nil {
		end(result{status: "Failed", failure: err.Error()})
		return
	}
	done.command = command
	done.Outputs["CommandId"] = []string{command.ID}
	for _, invocation := range command.Invocations {
		invocation.onEnd = append(invocation.onEnd, func() {
			if command.Done() {
				end(commandResult(command))
			}
		})
	}
}

// send sends a step's command if the execution's role may.
func (e *Execution) send(spec SendSpec, inputs map[string]any) (*Command, error) {
	named := map[string]any{"DocumentName": spec.Document, "InstanceIds": inputs["InstanceIds"]}
	if err := e.allowed("ssm", "SendCommand", named); err != nil {
		return nil, err
	}
	return e.Region.Send(spec)
}

func commandResult(c *Command) result {
	worst := c.Invocations[0]
	for _, invocation := range c.Invocations {
		if worst.Status == "Success" {
			worst = invocation
		}
	}
	output := worst.Stdout
	if worst.Stderr != "" {
		output += "\n----------ERROR-------\n" + worst.Stderr
	}
	if len(output) > stepOutputLimit {
		output = output[:stepOutputLimit]
	}
	r := result{status: worst.Status, code: strconv.Itoa(worst.Code), outputs: map[string][]string{
		"CommandId": {c.ID}, "Status": {worst.Details}, "ResponseCode": {strconv.Itoa(worst.Code)}, "Output": {output},
	}}
	if r.status != "Success" {
		r.failure = fmt.Sprintf("Command %s returns unexpected invocation result: {Status=[%s], ResponseCode=[%d], "+
			"Output=[%s], CommandId=[%s]}",
			c.ID, worst.Details, worst.Code, output, c.ID)
	}
	if r.status == "TimedOut" {
		r.status = "Failed" // only a step's own limit makes a step TimedOut
	}
	return r
}

// sleepStep is aws:sleep.
func (e *Execution) sleepStep(inputs map[string]any, end func(result)) {
	d, err := isoDuration(textOf(inputs["Duration"]))
	if err != nil {
		end(result{status: "Failed", failure: err.Error()})
		return
	}
	e.Region.World.After(d, func() { end(result{status: "Success"}) })
}

var isoPattern = regexp.MustCompile(`^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$`)

// isoDuration reads an ISO 8601 duration of days, hours, minutes and seconds.
func isoDuration(text string) (time.Duration, error) {
	parts := isoPattern.FindStringSubmatch(text)
	if parts == nil || text == "P" || strings.HasSuffix(text, "T") {
		return 0, fmt.Errorf("%q is not a duration; write it like PT5M", text)
	}
	var d time.Duration
	for n, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
		if parts[n+1] == "" {
			continue
		}
		count, err := strconv.Atoi(parts[n+1])
		if err != nil {
			return 0, fmt.Errorf("duration %q: %w", text, err)
		}
		d += time.Duration(count) * unit
	}
	return d, nil
}

// createTagsStep is aws:createTags on EC2 resources.
func (e *Execution) createTagsStep(inputs map[string]any, end func(result)) {
	if kind := textOf(inputs["ResourceType"]); !slices.Contains([]string{"", "EC2"}, kind) {
		end(result{status: "Failed", failure: "aws:createTags: ResourceType " + kind + " is not modelled"})
		return
	}
	tags := Tags{}
	list, _ := inputs["Tags"].([]any)
	for _, each := range list {
		if pair, ok := each.(map[string]any); ok {
			tags[textOf(pair["Key"])] = textOf(pair["Value"])
		}
	}
	err := e.allowed(
		"ec2", "CreateTags", map[string]any{"Resources": texts(inputs["ResourceIds"]), "Tags": inputs["Tags"]},
	)
	if err == nil {
		err = e.Region.TagResources(texts(inputs["ResourceIds"]), tags)
	}
	if err != nil {
		end(result{status: "Failed", failure: err.Error()})
		return
	}
	end(result{status: "Success"})
}

func textOf(value any) string {
	if value == nil {
		return ""
	}
	return fmt.Sprint(value)
}
