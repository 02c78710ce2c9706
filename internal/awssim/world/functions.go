package world

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// FunctionSpec is a function of Lambda. It runs no code: it says and returns what it is told to.
type FunctionSpec struct {
	Name     string   `yaml:"name"`
	Aliases  []string `yaml:"aliases"`  // besides $LATEST
	Says     string   `yaml:"says"`     // its log
	Returns  string   `yaml:"returns"`  // JSON; empty: null
	Fails    string   `yaml:"fails"`    // handled or unhandled; empty: it ends well
	Takes    Duration `yaml:"takes"`    // AWS time
	Timeout  Duration `yaml:"timeout"`  // its own; default 3s, as AWS has it
	Pending  Duration `yaml:"pending"`  // so long after the scenario's start it cannot be invoked yet
	Reserved *int     `yaml:"reserved"` // concurrency; 0 throttles every invocation, as it does who switches one off
}

// Function is one with what was asked of it.
type Function struct {
	FunctionSpec
	Invocations []Invoked // in the order in which they began
}

// Invoked is one invocation of a function.
type Invoked struct {
	At        time.Time
	Qualifier string // alias or version; "" is $LATEST
	Event     []byte
	Token     string // the event's member token; "" where it has none
}

// Answered is how an invocation ended.
type Answered struct {
	Error   string // Handled or Unhandled; "": none
	Payload []byte
	Log     string
	Took    time.Duration
}

// defaultFunctionTimeout is AWS's.
const defaultFunctionTimeout = 3 * time.Second

// PutFunction makes a function, or replaces the one of that name.
func (r *Region) PutFunction(spec FunctionSpec) *Function {
	made := &Function{FunctionSpec: spec}
	r.Others.functions.put(spec.Name, made)
	return made
}

// Function finds a function by its name or ARN, which may end with a version or an alias, and that; nil where it is not
// there.
func (r *Region) Function(nameOrARN string) (found *Function, qualifier string) {
	name := strings.TrimPrefix(nameOrARN, r.ARN("lambda", "function:"))
	name, qualifier, _ = strings.Cut(name, ":")
	found, _ = r.Others.functions.get(name)
	if found != nil && !found.has(qualifier) {
		return nil, qualifier
	}
	return found, qualifier
}

func (f *Function) has(qualifier string) bool {
	return qualifier == "" || qualifier == "$LATEST" || slices.Contains(f.Aliases, qualifier)
}

// Ready reports whether the function can be invoked by now.
func (w *World) Ready(f *Function) bool { return w.now.Sub(w.start) >= f.Pending.D() }

// Invoke runs the function once.
func (f *Function) Invoke(at time.Time, qualifier string, event []byte) Answered {
	var told struct {
		Token string `json:"token"`
	}
	_ = json.Unmarshal(event, &told) // an event of another shape has no token
	f.Invocations = append(f.Invocations, Invoked{At: at, Qualifier: qualifier, Event: event, Token: told.Token})
	id := fmt.Sprintf("00000000-0000-4000-8000-%012x", len(f.Invocations))
	timeout := f.Timeout.D()
	if timeout == 0 {
		timeout = defaultFunctionTimeout
	}
	answer := Answered{Payload: []byte(f.Returns), Took: min(f.Takes.D(), timeout)}
	if f.Returns == "" {
		answer.Payload = []byte("null")
	}
	answer.Log = "START RequestId: " + id + " Version: $LATEST\n" + f.Says + "\nEND RequestId: " + id + "\n"
	switch {
	case f.Takes.D() > timeout:
		answer.Error = "Unhandled"
		answer.Payload = functionError("Sandbox.Timedout", fmt.Sprintf(
			"RequestId: %s Error: Task timed out after %.2f seconds", id, timeout.Seconds(),
		))
	case f.Fails == "handled":
		answer.Error, answer.Payload = "Handled", functionError("Refused", f.Says)
	case f.Fails != "":
		answer.Error, answer.Payload = "Unhandled", functionError("Runtime.ExitError",
			"RequestId: "+id+" Error: Runtime exited with error: exit status 1")
	}
	return answer
}

// functionError is what Lambda returns in place of a function's own answer (developer guide, error handling).
func functionError(kind, message string) []byte {
	text, _ := json.Marshal(map[string]string{"errorType": kind, "errorMessage": message}) // texts always marshal
	return text
}

// Runs counts the invocations with a token.
func (f *Function) Runs(token string) (runs int) {
	for _, each := range f.Invocations {
		if each.Token == token {
			runs++
		}
	}
	return runs
}
