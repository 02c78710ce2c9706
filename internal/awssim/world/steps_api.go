package world

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// propertyPoll is how often aws:waitForAwsResourceProperty looks.
const propertyPoll = 5 * time.Second

// ownInputs are the inputs of an API step that are not the call's.
var ownInputs = []string{"Service", "Api", "PropertySelector", "DesiredValues"}

// request makes the call that a step's inputs spell.
func (e *Execution) request(inputs map[string]any) (any, error) {
	arguments := maps.Clone(inputs)
	maps.DeleteFunc(arguments, func(name string, _ any) bool { return slices.Contains(ownInputs, name) })
	operation := textOf(inputs["Api"])
	if operation != "" {
		operation = strings.ToUpper(operation[:1]) + operation[1:] // some runbooks spell it as method names are
	}
	reply, err := e.call(textOf(inputs["Service"]), operation, arguments)
	var refused *api.Error
	if errors.As(err, &refused) {
		//nolint:staticcheck // AWS's own words, which begin with a capital
		err = fmt.Errorf("An error occurred (%s) when calling the %s operation: %s", refused.Code, operation, refused.Message)
	}
	return reply, err
}

// apiStep is aws:executeAwsApi.
func (e *Execution) apiStep(step runbookStep, inputs map[string]any, end func(result)) {
	reply, err := e.request(inputs)
	if err != nil {
		end(result{status: "Failed", failure: err.Error()})
		return
	}
	outputs := map[string][]string{}
	for _, output := range step.Outputs {
		values, err := output.read(reply)
		if err != nil {
			end(result{status: "Failed", failure: err.Error()})
			return
		}
		outputs[output.Name] = values
	}
	end(result{status: "Success", outputs: outputs})
}

// read takes the output's value out of a reply. A single value must be there exactly once.
func (o stepOutput) read(reply any) ([]string, error) {
	found := o.path.pick(reply)
	if o.Type == "StringList" {
		values := []string{}
		for _, each := range found {
			if list, ok := each.([]any); ok {
				for _, item := range list {
					values = append(values, valueText(item))
				}
				continue
			}
			values = append(values, valueText(each))
		}
		return values, nil
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("output %s: selector %s finds %d values in the reply, not one", o.Name, o.Selector, len(found))
	}
	switch found[0].(type) {
	case map[string]any, []any:
		return nil, fmt.Errorf("output %s: selector %s finds a structure, not a %s", o.Name, o.Selector, o.Type)
	}
	return []string{valueText(found[0])}, nil
}

func valueText(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case map[string]any, []any:
		text, _ := json.Marshal(v) // it came out of JSON
		return string(text)
	}
	return fmt.Sprint(value)
}

// property reads the property that a step looks at and reports whether it has one of the desired values.
func (e *Execution) property(inputs map[string]any) (value string, desired bool, err error) {
	path, err := parseSelector(textOf(inputs["PropertySelector"]))
	if err != nil {
		return "", false, err
	}
	reply, err := e.request(inputs)
	if err != nil {
		return "", false, err
	}
	found := path.pick(reply)
	wanted := texts(inputs["DesiredValues"])
	seen := make([]string, 0, len(found))
	for _, each := range found {
		seen = append(seen, valueText(each))
	}
	desired = len(seen) > 0 && !slices.ContainsFunc(seen, func(text string) bool { return !slices.Contains(wanted, text) })
	return strings.Join(seen, ", "), desired, nil
}

// assertStep is aws:assertAwsResourceProperty.
func (e *Execution) assertStep(inputs map[string]any, end func(result)) {
	value, desired, err := e.property(inputs)
	switch {
	case err != nil:
		end(result{status: "Failed", failure: err.Error()})
	case !desired:
		end(result{status: "Failed", failure: fmt.Sprintf("Property value from the API output is not in the desired "+
			"values. Property selector: %s, value: %s, desired values: %v",
			textOf(inputs["PropertySelector"]), value, texts(inputs["DesiredValues"]))})
	default:
		end(result{status: "Success"})
	}
}

// waitStep is aws:waitForAwsResourceProperty: it looks until the property has a desired value. Only the step's own
// limit ends it otherwise, or a call that fails.
func (e *Execution) waitStep(turn int, inputs map[string]any, end func(result)) {
	_, desired, err := e.property(inputs)
	switch {
	case err != nil:
		end(result{status: "Failed", failure: err.Error()})
	case desired:
		end(result{status: "Success"})
	default:
		e.Region.World.After(propertyPoll, func() {
			if e.turn == turn && !e.Done() {
				e.waitStep(turn, inputs, end)
			}
		})
	}
}
