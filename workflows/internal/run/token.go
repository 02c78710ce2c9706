package run

import (
	"strconv"
	"strings"

	"github.com/google/uuid"

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
