package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/spf13/cobra"

	"github.com/patchtide/patchtide/internal/permissions"
)

func newIAM() *cobra.Command {
	cmd := parent("iam", "Print the policies of the roles that Patchtide works with", newIAMPolicy(), newIAMTrust())
	cmd.Long = "Print, as JSON, the policies of the roles that Patchtide works with. It asks neither AWS nor Temporal."
	return cmd
}

func newIAMPolicy() *cobra.Command {
	var role permissions.Role
	var automation, instances bool
	var lists string
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Print what the role in each account must be allowed to do",
		Long: "Print, as JSON, what the role in each account must be allowed to do: the actions that `patchtide doctor`\n" +
			"asks for. Resource is \"*\" wherever a wave makes what it works on, or finds it by the plan: limit it to your\n" +
			"groups if you like, and doctor tells what it is then not sure of. EncryptedVolumes may be left out where no\n" +
			"volume is encrypted.",
		Example: "patchtide iam policy --role arn:aws:iam::111122223333:role/patchtide",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if automation {
				return printJSON(cmd.OutOrStdout(), permissions.AutomationPolicy())
			}
			if lists != "" || instances {
				if !aBucket.MatchString(lists) {
					return wrongUsage(cmd, fmt.Errorf(
						"--lists %s: write it like s3://patchtide-manifests/lists, as manifests: has it", lists,
					))
				}
				return printJSON(cmd.OutOrStdout(), permissions.ListsPolicy(lists, instances))
			}
			for flag, text := range map[string]string{"--role": role.ARN, "--automation-role": role.AutomationRole} {
				if err := checkRole(flag, text); text != "" && err != nil {
					return wrongUsage(cmd, err)
				}
			}
			if parsed, err := arn.Parse(role.Topic); role.Topic != "" && (err != nil || parsed.Service != "sns") {
				return wrongUsage(cmd, fmt.Errorf(
					"--topic %s: write it like arn:aws:sns:ap-northeast-1:111122223333:patching", role.Topic,
				))
			}
			for _, passed := range role.InstanceRoles {
				if err := checkRole("--instance-role", passed); err != nil {
					return wrongUsage(cmd, err)
				}
			}
			for _, function := range role.Functions {
				if parsed, err := arn.Parse(function); err != nil || parsed.Service != "lambda" {
					return wrongUsage(cmd, fmt.Errorf(
						"--function %s: write it like arn:aws:lambda:ap-northeast-1:111122223333:function:drain:live", function,
					))
				}
			}
			return printJSON(cmd.OutOrStdout(), role.Policy())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&role.ARN, "role", "", "the role's own ARN: then it may ask IAM what it may do, for patchtide doctor")
	flags.StringVar(
		&role.AutomationRole, "automation-role", "", "automation_role_arn of the account, which it then may pass",
	)
	flags.StringVar(&role.Topic, "topic", "", "the SNS topic in this account of a target under notify:")
	flags.StringSliceVar(
		&role.Functions, "function", nil,
		"a function of Lambda that a hook invokes, with its version or alias; may be given again",
	)
	flags.StringSliceVar(
		&role.InstanceRoles, "instance-role", nil,
		"the role of a profile with which a group is launched whose image is renewed (image:); may be given again",
	)
	flags.BoolVar(&role.RootImages, "root-images", false, "a stage replaces root volumes by images (method: image)")
	flags.BoolVar(&role.CopyImages, "copy-images", false,
		"the account gets copies of images that such a stage has made in another account or region")
	flags.BoolVar(&role.ShareImages, "share-images", false,
		"other accounts get copies of images that such a stage has made in the account")
	flags.BoolVar(&automation, "automation", false, "of the role in automation_role_arn instead")
	flags.StringVar(&lists, "lists", "", "the place of manifests:, s3://bucket/prefix: of the worker's own role instead")
	flags.BoolVar(&instances, "instances", false, "with --lists: of the profiles of a plan's instances")
	return cmd
}

// aBucket is a place in S3.
var aBucket = regexp.MustCompile(`^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._/-]*)?$`)

// externalID are the characters that AWS takes in one, and longestExternalID is its length (API reference of
// AssumeRole).
var externalID = regexp.MustCompile(`^[\w+=,.@:/-]{2,}$`)

const longestExternalID = 1224

func newIAMTrust() *cobra.Command {
	var worker, external string
	var automation bool
	cmd := &cobra.Command{
		Use:   "trust",
		Short: "Print who may assume the role in each account",
		Long: "Print, as JSON, the trust policy of the role in each account: the worker's own role may assume it, with\n" +
			"the external id. The configuration says where the worker reads that (external_id_from), never the id itself.",
		Example: "patchtide iam trust --worker arn:aws:iam::999900001111:role/patchtide-worker --external-id a-word-of-yours",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if automation {
				return printJSON(cmd.OutOrStdout(), permissions.AutomationTrust())
			}
			if err := checkRole("--worker", worker); err != nil {
				return wrongUsage(cmd, err)
			}
			if external != "" && (len(external) > longestExternalID || !externalID.MatchString(external)) {
				return wrongUsage(cmd, errors.New("--external-id: AWS takes 2 to 1224 letters, digits and +=,.@:/-_"))
			}
			return printJSON(cmd.OutOrStdout(), permissions.Trust(worker, external))
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&worker, "worker", "", "the worker's own role, by its ARN; doctor prints who it is")
	flags.StringVar(&external, "external-id", "", "what the worker must say when it assumes the role")
	flags.BoolVar(&automation, "automation", false, "of the role in automation_role_arn instead")
	return cmd
}

// checkRole refuses what is no ARN of a role. A session's, which doctor may print, is told as its role's.
func checkRole(flag, text string) error {
	parsed, err := arn.Parse(text)
	switch {
	case text == "":
		return fmt.Errorf("%s is missing: write it like arn:aws:iam::999900001111:role/patchtide-worker", flag)
	case err == nil && parsed.Service == "iam" && strings.HasPrefix(parsed.Resource, "role/"):
		return nil
	case err == nil && parsed.Service == "sts" && strings.HasPrefix(parsed.Resource, "assumed-role/"):
		name := strings.Split(parsed.Resource, "/")[1]
		return fmt.Errorf("%s %s is a session of a role; name the role: arn:%s:iam::%s:role/%s (with its path, where it has "+
			"one)", flag, text, parsed.Partition, parsed.AccountID, name)
	}
	return fmt.Errorf("%s %s: write it like arn:aws:iam::111122223333:role/patchtide", flag, text)
}
