package patch

// CommandCheck is well where what it runs on the instance exits with 0. It must only read: after a lost reply it may
// run twice, and it runs at each look.
type CommandCheck struct {
	Run        string            `json:"run,omitempty"`        // a script: of sh, or of PowerShell
	Document   string            `json:"document,omitempty"`   // or a Command document of Systems Manager
	Parameters map[string]string `json:"parameters,omitempty"` // of the document
	Timeout    Duration          `json:"timeout"`              // by the machine's clock
}

func asksCommand(check HealthCheck) bool { return check.Command != nil }

// commandHealth: what is run on the instance must exit with 0.
var commandHealth = HealthKind{Key: "command", Asks: asksCommand, Judge: judgeAnswers(asksCommand)}
