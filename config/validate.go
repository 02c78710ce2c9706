package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/patchtide/patchtide/baselines"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/strictyaml"
)

// validator holds what one key's value means for another's; what a key accepts by itself stands in its tags.
type validator struct {
	doc       *strictyaml.Document
	file      *file
	baselines *baselines.Catalog // nil when they could not be read, which is reported elsewhere
	accounts  map[string]Account
	manifests string // the setting, wherever it comes from
}

func (v *validator) run() {
	v.checkAccounts()
	v.notEmpty("plans", len(v.file.Plans), "plans: [{name: web, baseline: amazon-linux-2023, stages: [...]}]")
	names := map[string]string{}
	for i, plan := range v.file.Plans {
		at := fmt.Sprintf("plans[%d]", i)
		v.unique(names, at+".name", plan.Name, "plan")
		v.checkPlan(at, plan)
	}
	v.checkAfterPlans()
	checkBlackouts(v.doc, "blackout", v.file.Blackout)
	for i, older := range v.file.JournalOlderKeysFrom {
		checkSource(v.doc, fmt.Sprintf("journal_older_keys_from[%d]", i), older,
			"journal_older_keys_from: [ssm:/patchtide/journal-key-2025]", "file", "ssm", "kms")
	}
	targets := map[string]string{}
	for i, target := range v.file.Notify {
		at := fmt.Sprintf("notify[%d]", i)
		v.checkNotify(at, target)
		v.unique(targets, at, target.Name(), "target")
	}
}

// notEmpty refuses a list that is there but holds nothing.
func (v *validator) notEmpty(at string, length int, example string) {
	if v.doc.Has(at) && length == 0 {
		v.doc.Problem(at, "is empty; write it like %s", example)
	}
}

// unique refuses the second use of a name and says where the first is.
func (v *validator) unique(seen map[string]string, at, name, what string) {
	if name == "" {
		return
	}
	if first, taken := seen[name]; taken {
		v.doc.Problem(at, "%s %s is already in line %d; each may be given once", what, name, v.doc.Line(first))
		return
	}
	seen[name] = at
}

// region is the form of AWS's region names, isolated partitions included.
var region = regexp.MustCompile(
	`^(af|ap|ca|cn|eu|eusc|il|me|mx|sa|us)(-[a-z]{2,4})?-(central|(north|south)(east|west)?|east|west)-[1-9]$`,
)

func (v *validator) checkAccounts() {
	v.notEmpty("accounts", len(v.file.Accounts), `accounts: [{name: production, id: "111122223333", ...}]`)
	v.accounts = map[string]Account{}
	names, ids := map[string]string{}, map[string]string{}
	for i, account := range v.file.Accounts {
		at := fmt.Sprintf("accounts[%d]", i)
		v.unique(names, at+".name", account.Name, "account")
		v.unique(ids, at+".id", account.ID, "account with the id")
		v.accounts[account.Name] = account
		v.checkRole(at+".role_arn", account.RoleARN, account.ID)
		v.checkRole(at+".automation_role_arn", account.AutomationRoleARN, account.ID)
		checkSource(
			v.doc, at+".external_id_from", account.ExternalIDFrom, "external_id_from: env:PATCHTIDE_EXTERNAL_ID", "env", "file",
			"ssm",
		)
		v.notEmpty(at+".regions", len(account.Regions), "regions: [ap-northeast-1]")
		seen := map[string]string{}
		for j, name := range account.Regions {
			place := fmt.Sprintf("%s.regions[%d]", at, j)
			if name != "" && !region.MatchString(name) {
				v.doc.Problem(place, "%q is no AWS region's name; write it like regions: [ap-northeast-1]", name)
			}
			v.unique(seen, place, name, "region")
		}
	}
}

func (v *validator) checkRole(at, arn, account string) {
	parts := strings.Split(arn, ":")
	if arn == "" || account == "" || len(parts) < 6 || parts[4] == account {
		return
	}
	v.doc.Problem(
		at, "belongs to the account %s, but this one's id is %s; write the role of this account", parts[4], account,
	)
}

func (v *validator) checkPlan(at string, plan Plan) {
	v.checkBaseline(at+".baseline", plan.Baseline)
	if plan.Backup == patch.BackupNone && plan.Restore == patch.RestoreRootVolume {
		key := at + ".restore" // the pair is wrong; show the half that was written
		if !v.doc.Has(key) {
			key = at + ".backup"
		}
		v.doc.Problem(
			key, "backup: none leaves no root volume to restore; write backup: snapshot, or restore: replace or none",
		)
	}
	v.checkPin(at, plan)
	v.checkImage(at+".image", plan.Image, plan.allGroups())
	v.checkTiming(at+".timing", plan.Timing)
	v.checkExclude(at+".exclude", plan.Exclude)
	v.checkHooks(at, plan)
	v.notEmpty(at+".stages", len(plan.Stages), "stages: [{name: staging, groups: [...]}]")
	checkWindows(v.doc, at+".windows", plan)
	checkBlackouts(v.doc, at+".blackout", plan.Blackout)
	checkCalendars(v.doc, at+".change_calendars", plan.ChangeCalendars)
	v.checkSession(at+".timing.install", plan)
	names, groups := map[string]string{}, map[string]string{}
	for i, stage := range plan.Stages {
		place := fmt.Sprintf("%s.stages[%d]", at, i)
		v.unique(names, place+".name", stage.Name, "stage")
		v.checkStage(place, plan, stage, groups)
		v.checkTrial(place+".image", at+".image", plan, stage)
		v.checkMethod(place, plan, i)
		if i == 0 && stage.After != nil {
			v.doc.Problem(place+".after", "is for a stage that comes after another, and %s is the plan's first; remove it, or "+
				"write it in the stage that is to wait", stage.Name)
		}
	}
}

