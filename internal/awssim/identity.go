package awssim

import (
	"net/http"
	"regexp"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/services"
)

// scope is what a signature's credential scope says: who asks which service in which region.
type scope struct {
	accessKey, token, region, service string
}

// identity is who signed.
type identity struct{ account, caller string }

// credential reads `Credential=KEY/DATE/REGION/SERVICE/aws4_request` in a header, or the same in a presigned URL.
var credential = regexp.MustCompile(
	`^(?:AWS4-HMAC-SHA256 .*?Credential=)?([^/,\s]+)/\d{8}/([^/]+)/([^/]+)/aws4_request`,
)

// readScope reads the credential scope; the signature itself is not verified, for every key here is made up.
func readScope(r *http.Request) (scope, bool) {
	text, token := r.Header.Get("Authorization"), r.Header.Get("X-Amz-Security-Token")
	if text == "" {
		query := r.URL.Query()
		text, token = query.Get("X-Amz-Credential"), query.Get("X-Amz-Security-Token")
	}
	match := credential.FindStringSubmatch(text)
	if match == nil {
		return scope{}, false
	}
	return scope{accessKey: match[1], token: token, region: match[2], service: match[3]}, true
}

// unknownKey is how each service refuses a key it does not know.
var unknownKey = map[string]*api.Error{
	"ssm": {
		Code: "UnrecognizedClientException", Message: "The security token included in the request is invalid.",
		Status: http.StatusBadRequest,
	},
	"ec2": {
		Code: "AuthFailure", Message: "AWS was not able to validate the provided access credentials",
		Status: http.StatusUnauthorized,
	},
	"s3": {
		Code: "InvalidAccessKeyId", Message: "The AWS Access Key Id you provided does not exist in our records.",
		Status: http.StatusForbidden,
	},
	"monitoring": {
		Code: "InvalidClientTokenId", Message: "The security token included in the request is invalid.",
		Status: http.StatusForbidden,
	},
}

// identify maps the access key to an account: the scenario's static key to the home account, an assumed role's to the
// role's.
func (s *Sim) identify(sc scope) (identity, error) {
	home := s.world.Scenario.Home
	if sc.accessKey == home.AccessKeyID {
		return identity{account: home.ID, caller: "arn:aws:iam::" + home.ID + ":user/patchtide"}, nil
	}
	session, ok := services.ReadSession(sc.accessKey, sc.token)
	if ok && s.world.Account(session.Account) != nil {
		if s.world.Now().After(session.Expires) {
			return identity{}, &api.Error{
				Code: "ExpiredToken", Message: "The security token included in the request is expired",
				Status: http.StatusForbidden,
			}
		}
		return identity{account: session.Account, caller: session.Caller}, nil
	}
	if refusal := unknownKey[sc.service]; refusal != nil {
		return identity{}, refusal
	}
	return identity{}, unknownKey["monitoring"]
}
