package world

import (
	"fmt"
	"maps"
	"slices"
)

// AutomationDepth is how deep executions may start each other, the first included.
const AutomationDepth = 5

// childStep is aws:executeAutomation: it starts another runbook and waits for its end. The child counts among the
// executions that run at once.
func (e *Execution) childStep(done *StepExecution, inputs map[string]any, end func(result)) {
	if e.depth >= AutomationDepth {
		end(
			result{
				status:  "Failed",
				failure: fmt.Sprintf("Automation executions may be nested %d deep, and this one is.", AutomationDepth),
			},
		)
		return
	}
	parameters := map[string][]string{}
	if given, ok := inputs["RuntimeParameters"].(map[string]any); ok {
		for name, value := range given {
			parameters[name] = texts(value)
		}
	}
	document := textOf(inputs["DocumentName"])
	err := e.allowed("ssm", "StartAutomationExecution", map[string]any{"DocumentName": document, "Parameters": parameters})
	var child *Execution
	if err == nil {
		child, err = e.Region.StartAutomation(StartSpec{
			Document: document, Version: textOf(inputs["DocumentVersion"]), Parameters: parameters, Caller: e.actor(), parent: e,
		})
	}
	if err != nil {
		end(result{status: "Failed", failure: err.Error()})
		return
	}
	done.child = child
	done.Outputs["ExecutionId"] = []string{child.ID}
	child.onEnd = func() { end(childResult(child)) }
}

func childResult(child *Execution) result {
	output := []string{}
	for _, name := range slices.Sorted(maps.Keys(child.Outputs)) {
		output = append(output, child.Outputs[name]...)
	}
	r := result{status: child.Status, outputs: map[string][]string{
		"ExecutionId": {child.ID}, "Status": {child.Status}, "Output": output,
	}}
	if r.status != "Success" {
		r.status = "Failed"
		r.failure = fmt.Sprintf(
			"Execution %s of %s ended with status %s. %s", child.ID, child.Document, child.Status, child.Failure,
		)
	}
	return r
}
