package services

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// registerRoles tells of the roles of the scenario: each has at most one policy, which is its own.
func registerRoles(r *api.Registry, w *world.World) {
	api.Handle(r, "iam", "GetRole", []string{"RoleName"},
		func(c api.Call, in *iam.GetRoleInput) (*iam.GetRoleOutput, error) {
			role, err := roleNamed(w, c, in.RoleName)
			if err != nil {
				return nil, err
			}
			return &iam.GetRoleOutput{Role: roleView(w, c, role)}, nil
		})
	api.Handle(r, "iam", "ListRolePolicies", []string{"RoleName"},
		func(c api.Call, in *iam.ListRolePoliciesInput) (*iam.ListRolePoliciesOutput, error) {
			role, err := roleNamed(w, c, in.RoleName)
			if err != nil {
				return nil, err
			}
			out := &iam.ListRolePoliciesOutput{PolicyNames: []string{}}
			if role.Policy != "" {
				out.PolicyNames = append(out.PolicyNames, role.Name)
			}
			return out, nil
		})
	api.Handle(r, "iam", "ListAttachedRolePolicies", []string{"RoleName"},
		func(c api.Call, in *iam.ListAttachedRolePoliciesInput) (*iam.ListAttachedRolePoliciesOutput, error) {
			_, err := roleNamed(w, c, in.RoleName)
			return &iam.ListAttachedRolePoliciesOutput{AttachedPolicies: []types.AttachedPolicy{}}, err
		})
}

func noSuchEntity(message string) *api.Error {
	return &api.Error{Code: "NoSuchEntity", Message: message, Status: http.StatusNotFound}
}

func roleNamed(w *world.World, c api.Call, name *string) (world.RoleSpec, error) {
	for _, role := range w.Account(c.Account).Spec.Roles {
		if role.Name == aws.ToString(name) {
			return role, nil
		}
	}
	return world.RoleSpec{}, noSuchEntity("The role with name " + aws.ToString(name) + " cannot be found.")
}

// roleView is a role that the home account may assume.
func roleView(w *world.World, c api.Call, role world.RoleSpec) *types.Role {
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` +
		w.Scenario.Home.ID + `:root"},"Action":"sts:AssumeRole"}]}`
	longest := role.MaxSession.D()
	if longest == 0 {
		longest = time.Hour
	}
	sum := sha256.Sum256([]byte(c.Account + role.Name))
	return &types.Role{
		RoleName: aws.String(role.Name), Path: aws.String("/"),
		Arn:                      aws.String("arn:aws:iam::" + c.Account + ":role/" + role.Name),
		RoleId:                   aws.String("AROA" + strings.ToUpper(hex.EncodeToString(sum[:]))[:17]),
		CreateDate:               aws.Time(w.Start().AddDate(-1, 0, 0)),
		AssumeRolePolicyDocument: aws.String(url.PathEscape(trust)), MaxSessionDuration: aws.Int32(int32(longest.Seconds())),
		Tags: []types.Tag{},
	}
}
