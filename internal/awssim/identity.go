package awssim

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/services"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// scope is what a signature's credential scope says: who asks which service in which region.
type scope struct {
	accessKey, token, region, service string

	expires time.Time // of a presigned URL; zero: it is none
	lasts   time.Duration
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
	var read scope
	if text == "" {
		query := r.URL.Query()
		text, token = query.Get("X-Amz-Credential"), query.Get("X-Amz-Security-Token")
		signed, err := time.Parse("20060102T150405Z", query.Get("X-Amz-Date"))
		if seconds, failed := strconv.Atoi(query.Get("X-Amz-Expires")); err == nil && failed == nil {
			read.lasts = time.Duration(seconds) * time.Second
			read.expires = signed.Add(read.lasts)
		}
	}
	match := credential.FindStringSubmatch(text)
	if match == nil {
		return scope{}, false
	}
	read.accessKey, read.token, read.region, read.service = match[1], token, match[2], match[3]
	return read, true
}

// identify maps the access key to an account: the scenario's static key to the home account, an assumed role's to the
// role's.
func (s *Sim) identify(sc scope) (identity, error) {
	home := s.world.Scenario.Home
	if err := s.presigned(sc); err != nil {
		return identity{}, err
	}
	if sc.accessKey == home.AccessKeyID {
		return identity{account: home.ID, caller: "arn:aws:iam::" + home.ID + ":user/patchtide"}, nil
	}
	session, ok := services.ReadSession(sc.accessKey, sc.token)
	if ok && s.world.Account(session.Account) != nil {
		if s.world.Now().After(session.Expires) {
			return identity{}, expiredToken(sc.service)
		}
		if !s.opted(session.Account, sc.region) {
			return identity{}, unknownKey(sc.service)
		}
		return identity{account: session.Account, caller: session.Caller}, nil
	}
	return identity{}, unknownKey(sc.service)
}

// longestPresigned is how long a presigned URL may last (S3 guide, "Working with presigned URLs").
const longestPresigned = 7 * 24 * time.Hour

// presigned refuses a presigned URL that is over.
func (s *Sim) presigned(sc scope) error {
	switch {
	case sc.expires.IsZero():
		return nil
	case sc.lasts > longestPresigned:
		return api.Errorf("AuthorizationQueryParametersError", "X-Amz-Expires must be less than a week (in seconds); "+
			"that is, the given X-Amz-Expires must be less than 604800 seconds")
	case s.world.Now().After(sc.expires):
		return &api.Error{Code: "AccessDenied", Message: "Request has expired", Status: http.StatusForbidden}
	}
	return nil
}

// optIn are the regions that an account has only when it asked for them (Account Management guide, "Considerations
// before enabling and disabling Regions").
var optIn = []string{
	"af-south-1", "ap-east-1", "ap-east-2", "ap-south-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5",
	"ap-southeast-6", "ap-southeast-7", "ca-west-1", "eu-central-2", "eu-south-1", "eu-south-2", "il-central-1",
	"me-central-1", "me-south-1", "mx-central-1",
}

// opted reports whether an account's keys are known in a region: an opt-in region knows the accounts for which the
// scenario names it.
func (s *Sim) opted(account, region string) bool {
	return !slices.Contains(optIn, region) || slices.ContainsFunc(
		s.world.Account(account).Spec.Regions, func(spec world.RegionSpec) bool { return spec.Name == region },
	)
}
