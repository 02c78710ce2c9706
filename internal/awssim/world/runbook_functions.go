package world

import (
	"cmp"
	"fmt"
	"time"
)

// How long the parts of AWS's runbooks take that this world has no services for.
const (
	stackMade    = 45 * time.Second
	stackGone    = 15 * time.Second
	functionRuns = time.Second
	installSleep = 5 * time.Minute // of the function that waits for a reboot: unverified
	restoreLooks = 10 * time.Second
)

// function is what a step of one of AWS's own runbooks does by a Lambda function; it ends with the function's payload.
type function func(e *Execution, payload string, end func(result))

// functions are those of AWS-PatchInstanceWithRollback, by the steps that invoke them. They act as a role of their own.
var functions = map[string]function{
	"IdentifyRootVolume": func(e *Execution, instance string, end func(result)) {
		if found := e.Region.Instance(instance); found != nil && found.RootVolume != "" {
			end(payload(found.RootVolume))
			return
		}
		end(result{status: "Failed", failure: "The instance " + instance + " has no root volume."})
	},
	"SleepThruInstallation": func(e *Execution, _ string, end func(result)) {
		e.Region.World.After(installSleep, func() { end(payload("")) })
	},
	"CheckCompliance": func(e *Execution, instance string, end func(result)) {
		state := e.Region.PatchState(instance)
		if state == nil || state.Count("Missing") > 0 || state.Count("Failed") > 0 {
			end(payload("NON_COMPLIANT"))
			return
		}
		end(payload("COMPLIANT"))
	},
	"SaveComplianceReportToS3": func(_ *Execution, _ string, end func(result)) { end(payload("")) },
	"ReportSuccessOrFailure": func(_ *Execution, compliance string, end func(result)) {
		if compliance != "COMPLIANT" {
			end(result{status: "Failed", failure: "The instance is " + compliance + "."})
			return
		}
		end(payload(compliance))
	},
	"RestoreFromSnapshot": func(e *Execution, snapshot string, end func(result)) {
		task, err := e.Region.ReplaceRoot(e.Parameters["InstanceId"][0], snapshot, "", false, nil)
		if err != nil {
			end(result{status: "Failed", failure: err.Error()})
			return
		}
		e.restored(task, end)
	},
	"DeleteSnapshot": func(e *Execution, snapshot string, end func(result)) {
		if err := e.Region.DeleteSnapshot(snapshot); err != nil {
			end(result{status: "Failed", failure: err.Error()})
			return
		}
		end(payload(snapshot))
	},
}

// payload is what a function returns; one that returns nothing returns null.
func payload(text string) result {
	text = cmp.Or(text, "null")
	return result{status: "Success", outputs: map[string][]string{"Payload": {text}, "StatusCode": {"200"}}}
}

// restored waits for the end of a root volume replacement.
func (e *Execution) restored(task *RootTask, end func(result)) {
	switch {
	case !task.Ended():
		e.Region.World.After(restoreLooks, func() { e.restored(task, end) })
	case task.State != "succeeded":
		end(result{status: "Failed", failure: fmt.Sprintf("Task %s ended with state %s.", task.ID, task.State)})
	default:
		end(payload(task.ID))
	}
}

// functionStep is an action that only AWS's own runbooks have here: aws:createStack and aws:deleteStack of the
// functions' stack, and aws:invokeLambdaFunction.
func (e *Execution) functionStep(step runbookStep, inputs map[string]any, end func(result)) {
	after := func(d time.Duration) { e.Region.World.After(d, func() { end(result{status: "Success"}) }) }
	switch step.Action {
	case "aws:createStack":
		after(stackMade)
	case "aws:deleteStack":
		after(stackGone)
	default:
		e.Region.World.After(functionRuns, func() { functions[step.Name](e, textOf(inputs["Payload"]), end) })
	}
}
