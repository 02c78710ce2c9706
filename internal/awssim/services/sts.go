package services

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
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

// AWS's bounds of a session's duration.
const (
	defaultSession  = time.Hour
	shortestSession = 15 * time.Minute
	longestSession  = 12 * time.Hour
)

func (s tokenService) assume(call api.Call, in *sts.AssumeRoleInput) (*sts.AssumeRoleOutput, error) {
	denied := &api.Error{
		Code: "AccessDenied", Status: http.StatusForbidden,
		Message: "User: " + call.Caller + " is not authorized to perform: sts:AssumeRole on resource: " + deref(in.RoleArn),
	}
	parts := strings.Split(deref(in.RoleArn), ":") // arn:aws:iam::ACCOUNT:role/NAME
	if len(parts) != 6 || !strings.HasPrefix(parts[5], "role/") || deref(in.RoleSessionName) == "" {
		return nil, api.Errorf(
			"ValidationError", "Value '%s' at 'roleArn' or the session name '%s' is not valid", deref(in.RoleArn),
			deref(in.RoleSessionName),
		)
	}
	length := defaultSession
	if in.DurationSeconds != nil {
		length = time.Duration(*in.DurationSeconds) * time.Second
	}
	if length < shortestSession || length > longestSession {
		return nil, api.Errorf("ValidationError", "DurationSeconds %d is not between 900 and 43200", *in.DurationSeconds)
	}
	account, name := s.w.Account(parts[4]), strings.TrimPrefix(parts[5], "role/")
	if account == nil {
		return nil, denied
	}
	for _, role := range account.Spec.Roles {
		if role.Name != name || role.ExternalID != "" && role.ExternalID != deref(in.ExternalId) {
			continue
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
