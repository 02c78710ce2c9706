package permissions

import "encoding/json"

// Document is a policy document of IAM.
type Document struct {
	Version   string
	Statement []Statement
}

// Statement is one of a policy. Principal is set in trust policies only, Resource in the others.
type Statement struct {
	Sid       string            `json:",omitempty"`
	Effect    string            // Allow
	Principal map[string]string `json:",omitempty"`
	Action    []string
	Resource  string    `json:",omitempty"`
	Resources []string  `json:"-"` // several in place of Resource
	Condition Condition `json:",omitempty"`
}

// MarshalJSON writes several resources as IAM has them: under the name of the one.
func (s Statement) MarshalJSON() ([]byte, error) {
	type plain Statement
	if len(s.Resources) == 0 {
		return json.Marshal(plain(s))
	}
	return json.Marshal(struct {
		plain
		Resource []string
	}{plain(s), s.Resources})
}

// Condition is what a statement is bound to: by operator, by key.
type Condition map[string]map[string]string

const version = "2012-10-17"

// Role is what a role in a target account has to do with: each an ARN, or "".
type Role struct {
	ARN            string // its own; then it may ask IAM what it may do, for doctor
	AutomationRole string // automation_role_arn, which it then may pass
	Topic          string // of SNS, of a target under notify: whose topic is in this account

	InstanceRoles []string // ARNs of the roles of the profiles with which groups are launched whose image is renewed

	RootImages bool // a stage replaces root volumes by images: method: image

	CopyImages  bool // such an image is copied to the account, or within it to another region
	ShareImages bool // such an image is copied from the account to another

	Functions []string // ARNs of the functions of Lambda that hooks invoke, with their version or alias
}

// grant is a statement of the role's policy.
type grant struct {
	sid       string
	actions   []string
	resource  func(Role) string   // "": the statement is left out
	resources func(Role) []string // several in its place; nil: none
	condition Condition
	when      string // for people: where it is needed, and on what; "" always, on everything
}

func everything(Role) string { return "*" }

// images is on what images are renewed: on everything, where any are.
func (r Role) images() string {
	if len(r.InstanceRoles) > 0 || r.RootImages {
		return "*"
	}
	return ""
}

func onAll(needed bool) string {
	if needed {
		return "*"
	}
	return ""
}

// grants is the role's policy, as a table.
func grants() []grant {
	return []grant{
		{sid: "Patch", actions: Actions(), resource: everything},
		{
			sid: "EncryptedVolumes", resource: everything, when: "for encrypted volumes, and where EBS encrypts by default",
			actions: []string{
				"kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncrypt*",
			},
		},
		{
			sid: "Notify", actions: []string{Publish}, resource: func(r Role) string { return r.Topic },
			when: "where an `sns` target under `notify:` has its topic in this account",
		},
		{
			sid: "InvokeHooks", actions: []string{Invoke}, resource: func(Role) string { return "" },
			resources: func(r Role) []string { return r.Functions },
			when:      "where a hook of a plan is a `lambda`, on its functions only, each with the version or alias of the hook",
		},
		{
			sid: "RenewImages", actions: ImageActions(), resource: func(r Role) string { return r.images() },
			when: "where a plan says `image` or a stage `method: image`, which needs `CreateImage` and `DeregisterImage` of them, " +
				"also in the account that its image is made in; `GetParameter` where an image is a parameter's",
		},
		{
			sid: "CopyImages", actions: []string{CopyAction, "kms:GenerateDataKey"},
			resource: func(r Role) string { return onAll(r.CopyImages) },
			when: "where a stage says `method: image` and its image is made in another account or region, in the account that " +
				"gets the copy",
		},
		{
			sid: "ShareImages", actions: ShareActions(), resource: func(r Role) string { return onAll(r.ShareImages) },
			condition: Condition{"StringLike": {ofOurs: "*"}},
			when: "where such an image is made in this account and another gets the copy, on images and snapshots of ours " +
				"only",
		},
		{
			sid: "PassInstanceRoles", actions: []string{PassRole}, resource: func(Role) string { return "" },
			resources: func(r Role) []string { return r.InstanceRoles },
			condition: Condition{"StringEquals": {"iam:PassedToService": RunService}},
			when:      "where a plan says `image`, on the roles of the profiles that its launch templates name",
		},
		{
			sid: "PassAutomationRole", actions: []string{PassRole}, resource: func(r Role) string { return r.AutomationRole },
			condition: Condition{"StringEquals": {"iam:PassedToService": AutomationService}},
			when:      "on the Automation role below, where there is one",
		},
		{
			sid: "WhoChangedBaselines", actions: []string{WhoChanged}, resource: everything,
			when: "optional: who changed a patch baseline that differs from its file is then told",
		},
		{
			sid: "AskWhatIsAllowed", actions: []string{"iam:SimulatePrincipalPolicy"},
			resource: func(r Role) string { return r.ARN },
			when:     "on the role itself, optional: `patchtide doctor` then names each action that is missing",
		},
	}
}

// Policy is what the role in a target account must be allowed to do.
func (r Role) Policy() Document {
	document := Document{Version: version}
	for _, each := range grants() {
		var resources []string
		if each.resources != nil {
			resources = each.resources(r)
		}
		if resource := each.resource(r); resource != "" || len(resources) > 0 {
			document.Statement = append(document.Statement, Statement{
				Sid: each.sid, Effect: "Allow", Action: each.actions, Resource: resource, Resources: resources,
				Condition: each.condition,
			})
		}
	}
	return document
}

// AutomationPolicy is what the role in automation_role_arn must be allowed to do.
func AutomationPolicy() Document {
	return Document{Version: version, Statement: []Statement{{
		Sid: "RunCommands", Effect: "Allow", Action: AutomationActions(), Resource: "*",
	}}}
}

// Trust lets the worker's own role, by its ARN, assume the role, with the external id where there is one.
func Trust(worker, externalID string) Document {
	statement := Statement{
		Sid: "Patchtide", Effect: "Allow", Principal: map[string]string{"AWS": worker}, Action: []string{"sts:AssumeRole"},
	}
	if externalID != "" {
		statement.Condition = Condition{"StringEquals": {"sts:ExternalId": externalID}}
	}
	return Document{Version: version, Statement: []Statement{statement}}
}

// AutomationTrust lets Automation assume the role in automation_role_arn.
func AutomationTrust() Document {
	return Document{Version: version, Statement: []Statement{{
		Sid: "Automation", Effect: "Allow", Principal: map[string]string{"Service": AutomationService},
		Action: []string{"sts:AssumeRole"},
	}}}
}
