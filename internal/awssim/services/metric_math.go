package services

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// What is modelled of metric math (CloudWatch guide, "Using math expressions with CloudWatch metrics"): numbers, ids,
// + - * / ^, comparisons, parentheses, and FILL, IF and ABS. Where a point is missing on one side of an operator there
// is none in the result. FILL fills the periods of a series that has a point; one without any stays empty, which the
// guide does not say (unverified). What is divided by 0 has no point (unverified).

// operand is a number or a series.
type operand struct {
	number float64
	series map[time.Time]float64 // nil: it is the number
}

// mathToken is a number, a word or a sign of an expression.
var mathToken = regexp.MustCompile(`^(?:[0-9]+(?:\.[0-9]+)?|[A-Za-z_][A-Za-z0-9_]*|[<>=!]=|[-+*/^<>(),])`)

type mathParser struct {
	m      *metricMath
	id     string
	tokens []string
}

// evaluate computes an expression, which has to come to a series.
func (m *metricMath) evaluate(id, expression string) (map[time.Time]float64, error) {
	p := &mathParser{m: m, id: id}
	for rest := strings.TrimSpace(expression); rest != ""; rest = strings.TrimSpace(rest) {
		token := mathToken.FindString(rest)
		if token == "" {
			return nil, p.wrong("unexpected " + rest[:1])
		}
		p.tokens, rest = append(p.tokens, token), rest[len(token):]
	}
	result, err := p.comparison()
	switch {
	case err != nil:
		return nil, err
	case len(p.tokens) > 0:
		return nil, p.wrong("unexpected " + p.tokens[0])
	case result.series == nil:
		return nil, p.wrong("it does not come to a time series")
	}
	return result.series, nil
}

func (p *mathParser) wrong(why string) error {
	return api.Errorf("ValidationError", "Error in expression '%s': %s", p.id, why)
}

func (p *mathParser) take(signs ...string) string {
	if len(p.tokens) == 0 || !slices.Contains(signs, p.tokens[0]) {
		return ""
	}
	token := p.tokens[0]
	p.tokens = p.tokens[1:]
	return token
}

// operators are those of one rank, which bind from the left.
func (p *mathParser) operators(inner func() (operand, error), signs ...string) (operand, error) {
	left, err := inner()
	for err == nil {
		sign := p.take(signs...)
		if sign == "" {
			break
		}
		var right operand
		if right, err = inner(); err == nil {
			left = combine(left, right, arithmetic[sign])
		}
	}
	return left, err
}

func (p *mathParser) comparison() (operand, error) {
	return p.operators(p.sum, "<", ">", "<=", ">=", "==", "!=")
}
func (p *mathParser) sum() (operand, error)     { return p.operators(p.product, "+", "-") }
func (p *mathParser) product() (operand, error) { return p.operators(p.power, "*", "/") }
func (p *mathParser) power() (operand, error)   { return p.operators(p.unary, "^") }

func (p *mathParser) unary() (operand, error) {
	if p.take("-") == "" {
		return p.atom()
	}
	of, err := p.unary()
	return combine(operand{number: 0}, of, arithmetic["-"]), err
}

func (p *mathParser) atom() (operand, error) {
	if len(p.tokens) == 0 {
		return operand{}, p.wrong("unexpected end")
	}
	token := p.tokens[0]
	p.tokens = p.tokens[1:]
	if number, err := strconv.ParseFloat(token, 64); err == nil {
		return operand{number: number}, nil
	}
	switch {
	case token == "(":
		inner, err := p.comparison()
		if err == nil && p.take(")") == "" {
			err = p.wrong("a parenthesis is not closed")
		}
		return inner, err
	case len(p.tokens) > 0 && p.tokens[0] == "(":
		return p.function(token)
	case token[0] >= 'a' && token[0] <= 'z':
		series, err := p.m.series(token)
		return operand{series: series}, err
	}
	return operand{}, p.wrong("unexpected " + token)
}

func (p *mathParser) function(name string) (operand, error) {
	wanted := map[string]int{"FILL": 2, "IF": 3, "ABS": 1}[name]
	if wanted == 0 {
		return operand{}, api.NotModelled("function %s of metric math", name)
	}
	var arguments []operand
	for p.take("(", ",") != "" {
		argument, err := p.comparison()
		if err != nil {
			return operand{}, err
		}
		arguments = append(arguments, argument)
	}
	if p.take(")") == "" || len(arguments) != wanted {
		return operand{}, p.wrong(name + " takes " + strconv.Itoa(wanted) + " arguments")
	}
	switch name {
	case "FILL":
		return p.fill(arguments[0], arguments[1])
	case "ABS":
		return combine(arguments[0], operand{}, func(a, _ float64) float64 { return math.Abs(a) }), nil
	}
	if arguments[0].series == nil {
		return arguments[2-int(truth(arguments[0].number != 0))], nil
	}
	chosen := combine(arguments[0], arguments[1], func(is, then float64) float64 {
		if is != 0 {
			return then
		}
		return math.Inf(1)
	})
	otherwise := combine(arguments[0], arguments[2], func(is, other float64) float64 {
		if is == 0 {
			return other
		}
		return math.Inf(1)
	})
	for at, value := range otherwise.series {
		chosen.series[at] = value
	}
	return chosen, nil
}

func (p *mathParser) fill(of, with operand) (operand, error) {
	if of.series == nil || with.series != nil {
		return operand{}, api.NotModelled("FILL of a number, or with a series")
	}
	filled := operand{series: map[time.Time]float64{}}
	if len(of.series) == 0 {
		return filled, nil
	}
	if p.m.end.Sub(p.m.start)/p.m.period > mostDatapoints {
		return operand{}, api.NotModelled("FILL of more than %d points", mostDatapoints)
	}
	for at := p.m.start.Truncate(p.m.period); at.Before(p.m.end); at = at.Add(p.m.period) {
		filled.series[at] = with.number
		if value, is := of.series[at]; is {
			filled.series[at] = value
		}
	}
	return filled, nil
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

var arithmetic = map[string]func(a, b float64) float64{
	"+": func(a, b float64) float64 { return a + b }, "-": func(a, b float64) float64 { return a - b },
	"*": func(a, b float64) float64 { return a * b }, "/": func(a, b float64) float64 { return a / b },
	"^": math.Pow,
	"<": func(a, b float64) float64 { return truth(a < b) }, ">": func(a, b float64) float64 { return truth(a > b) },
	"<=": func(a, b float64) float64 { return truth(a <= b) }, ">=": func(a, b float64) float64 { return truth(a >= b) },
	"==": func(a, b float64) float64 { return truth(a == b) }, "!=": func(a, b float64) float64 { return truth(a != b) },
}

// combine computes point by point; a result that is no finite number has none.
func combine(a, b operand, with func(a, b float64) float64) operand {
	if a.series == nil && b.series == nil {
		return operand{number: with(a.number, b.number)}
	}
	result := operand{series: map[time.Time]float64{}}
	at := func(o operand, when time.Time) (float64, bool) {
		if o.series == nil {
			return o.number, true
		}
		value, is := o.series[when]
		return value, is
	}
	points := a.series
	if points == nil {
		points = b.series
	}
	for when := range points {
		left, hasLeft := at(a, when)
		right, hasRight := at(b, when)
		if value := with(left, right); hasLeft && hasRight && !math.IsInf(value, 0) && !math.IsNaN(value) {
			result.series[when] = value
		}
	}
	return result
}
