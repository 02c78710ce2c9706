package world

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"regexp"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// asksFor is the line of the scripts that says which object is read: for a shell, or for PowerShell.
var asksFor = regexp.MustCompile(`(?m)^(?:bucket=(\S+) key=(\S+) region=\S+|` +
	`\$bucket = '(\S+)'; \$key = '(\S+)'; \$region = '\S+')\r?$`)

// readList is what the script printed that reads an object of S3 with the machine's own permissions.
func (i *Instance) readList(script string) said {
	asked := asksFor.FindStringSubmatch(script)
	if asked == nil {
		return said{code: 1, stderr: "patchtide:list: it asks for nothing\n"}
	}
	if i.Region.World.faults.strikes(FaultListScriptFails, i) {
		return said{code: 1, stderr: "Cannot invoke method. Method invocation is supported only on core types in this " +
			"language mode.\n"}
	}
	var answer struct {
		Status int    `json:"status,omitempty"`
		Code   string `json:"code,omitempty"`
		SHA256 string `json:"sha256,omitempty"`
		Why    string `json:"why,omitempty"`
	}
	read, err := i.download("s3://" + asked[1] + asked[3] + "/" + asked[2] + asked[4])
	var refused *api.Error
	switch {
	case err == nil:
		sum := sha256.Sum256(read)
		answer.Status, answer.SHA256 = 200, hex.EncodeToString(sum[:])
	case errors.As(err, &refused):
		answer.Status, answer.Code = refused.Status, refused.Code
	default:
		answer.Why = err.Error()
	}
	printed, err := json.Marshal(answer)
	if err != nil {
		panic("texts are always JSON: " + err.Error())
	}
	return said{stdout: string(printed) + "\n"}
}
