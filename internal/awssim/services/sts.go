package services

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// Session is who an assumed role's keys stand for. The session token itself carries it, so nothing has to be
// remembered.
type Session struct {
	Account string    `json:"account"`
	Caller  string    `json:"caller"` // ARN of the assumed role's session
	Expires time.Time `json:"expires"`
}

const sessionKeyPrefix = "ASIA"

// keys makes an access key id and a session token for a session.
func (s Session) keys() (accessKey, token string) {
	text, _ := json.Marshal(s) // strings and a time always marshal
	return sessionKeyPrefix + s.Account + "ROLE", base64.RawURLEncoding.EncodeToString(text)
}

// ReadSession finds out whose keys these are; ok is false for keys that AssumeRole did not hand out.
func ReadSession(accessKey, token string) (session Session, ok bool) {
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || json.Unmarshal(text, &session) != nil {
		return Session{}, false
	}
	expected, _ := session.keys()
	return session, accessKey == expected
}

type tokenService struct{ w *world.World }

func registerSTS(r *api.Registry, w *world.World) {
	s := tokenService{w}
	api.Handle(r, "sts", "GetCallerIdentity", nil, s.identity)
	api.Handle(r, "sts", "AssumeRole", []string{"RoleArn", "RoleSessionName", "ExternalId", "DurationSeconds"}, s.assume)
}

func (s tokenService) identity(call api.Call, _ *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
	return &sts.GetCallerIdentityOutput{Account: &call.Account, Arn: &call.Caller, UserId: ref("AIDA" + call.Account)}, nil
}

// AWS's bounds of a session's duration. A role allows an hour unless it is told to allow more; a role that is assumed
// with another role's keys allows no more than that (API reference of AssumeRole, DurationSeconds).
const (
	defaultSession  = time.Hour
	shortestSession = 15 * time.Minute
	longestSession  = 12 * time.Hour
	chainedSession  = time.Hour
)

// Patterns of the API reference of AssumeRole.
var (
	sessionName = regexp.MustCompile(`^[\w+=,.@-]*$`)
	externalID  = regexp.MustCompile(`^[\w+=,.@:/-]*$`)
	roleARN     = regexp.MustCompile(`^arn:aws:iam::(\d{12}):role/(.+)$`)
)

// checkAssume is what STS refuses before it looks for the role.
func checkAssume(in *sts.AssumeRoleInput) error {
	invalid := func(field, value, rule string) error {
		return api.Errorf(
			"ValidationError", "1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must %s",
			value, field, rule,
		)
	}
	name, external := deref(in.RoleSessionName), deref(in.ExternalId)
	seconds := deref(in.DurationSeconds)
	switch {
	case len(deref(in.RoleArn)) < 20:
		return invalid("roleArn", deref(in.RoleArn), "have length greater than or equal to 20")
	case len(name) < 2:
		return invalid("roleSessionName", name, "have length greater than or equal to 2")
	case len(name) > 64:
		return invalid("roleSessionName", name, "have length less than or equal to 64")
	case !sessionName.MatchString(name):
		return invalid("roleSessionName", name, `satisfy regular expression pattern: [\w+=,.@-]*`)
	case in.ExternalId != nil && (len(external) < 2 || len(external) > 1224):
		return invalid("externalId", external, "have length between 2 and 1224")
	case !externalID.MatchString(external):
		return invalid("externalId", external, `satisfy regular expression pattern: [\w+=,.@:\/-]*`)
	case in.DurationSeconds != nil && time.Duration(seconds)*time.Second < shortestSession:
		return invalid("durationSeconds", strconv.Itoa(int(seconds)), "have value greater than or equal to 900")
	case in.DurationSeconds != nil && time.Duration(seconds)*time.Second > longestSession:
		return invalid("durationSeconds", strconv.Itoa(int(seconds)), "have value less than or equal to 43200")
	case !roleARN.MatchString(deref(in.RoleArn)):
		return api.Errorf("ValidationError", "%s is invalid", deref(in.RoleArn))
	}
	return nil
}

// lengthOf is how long a session lasts.
func lengthOf(call api.Call, in *sts.AssumeRoleInput, role world.RoleSpec) (time.Duration, error) {
	if in.DurationSeconds == nil {
		return defaultSession, nil
	}
	length := time.Duration(*in.DurationSeconds) * time.Second
	switch {
	case length > chainedSession && world.RoleOf(call.Caller) != "":
		return 0, api.Errorf(
			"ValidationError",
			"The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
		)
	case length > cmp.Or(role.MaxSession.D(), defaultSession):
		return 0, api.Errorf(
			"ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
		)
	}
	return length, nil
}

func (s tokenService) assume(call api.Call, in *sts.AssumeRoleInput) (*sts.AssumeRoleOutput, error) {
	denied := &api.Error{
		Code: "AccessDenied", Status: http.StatusForbidden,
		Message: "User: " + call.Caller + " is not authorized to perform: sts:AssumeRole on resource: " + deref(in.RoleArn),
	}
	if err := checkAssume(in); err != nil {
		return nil, err
	}
	parts := roleARN.FindStringSubmatch(*in.RoleArn)
	account, name := s.w.Account(parts[1]), parts[2]
	if account == nil {
		return nil, denied
	}
	for _, role := range account.Spec.Roles {
		if role.Name != name || role.ExternalID != "" && role.ExternalID != deref(in.ExternalId) {
			continue
		}
		length, err := lengthOf(call, in, role)
		if err != nil {
			return nil, err
		}
		session := Session{
			Account: account.ID, Expires: call.Time.Add(length).UTC(),
			Caller: "arn:aws:sts::" + account.ID + ":assumed-role/" + name + "/" + *in.RoleSessionName,
		}
		accessKey, token := session.keys()
		return &sts.AssumeRoleOutput{
			AssumedRoleUser: &types.AssumedRoleUser{
				Arn: &session.Caller, AssumedRoleId: ref("AROA" + account.ID + ":" + *in.RoleSessionName),
			},
			Credentials: &types.Credentials{
				AccessKeyId: &accessKey, SecretAccessKey: ref("made-up-and-good-for-nothing"), SessionToken: &token,
				Expiration: &session.Expires,
			},
		}, nil
	}
	return nil, denied
}
