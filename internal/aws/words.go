package aws

import (
	"regexp"
	"strings"
)

// sdkLayers are what the layers of the SDK put before what AWS, or the network, has said; an id of a request is kept,
// since AWS's support asks for it.
var (
	sdkLayers = regexp.MustCompile(`operation error [^:,]+: \w+, |` +
		`exceeded maximum number of attempts, \d+, |https response error StatusCode: \d+, (?:RequestID: [^,]*, )?` +
		`(?:HostID: [^,]*, )?|api error `)
	sdkKeys    = regexp.MustCompile(`get identity: get credentials: (?:failed to refresh cached credentials, )?`)
	sdkUnsent  = regexp.MustCompile(`request send failed, (?:\w+ "[^"]*": )?`)
	sdkRequest = regexp.MustCompile(`RequestID: ([^,\s]+)`)
)

// words is an error of the SDK without the names of the SDK's layers: AWS's code, its own words and the request's id,
// or why it was not reached.
func words(err error) string {
	text := err.Error()
	said := sdkUnsent.ReplaceAllString(sdkLayers.ReplaceAllString(text, ""), "AWS was not reached: ")
	said = sdkKeys.ReplaceAllString(said, "no credentials: ")
	if ids := sdkRequest.FindAllStringSubmatch(text, -1); len(ids) > 0 {
		said += " (request " + ids[len(ids)-1][1] + ")"
	}
	return strings.TrimSpace(said)
}
