package world

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// branchStep is aws:branch: the first choice that holds says which step comes next.
func (e *Execution) branchStep(inputs map[string]any, end func(result)) {
	choices, _ := inputs["Choices"].([]any)
	for _, each := range choices {
		choice, ok := each.(map[string]any)
		if !ok {
			end(result{status: "Failed", failure: "a choice of aws:branch is not a map"})
			return
		}
		holds, err := choose(choice)
		if err != nil {
			end(result{status: "Failed", failure: err.Error()})
			return
		}
		if holds {
			e.goTo(textOf(choice["NextStep"]), end)
			return
		}
	}
	if fallback := textOf(inputs["Default"]); fallback != "" {
		e.goTo(fallback, end)
		return
	}
	end(result{status: "Failed", failure: "no choice of aws:branch holds and there is no Default"})
}

func (e *Execution) goTo(step string, end func(result)) {
	if e.book.index(step) < 0 {
		end(result{status: "Failed", failure: fmt.Sprintf("aws:branch: there is no step %q", step)})
		return
	}
	end(result{status: "Success", next: step, outputs: map[string][]string{"OutputPayload": {step}}})
}

// choose evaluates a choice, or a part of one: And, Or and Not hold others, anything else compares one variable.
func choose(choice map[string]any) (bool, error) {
	value := textOf(choice["Variable"])
	for _, operator := range slices.Sorted(maps.Keys(choice)) {
		operand := choice[operator]
		switch operator {
		case "Variable", "NextStep":
			continue
		case "And", "Or":
			return chooseMany(operator, operand)
		case "Not":
			part, ok := operand.(map[string]any)
			if !ok {
				return false, fmt.Errorf("aws:branch: Not holds no comparison")
			}
			holds, err := choose(part)
			return !holds && err == nil, err
		}
		return compare(operator, value, textOf(operand))
	}
	return false, fmt.Errorf("aws:branch: a choice has no comparison")
}

func chooseMany(operator string, operand any) (bool, error) {
	parts, _ := operand.([]any)
	if len(parts) == 0 {
		return false, fmt.Errorf("aws:branch: %s holds no comparisons", operator)
	}
	for _, each := range parts {
		part, ok := each.(map[string]any)
		if !ok {
			return false, fmt.Errorf("aws:branch: a part of %s is no comparison", operator)
		}
		holds, err := choose(part)
		if err != nil {
			return false, err
		}
		if holds == (operator == "Or") {
			return holds, nil
		}
	}
	return operator == "And", nil
}

func compare(operator, value, wanted string) (bool, error) {
	switch operator {
	case "StringEquals":
		return value == wanted, nil
	case "EqualsIgnoreCase", "BooleanEquals": // true and True are one
		return strings.EqualFold(value, wanted), nil
	case "StartsWith":
		return strings.HasPrefix(value, wanted), nil
	case "EndsWith":
		return strings.HasSuffix(value, wanted), nil
	case "Contains":
		return strings.Contains(value, wanted), nil
	}
	holds, known := map[string]func(a, b float64) bool{
		"NumericEquals":          func(a, b float64) bool { return a == b },
		"NumericGreater":         func(a, b float64) bool { return a > b },
		"NumericGreaterOrEquals": func(a, b float64) bool { return a >= b },
		"NumericLesser":          func(a, b float64) bool { return a < b },
		"NumericLesserOrEquals":  func(a, b float64) bool { return a <= b },
	}[operator]
	if !known {
		return false, fmt.Errorf("aws:branch: comparison %s is not modelled", operator)
	}
	a, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return false, fmt.Errorf("aws:branch: %q is not a number", value)
	}
	b, err := strconv.ParseFloat(wanted, 64)
	if err != nil {
		return false, fmt.Errorf("aws:branch: %q is not a number", wanted)
	}
	return holds(a, b), nil
}
