package wavetest

import (
	"encoding/json"
	"strings"
)

// hookToken is the token of a hook's command, by the comment that it was sent with; "" of any other.
func hookToken(arguments json.RawMessage) string {
	var in struct{ Comment string }
	_ = json.Unmarshal(arguments, &in) // what is none has no token
	token, is := strings.CutPrefix(in.Comment, "patchtide hook ")
	if !is {
		return ""
	}
	return token
}
