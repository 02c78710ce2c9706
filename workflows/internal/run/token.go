package run

import (
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/activities"
)

// Space is the UUID namespace of Patchtide's tokens.
var Space = uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://github.com/patchtide/patchtide"))

// Attempt names one try of one step of one instance: the same through every Temporal retry, another for each try of the
// saga, so that a lost reply can be found again and nothing is done twice.
func Attempt(waveID, instance, step string, try int) activities.Attempt {
	parts := strings.Join([]string{waveID, instance, step, strconv.Itoa(try)}, "\x00")
	return activities.Attempt{WaveID: waveID, Token: uuid.NewSHA1(Space, []byte(parts)).String()}
}

// Anew names one reading of what is true now: the same through every Temporal retry, so that a lost reply is found
// again, and no other's, also where Temporal has an older copy of its database, or was told to reset the workflow, and
// asks a second time what it has forgotten. By a token that stays, such a reading would find the answer of then.
// Changes keep theirs: what was done is to be found, and not to be done again.
func Anew(ctx workflow.Context, of activities.Attempt) activities.Attempt {
	return Attempt(of.WaveID, of.Token, workflow.Now(ctx).UTC().Format(time.RFC3339Nano), 0)
}
