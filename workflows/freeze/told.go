package freeze

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/notice"
)

// tell tells people what is frozen or is no longer: whoever waits for a wave must learn why nothing begins. It waits
// for nothing but that the telling has begun.
func (f *freezer) tell(ctx workflow.Context, told patch.Notice) {
	told.Kind, told.At = patch.NoticeFrozen, workflow.Now(ctx)
	told.Key = fmt.Sprintf("%s/%s/%d", names.FreezeID, told.At.UTC().Format(time.RFC3339Nano), f.changes)
	notice.Tell(ctx, told)
}

// frozen is what people are told of a freeze.
func frozen(request Request) patch.Notice {
	return patch.Notice{
		Subject: what(request) + " is frozen", Actor: request.Actor, Why: request.Reason,
		WhatToDo: "Nothing further is begun there until it is lifted: waves hold between instances, and new ones are " +
			"refused. Putting back goes on. To take it back (" + patch.ForAll + "):",
		Commands: []string{patch.Freeze{Account: request.Account}.Lift()},
	}
}

// frozenStill is what people are told of freezes that last.
func frozenStill(freezes patch.Freezes) patch.Notice {
	told := patch.Notice{
		Subject: "frozen still", Why: "nobody has lifted it for a day",
		WhatToDo: "Nothing further is begun there until it is lifted. To take back what has done its duty (" +
			patch.ForAll + "):",
	}
	if len(freezes) == 1 {
		told.Subject, told.Actor, told.Why = freezes[0].What()+" is frozen still", freezes[0].Actor, freezes[0].Reason
	}
	for _, freeze := range freezes {
		told.Findings = append(told.Findings, freeze.String())
		if lift := freeze.Lift(); !slices.Contains(told.Commands, lift) {
			told.Commands = append(told.Commands, lift)
		}
	}
	return told
}

// recalled is what people are told of freezes that Temporal had forgotten.
func recalled(freezes patch.Freezes) patch.Notice {
	told := frozenStill(freezes)
	told.Why = "Temporal knew nothing of it, as after the loss of its database"
	told.Findings = append([]string{"it is kept in the evidence, and Temporal knew nothing of it"}, told.Findings...)
	return told
}

// unreadable is what people are told where nobody can read what is frozen.
func unreadable(why string) patch.Notice {
	return patch.Notice{
		Subject: "everything counts as frozen", Why: why,
		WhatToDo: "No wave begins an instance until it is read: see that the worker reaches its evidence store.",
		Commands: []string{"patchtide doctor"},
	}
}

// thawed is what people are told of freezes that were lifted, and of those that are left.
func thawed(request Request, lifted, left patch.Freezes) patch.Notice {
	told := patch.Notice{
		Subject: what(request) + " is no longer frozen", Actor: request.Actor, Why: request.Reason,
		WhatToDo: "Nothing: waves that it held go on by themselves.",
	}
	if slices.ContainsFunc(left, func(f patch.Freeze) bool { return f.Account == request.Account }) {
		told.Subject = what(request) + " is frozen still, for one reason less"
		told.WhatToDo = "Nothing is begun there until what is left is lifted, too."
	} else if len(left) > 0 {
		told.WhatToDo = "Nothing: waves that it held go on by themselves, where nothing else is frozen."
	}
	for _, freeze := range lifted {
		told.Findings = append(told.Findings, freeze.Lifted())
	}
	for _, freeze := range left {
		told.Findings = append(told.Findings, freeze.String())
	}
	return told
}

// ended is what people are told when somebody has cancelled what keeps the freezes. lost is why the evidence could not
// be told of them; "": it has them.
func ended(freezes patch.Freezes, lost string) patch.Notice {
	told := patch.Notice{
		Subject: "everything counts as frozen", Why: "the workflow " + names.FreezeID + " was cancelled",
		WhatToDo: "No wave begins an instance until it is started anew; an account that was frozen by itself stays so then.",
		Commands: []string{`patchtide unfreeze --reason "..."`}, // which starts it, and lifts nobody else's
	}
	if lost != "" {
		told.WhatToDo = "No wave begins an instance until it is started anew; freeze again what must be, for the evidence " +
			"could not be told of it: " + lost
		for _, freeze := range freezes {
			told.Findings = append(told.Findings, freeze.String())
		}
	}
	return told
}

func what(request Request) string { return patch.Freeze{Account: request.Account}.What() }