// checkSession refuses an install that may outlast the session of who starts it, in accounts where Automation has no
// role of its own.
func (v *validator) checkSession(at string, plan Plan) {
	install := resolveTiming(plan.Timing).Install
	if install <= patch.LongestAsCaller {
		return
	}
	var without []string
	for _, stage := range plan.Stages {
		for _, group := range stage.Groups {
			account, known := v.accounts[group.Account]
			if known && account.AutomationRoleARN == "" && !slices.Contains(without, account.Name) {
				without = append(without, account.Name)
			}
		}
	}
	if len(without) > 0 {
		v.doc.Problem(at, "%s may outlast the %s for which Automation acts with role_arn's permissions in the account "+
			"%s: an execution may be queued and run for as long each; write automation_role_arn for that account, or "+
			"install: %s or less", install, patch.CallersSession, strings.Join(without, ", "), patch.LongestAsCaller)
	}
}

func (v *validator) checkStage(at string, plan Plan, stage Stage, groups map[string]string) {
	v.notEmpty(
		at+".groups", len(stage.Groups), "groups: [{account: production, region: ap-northeast-1, auto_scaling_group: web}]",
	)
	for i, group := range stage.Groups {
		place := fmt.Sprintf("%s.groups[%d]", at, i)
		v.checkGroup(place, group)
		v.checkBaseline(place+".baseline", group.Baseline)
		v.checkNodes(place, at, plan, stage, group)
		if group.AutoScalingGroup != "" || len(group.Tags) > 0 || len(group.ManagedNodes) > 0 {
			v.unique(groups, place, group.resolve(Account{Name: group.Account}).String(), "group")
		}
		if len(group.Tags) > 0 && plan.Restore == patch.RestoreReplace {
			v.doc.Problem(
				place+".tags",
				"restore: replace needs an Auto Scaling group to launch another instance; name one by auto_scaling_group, or "+
					"write restore: root_volume",
			)
		}
		if len(group.Tags) > 0 && stage.Capacity != patch.CapacityAuto && stage.Capacity != "" {
			v.doc.Problem(
				at+".capacity", "%s needs Auto Scaling groups, and a group of this stage is chosen by tags; write capacity: auto",
				stage.Capacity,
			)
		}
	}
	v.checkBaseline(at+".baseline", stage.Baseline)
	v.checkOrder(at, stage)
	v.checkSteps(at, stage)
	v.checkExclude(at+".exclude", stage.Exclude)
	v.checkStopped(at, stage)
	v.checkImage(at+".image", stage.Image, stage.Groups)
	v.notEmpty(at+".health", len(stage.Health), "health: [{target_group: auto}], or leave it out for that")
	for i, check := range stage.Health {
		v.checkHealth(fmt.Sprintf("%s.health[%d]", at, i), check)
	}
	v.checkBake(at, stage)
}

// exactlyOne refuses an entry that has none of the keys, or several.
func (v *validator) exactlyOne(at, example string, keys ...string) {
	var given []string
	for _, key := range keys {
		if v.doc.Has(at + "." + key) {
			given = append(given, key)
		}
	}
	switch {
	case len(given) == 0 && v.doc.Has(at):
		v.doc.Problem(at, "has none of %s; write one, like %s", strings.Join(keys, ", "), example)
	case len(given) > 1:
		v.doc.Problem(at, "has %s together; write one entry for each, like %s", strings.Join(given, " and "), example)
	}
}

func (v *validator) checkGroup(at string, group Group) {
	account, known := v.accounts[group.Account]
	switch {
	case group.Account == "" || len(v.file.Accounts) == 0:
	case !known:
		names := make([]string, len(v.file.Accounts))
		for i, a := range v.file.Accounts {
			names[i] = a.Name
		}
		v.doc.Problem(at+".account", "there is no account %q; known: %s", group.Account, strings.Join(names, ", "))
	case group.Region != "" && len(account.Regions) > 0 && !slices.Contains(account.Regions, group.Region):
		v.doc.Problem(
			at+".region", "%q is none of the regions of account %s; write one of %s, or add it there", group.Region,
			account.Name, strings.Join(account.Regions, ", "),
		)
	}
	v.checkKind(at, group)
	v.checkTags(at+".tags", group.Tags)
	v.checkTags(at+".managed_nodes", group.ManagedNodes)
}

// checkTags keeps to the limits of tags: EC2 User Guide, "Tag your Amazon EC2 resources".
func (v *validator) checkTags(at string, tags map[string]string) {
	for key, value := range tags {
		if key == "" || len([]rune(key)) > 128 || len([]rune(value)) > 256 {
			v.doc.Problem(at+"."+key, "a tag's key has 1 to 128 characters and its value at most 256; this one has %d and %d",
				len([]rune(key)), len([]rune(value)))
		}
	}
}

func (v *validator) checkNotify(at string, target Notify) {
	v.exactlyOne(at, "notify: [{slack: {webhook_from: 'ssm:/patchtide/slack'}}]", "slack", "teams", "sns", "webhook")
	if target.Slack != nil {
		checkSource(
			v.doc, at+".slack.webhook_from", target.Slack.WebhookFrom, "webhook_from: ssm:/patchtide/slack", "file", "ssm",
		)
	}
	if target.Teams != nil {
		checkSource(
			v.doc, at+".teams.webhook_from", target.Teams.WebhookFrom, "webhook_from: ssm:/patchtide/teams", "file", "ssm",
		)
	}
	if target.Webhook != nil {
		checkSource(
			v.doc, at+".webhook.url_from", target.Webhook.URLFrom, "url_from: file:/run/secrets/webhook", "file", "ssm",
		)
	}
}
