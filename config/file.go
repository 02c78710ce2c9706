// Package config reads patchtide.yaml: who may be patched, how, and how the process itself runs.
//
// Accounts, plans and notify come from the file alone, decoded without guessing. The scalar settings of the process may
// also come from flags and PATCHTIDE_* environment variables. What a key accepts, its default and its meaning stand in
// the tags of the types below and nowhere else: the decoder, config/schema.json and docs/configuration.md are made from
// them.
package config

import "github.com/patchtide/patchtide/internal/patch"

// file is the whole of patchtide.yaml.
type file struct {
	Settings  `yaml:",inline"`
	OlderKeys `yaml:",inline"`
	Accounts  []Account  `yaml:"accounts" required:"true" example:"[{name: production, id: \"111122223333\", role_arn: 'arn:aws:iam::111122223333:role/patchtide', regions: [ap-northeast-1]}]" doc:"The AWS accounts that may be patched."`
	Plans     []Plan     `yaml:"plans" required:"true" example:"[{name: web, baseline: amazon-linux-2023, stages: [...]}]" doc:"What operators name when they start a wave."`
	Blackout  []Blackout `yaml:"blackout" example:"[{from: 2026-12-24, to: 2026-12-26, reason: Christmas}]" doc:"Days on which no plan begins anything. A window that opens in one does not open, and people are told; one that is open when it begins closes there."`
	Notify    []Notify   `yaml:"notify" example:"[{slack: {webhook_from: 'ssm:/patchtide/slack'}}]" doc:"Who is told what waves do and when they need somebody. Without it nobody is."`
}

// OlderKeys are the journal's keys of before.
type OlderKeys struct {
	JournalOlderKeysFrom []Source `yaml:"journal_older_keys_from" example:"[ssm:/patchtide/journal-key-2025]" doc:"Where earlier journal keys are kept, like journal_key_from: what was signed with them is still believed, and nothing more is signed with them. Keep one for as long as backups of its waves are kept."`
}

// Account is one AWS account and how to act in it.
type Account struct {
	Name              string   `yaml:"name" required:"true" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$" example:"production" doc:"What groups and people call the account."`
	ID                string   `yaml:"id" required:"true" pattern:"^[0-9]{12}$" example:"\"111122223333\"" doc:"The account id: 12 digits, always quoted, for without quotes it would be a number."`
	RoleARN           string   `yaml:"role_arn" required:"true" pattern:"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+$" example:"arn:aws:iam::111122223333:role/patchtide" doc:"The role that the worker assumes there. It must belong to the account."`
	ExternalIDFrom    Source   `yaml:"external_id_from" example:"env:PATCHTIDE_EXTERNAL_ID" doc:"Where the external id for assuming the role is read from: env:NAME, file:PATH or ssm:/NAME. Never the id itself."`
	AutomationRoleARN string   `yaml:"automation_role_arn" pattern:"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+$" example:"arn:aws:iam::111122223333:role/patchtide-automation" computed:"the permissions of role_arn" doc:"The role that Systems Manager Automation assumes while it patches; ssm.amazonaws.com must be trusted to."`
	Regions           []string `yaml:"regions" required:"true" example:"[ap-northeast-1]" doc:"The regions a plan may touch in this account."`
	ImageKey          string   `yaml:"image_key" pattern:"^alias/[A-Za-z0-9/_-]{1,240}$" example:"alias/patchtide-images" computed:"EBS's default key there" doc:"The alias of the key of KMS by which copies of images are encrypted that stages by method: image make in this account of another account's or region's. Each region of the account that gets one needs a key of that alias; an image that is to be copied on to another account needs one of your own."`
}

// Plan is a plan as it is written; (*Config).Plan resolves it.
type Plan struct {
	Name            string                    `yaml:"name" required:"true" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$" example:"web" doc:"What operators type to start a wave."`
	Baseline        Baseline                  `yaml:"baseline" required:"true" example:"amazon-linux-2023" doc:"The patch baseline that decides what is installed: a built-in one or one from baselines_dir. {adopt: true} takes whatever Systems Manager has for each instance, and changes nothing there."`
	Backup          patch.Backup              `yaml:"backup" enum:"snapshot,none" default:"snapshot" example:"snapshot" doc:"What is kept of an instance before it is patched: a snapshot of its root volume, taken when it is drained, or nothing."`
	Restore         patch.Restore             `yaml:"restore" enum:"root_volume,replace,none" default:"root_volume" example:"root_volume" doc:"How a failed instance is put back: its root volume as it was (needs a backup), a new instance in its place (Auto Scaling groups only), or straight to quarantine."`
	Reboot          patch.Reboot              `yaml:"reboot" enum:"always,if_required,never" default:"always" example:"if_required" doc:"Whether an instance is rebooted after its install, while it is out of service. always: once, so that all that was installed is in force, and a machine that does not come back is found while its snapshot is there. if_required: it is asked what it needs, and rebooted only then; Systems Manager lists what was installed as InstalledPendingReboot, and the instance as not compliant, until somebody reboots it. never: others do; an instance that needs a reboot ends as patched_reboot_pending, is named, and no wave takes it out for that alone. A kernel that is patched in memory needs none by if_required, and is named as live-patched."`
	Passes          int                       `yaml:"passes" min:"1" max:"10" computed:"1 on Linux, 3 on Windows" example:"1" doc:"How often installing and rebooting is repeated at most: some Windows updates appear only after others. What is still missing after the last fails the instance; on Linux, what was published meanwhile is named instead."`
	Pin             patch.Pin                 `yaml:"pin" enum:"none,manifest" computed:"manifest in a plan of two stages or more" example:"none" doc:"What binds the stages after the first. manifest: what the stages before have installed and proved, package by package at its exact version, in the same wave or in an earlier one of the plan, as long as a machine of theirs holds it; an instance that cannot get it, by a dry install on it, is refused before it goes out, one that gets anything else is put back, and patches that were published since are named as not in this wave. It needs manifests, and at least two stages. none: each stage installs what its repositories serve when it is patched."`
	Retention       patch.Duration            `yaml:"retention" min:"1h" default:"168h" example:"168h" doc:"How long snapshots and replaced volumes are kept."`
	Quarantine      Quarantine                `yaml:"quarantine" example:"{ttl: 72h, isolate: quarantined}" doc:"How an instance is kept that could not be put back: taken out of its group, still there to be looked at."`
	Timing          map[string]patch.Duration `yaml:"timing" min:"1s" computed:"those of the table below" example:"{drain: 20m}" doc:"Intervals and budgets, each with a default; see below."`
	Estimates       Estimates                 `yaml:"estimates" example:"{patch: 30m}" doc:"How long one instance takes, until earlier waves have shown it: in a window an instance is started only if all of it fits before the cutoff."`
	Stages          []Stage                   `yaml:"stages" required:"true" example:"[{name: staging, groups: [{account: staging, region: ap-northeast-1, tags: {Role: web}}]}]" doc:"What is patched, in order: a stage begins when the one before it has ended well."`
	Exclude         *Exclude                  `yaml:"exclude" example:"{tags: {Patch: never}}" doc:"Instances that no wave of the plan touches. They count for room and health, and each wave names them."`
	Windows         []Window                  `yaml:"windows" example:"[{schedule: \"cron(0 2 ? * TUE#2 *)\", offset: 4d, time_zone: Asia/Tokyo, duration: 4h, cutoff: 1h}]" doc:"When changes may happen; several that overlap are one. Without any: at any time somebody starts a wave."`
	Blackout        []Blackout                `yaml:"blackout" example:"[{from: 2026-12-24, to: 2026-12-26, reason: Christmas}]" doc:"Days on which this plan begins nothing, beside those of the whole configuration."`
	AfterPlan       *AfterPlan                `yaml:"after_plan" example:"{plan: database, max_age: 24h}" doc:"Another plan that a wave of this one waits for before it begins: until that has no open wave and no roll back under way, and its last wave ended as succeeded. It holds no lock meanwhile, and says what it waits for. The other plan's name alone, as in after_plan: database, is short for {plan: database}."`
	Hooks           PlanHooks                 `yaml:"hooks" example:"{before_snapshot: [{name: stop, run: systemctl stop web}]}" doc:"What of your own a wave of the plan does at its points, and on each instance of every stage; see docs/hooks.md."`
	Image           *Image                    `yaml:"image" example:"{from: patched_instance, keep: 3}" doc:"Whether the image is renewed that an Auto Scaling group launches from, once a wave has patched the whole group and proven it: made, tried by an instance of its own outside the group, and only then put into the launch template. Without it the wave tells that the image is stale. What it is made from alone, as in image: patched_instance, is short for {from: patched_instance}."`
	ChangeCalendars []string                  `yaml:"change_calendars" example:"[arn:aws:ssm:ap-northeast-1:111122223333:document/business-days]" doc:"Change Calendars that must be open before a wave and before each instance, in a plan with windows and in one without, by name in the instance's account and region, or by ARN. One that gives no answer counts as closed."`
}

// Quarantine says how an instance is kept that must not serve.
type Quarantine struct {
	TTL     patch.Duration `yaml:"ttl" min:"0s" default:"72h" example:"72h" doc:"How long a quarantined instance of an Auto Scaling group is kept before Reconcile terminates it: time for somebody to look, also after a weekend. 0s: until somebody decides."`
	Isolate string         `yaml:"isolate" pattern:"^[A-Za-z0-9 ._:/()#,@+=&;{}!$*-]{1,255}$" example:"quarantined" doc:"A security group that replaces all others of a quarantined instance: its id, sg-..., or its name, which must be in the network of each instance. The old ones are journalled and put back on release. Without it they stay."`
}

// Estimates is how long one instance takes at most, as far as its owner knows. Draining and slow start are asked of the
// target groups and added. The defaults: installation and reboot in ten minutes, checks and the default bake in ten;
// draining again, replacing the volume with its reboot, and checks in twenty; a few gigabytes that changed; what a boot
// needs read from a snapshot.
type Estimates struct {
	Patch    patch.Duration `yaml:"patch" min:"0s" default:"20m" example:"30m" doc:"From the first change until it is proven in service, the bake included. Once five instances of the plan's earlier waves were patched, the 95th percentile of theirs counts; before, theirs if it is longer."`
	RollBack patch.Duration `yaml:"rollback" min:"0s" default:"20m" example:"30m" doc:"Until a failed instance is back as it was: its root volume replaced, rebooted, checked. Measured as patch is."`
	Snapshot patch.Duration `yaml:"snapshot" min:"0s" default:"15m" example:"1h" doc:"Until its snapshot is complete, which a restore waits for. Enough for a few gigabytes that changed; the first snapshot of a large volume takes hours."`
	Volume   patch.Duration `yaml:"volume" min:"0s" default:"10m" example:"30m" doc:"Until a restored volume, which is read from its snapshot at first, is as fast as before."`
}

// Stage is a set of groups under one policy.
type Stage struct {
	Name              string             `yaml:"name" required:"true" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$" example:"staging" doc:"What people call the stage."`
	Groups            []Group            `yaml:"groups" required:"true" example:"[{account: production, region: ap-northeast-1, auto_scaling_group: web}]" doc:"The groups of the stage. A group belongs to one stage of a plan."`
	Service           string             `yaml:"service" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$" example:"web" doc:"Groups that serve the same service are taken one group at a time."`
	Approval          *Approval          `yaml:"approval" example:"{required: true}" doc:"Somebody must approve before the stage begins. true is short for {required: true}."`
	After             *After             `yaml:"after" example:"{duration: 3d, healthy: true}" doc:"How long the stage before must have been done before this one begins: it soaks. The wave holds no lock meanwhile, and goes on in the first window after it; the approval, if there is one, is asked then. A duration alone, as in after: 3d, is short for {duration: 3d, healthy: true}. Not for the first stage."`
	MaxUnavailable    patch.Share        `yaml:"max_unavailable" min:"1" max:"1000" default:"1" example:"10%" doc:"How many instances of a group may be out of service at once, and so how many are patched at once: a number, or a percentage of the group, rounded down and at least one. Fewer are where min or others that are out by themselves leave no room for as many; where min leaves none, as many are launched first as are out."`
	MaxParallelGroups int                `yaml:"max_parallel_groups" min:"1" max:"1000" default:"1" example:"1" doc:"How many groups are worked on at once. Groups of one service or one target group never are."`
	MaxFailures       patch.Share        `yaml:"max_failures" min:"0" max:"1000" default:"0" example:"5%" doc:"How many failed instances the stage may carry before it stops and the wave goes on hold: a number, or a percentage of the stage, rounded down."`
	Capacity          patch.CapacityMode `yaml:"capacity" enum:"auto,decrement,surge" default:"auto" example:"auto" doc:"How room is made in an Auto Scaling group: as many fewer as are out (decrement), as many more while the group is patched (surge), or whichever its numbers allow (auto): never a surge where min allows one less. A group that counts weights, vCPUs or memory is never surged."`
	Health            []HealthCheck      `yaml:"health" default:"[{target_group: auto}]" example:"[{target_group: auto}, {http: {path: /healthz, port: 80}}]" doc:"What must be well before an instance counts as healthy, beside EC2's own status checks. All of it must."`
	Bake              patch.Duration     `yaml:"bake" min:"0s" default:"5m" example:"5m" doc:"How long an instance is watched after it is back in service; a target group's slow start comes on top. A wave is refused when it is shorter than an alarm needs: its period times its evaluation periods, and a minute."`
	OnFailure         OnFailure          `yaml:"on_failure" example:"{action: hold, timeout: 30m, then: roll_back}" doc:"What happens when the stage stops because of failures."`
	Promote           patch.Promote      `yaml:"promote" enum:"clean,with_skips" default:"clean" example:"with_skips" doc:"What of the stage lets the next one begin. clean: all that it took is proven; where an instance was skipped or put back, by max_failures, by then: skip or by a person's skip, the wave ends there, names it, and the next stage is not touched. with_skips: the next stage may begin all the same, and whoever approves it is told first who was skipped or put back."`
	Order             patch.Order        `yaml:"order" enum:"zone_balanced,zone,oldest_first,exposure" default:"zone_balanced" example:"zone" doc:"Who of a group is taken first. zone_balanced: the zones that have most, so that no zone is left with one longer than need be; zone: one zone after the other, by their names; oldest_first: by the time of launch; exposure: who misses the most dangerous patches, by their vendors' severities as the last scan has them. Those alike by id. Who joins meanwhile comes last."`
	ZoneSoak          patch.Duration     `yaml:"zone_soak" min:"0s" default:"0s" example:"30m" doc:"With order: zone, how long a group is left alone once a zone of it is patched, before the next zone begins. Nothing of the wave's is out or suspended meanwhile."`
	Exclude           *Exclude           `yaml:"exclude" example:"{tags: {Patch: never}}" doc:"Instances of this stage that no wave of the plan touches, beside those of the plan's exclude."`
	Baseline          Baseline           `yaml:"baseline" example:"debian-12" computed:"the plan's" doc:"The patch baseline of this stage's groups, where they run another system than the plan's others: so one plan takes tiers of several systems in their order."`
	Reboot            patch.Reboot       `yaml:"reboot" enum:"always,if_required,never" computed:"the plan's" example:"if_required" doc:"Whether an instance of this stage is rebooted after its install: see the plan's reboot."`
	Hooks             StageHooks         `yaml:"hooks" example:"{after_in: [{name: smoke, run: /opt/web/smoke-test}]}" doc:"What of your own is done on each instance of the stage, at the same points after the plan's; see docs/hooks.md."`
	Image             *Image             `yaml:"image" computed:"the plan's" example:"none" doc:"How the image of this stage's Auto Scaling groups is renewed, in place of all that the plan's image says."`
	Stopped           patch.Stopped      `yaml:"stopped" enum:"leave,start_and_stop" default:"leave" example:"start_and_stop" doc:"What is done with instances chosen by tags that are stopped as their turn comes. leave: nothing, and each is named as a gap. start_and_stop: each is started, patched, proven by a scan and its boot id, and stopped again; it is in no target group meanwhile, and health checks do not judge it. One that is registered in a target group, hibernated, or operated by a service is left and named. Not for Auto Scaling groups, which replace a member that is stopped."`
	WarmPool          patch.WarmPool     `yaml:"warm_pool" enum:"leave" default:"leave" example:"leave" doc:"What is done with instances that wait in the warm pool of an Auto Scaling group. leave: nothing; they come into service as they were prepared, so that plan and status tell of them, and the wave ends as succeeded_with_gaps. No other way would leave them patched: see decision 26."`
	Canary            *Canary            `yaml:"canary" example:"{instances: 1, bake: 1h}" doc:"The first instances of each group, which are watched for longer. The others of every group of the stage begin once all canaries have baked. One that fails holds the wave, whatever max_failures says."`
	Steps             []Step             `yaml:"steps" example:"[1, 10%, {to: 50%, soak: 1h, approval: true}, 100%]" doc:"How many of each group are patched before the stage waits: for all of its groups to have come as far, and for what the step asks. The last is 100%. A share alone, as in 10%, is short for {to: 10%}. One that fails in the first step holds the wave, whatever max_failures says. Not beside a canary, which is a first step with a longer bake."`
	Method            patch.Method       `yaml:"method" enum:"packages,image" default:"packages" example:"image" doc:"How instances of the stage get what they lack. packages: it is installed on each. image: each that lacks a patch gets a root volume of one image in place of its own, so that id, addresses and other volumes stay and all of them are identical; the way back is the old root volume. The image is made of a machine that the stages before have proven in the same account and region, or named by root_image. All that only lives on the root volume is lost: see state_on_root and decision 34."`
	StateOnRoot       patch.StateOnRoot  `yaml:"state_on_root" enum:"none" example:"none" doc:"With method: image it must be declared that root volumes hold nothing of worth that the image does not have: none."`
	RootImage         *RootImage         `yaml:"root_image" example:"{parameter: /aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64}" doc:"With method: image in the plan's first stage, which image that is; later stages get the image that it has proven. The parameter alone, as in root_image: /aws/service/..., is short for {parameter: ...}."`
}

// Step is how far a stage goes before it waits.
type Step struct {
	To       patch.Share `yaml:"to" required:"true" min:"1" max:"600" example:"10%" doc:"So many of each group's instances: a number, or a percentage of those that the wave takes of it, rounded down and at least one. Only those count that were patched in the wave: in the place of one that had nothing to do, or that was put back and skipped, the next one is taken. A step that is no more than what is patched already asks what it asks, and takes nobody."`
	Soak     *After      `yaml:"soak" example:"1h" doc:"How long the stage is left alone once the step is done, before the next begins: like the stage's after, with its health looked at, no lock held and nothing out of service. Not for the last step: write after in the next stage."`
	Approval *Approval   `yaml:"approval" example:"true" doc:"Somebody must approve before the next step begins, once it has soaked. true is short for {required: true}. Not for the last step: write approval in the next stage."`
}

// Short lets it be written as its share alone.
func (Step) Short() string { return "to" }

// Exclude chooses instances that are left as they are.
type Exclude struct {
	Tags map[string]string `yaml:"tags" required:"true" example:"{Patch: never}" doc:"Instances that carry all of these tags. Keys and values keep their case. The tags are read when a group begins, or goes on, and before each instance."`
}

// Canary is the first instances of each group of a stage.
type Canary struct {
	Instances int            `yaml:"instances" min:"1" max:"600" default:"1" example:"1" doc:"How many of each group. Only those count that were patched: in the place of one that had nothing to do, or that was put back and skipped, the next one is the canary."`
	Bake      patch.Duration `yaml:"bake" required:"true" min:"1m" example:"1h" doc:"How long a canary is watched after it is back in service, in place of the stage's bake, which must not be longer."`
}

// Group is an Auto Scaling group, or the instances that carry all of Tags.
type Group struct {
	Account          string            `yaml:"account" required:"true" example:"production" doc:"The name of one of the accounts."`
	Region           string            `yaml:"region" required:"true" example:"ap-northeast-1" doc:"One of that account's regions."`
	AutoScalingGroup string            `yaml:"auto_scaling_group" pattern:"^[^:|\\s][^:|]{0,254}$" example:"web" doc:"The name of an Auto Scaling group. Either this, or tags, or managed_nodes."`
	Tags             map[string]string `yaml:"tags" example:"{Role: web}" doc:"EC2 instances that carry all of these tags. Keys and values keep their case."`
	ManagedNodes     map[string]string `yaml:"managed_nodes" example:"{Role: till}" doc:"Managed nodes, which are machines outside EC2 that are registered with Systems Manager by a hybrid activation (mi-...), that carry all of these tags of Systems Manager. Nothing can put them back, so that the plan has to say backup: none and restore: none."`
	Baseline         Baseline          `yaml:"baseline" computed:"the stage's" example:"debian-12" doc:"The patch baseline of this group, where it runs another system than the others of its stage."`
}

// Approval is a gate before a stage.
type Approval struct {
	Required bool           `yaml:"required" required:"true" example:"true" doc:"Whether the gate is there."`
	Timeout  patch.Duration `yaml:"timeout" min:"1m" default:"24h" example:"24h" doc:"How long it waits; then the wave is aborted, and nothing more of the stage is touched."`
	FourEyes bool           `yaml:"four_eyes" default:"false" example:"true" doc:"Whether somebody must approve who did not start the wave. It keeps mistakes out, and nobody who means it: who somebody is, is what --actor or the Update says. It is firm only where your Temporal server lets nobody send another's name; docs/security.md says how."`
}

// Short lets it be written as true or false alone.
func (Approval) Short() string { return "required" }

// After is how long the stage before one must have been done.
type After struct {
	Duration patch.Duration `yaml:"duration" required:"true" min:"10m" max:"720h" example:"3d" doc:"How long, from 10m to 30d: a day is 24 hours, whatever the clocks do."`
	Healthy  bool           `yaml:"healthy" default:"true" example:"true" doc:"Whether its instances are looked at meanwhile, once an hour, by the health checks of their stage. What two looks see ill stops the wave, which asks people. false: it only waits."`
}

// AfterPlan is another plan that is waited for.
type AfterPlan struct {
	Plan    string         `yaml:"plan" required:"true" example:"database" doc:"The name of the other plan, which must not wait for this one in turn."`
	MaxAge  patch.Duration `yaml:"max_age" min:"1h" max:"720h" default:"24h" example:"24h" doc:"How long ago the other plan's last wave may have ended to count: with windows on the same day, last week's success is not taken for this week's."`
	Timeout patch.Duration `yaml:"timeout" min:"10m" max:"72h" default:"24h" example:"4h" doc:"How long it is waited; then the wave ends as aborted, with nothing changed, and people are told why. The cutoff of its window ends it as well."`
}

// Short lets it be written as the other plan's name alone.
func (AfterPlan) Short() string { return "plan" }

// Short lets it be written as its duration alone.
func (After) Short() string { return "duration" }

// OnFailure says what happens when a stage stops.
type OnFailure struct {
	Action  string         `yaml:"action" enum:"hold" default:"hold" example:"hold" doc:"The wave goes on hold, tells people, and waits for retry, skip, roll_back or abort."`
	Timeout patch.Duration `yaml:"timeout" min:"0s" default:"30m" example:"30m" doc:"How long it waits for somebody; 0s: for ever."`
	Then    patch.Verb     `yaml:"then" enum:"roll_back,skip,abort" default:"roll_back" example:"roll_back" doc:"What is decided when nobody answers in time."`
}

// Window is a maintenance window as it is written: when it opens, for how long, and when nothing new is started any
// more.
type Window struct {
	Schedule string         `yaml:"schedule" required:"true" example:"\"cron(0 2 ? * SUN#2 *)\"" doc:"In the syntax of AWS's maintenance windows: cron(minutes hours day-of-month month day-of-week year), where 1 is Sunday, or rate(7 days)."`
	Offset   string         `yaml:"offset" pattern:"^[1-6]d$" example:"4d" doc:"So many days after the cron() it opens, at the same time of the day, as ScheduleOffset of AWS's maintenance windows: with TUE#2 and 4d on the Saturday after the second Tuesday, which is the second or the third. 1d to 6d; not allowed with rate()."`
	Start    string         `yaml:"start" example:"\"2026-01-04T02:00:00+09:00\"" doc:"When a rate() counts from; needed with rate(), not allowed with cron()."`
	TimeZone string         `yaml:"time_zone" default:"UTC" example:"Asia/Tokyo" doc:"The time zone that the schedule is written in, by its IANA name."`
	Duration patch.Duration `yaml:"duration" required:"true" min:"1h" max:"24h" example:"4h" doc:"How long the window is open."`
	Cutoff   patch.Duration `yaml:"cutoff" min:"0s" default:"0s" example:"1h" doc:"How long before its end no further instance is started. Putting back is always allowed."`
	Jitter   patch.Duration `yaml:"jitter" min:"0s" default:"0s" example:"5m" doc:"By how much at most the start of a wave is put off after an opening, by chance, so that many plans do not ask AWS at once. None by default: what the schedule says is when it starts."`
}

// Blackout is one day or several, from their first midnight to their last.
type Blackout struct {
	From     string `yaml:"from" required:"true" pattern:"^[0-9]{4}-[0-9]{2}-[0-9]{2}$" example:"2026-12-24" doc:"The first day."`
	To       string `yaml:"to" pattern:"^[0-9]{4}-[0-9]{2}-[0-9]{2}$" computed:"the first day" example:"2026-12-26" doc:"The last day, which is in it."`
	TimeZone string `yaml:"time_zone" default:"UTC" example:"Asia/Tokyo" doc:"The time zone whose days these are, by its IANA name."`
	Reason   string `yaml:"reason" required:"true" example:"Christmas" doc:"Why, for whoever wonders that no wave starts."`
}

// Notify is one place that is told; exactly one key is set.
type Notify struct {
	Slack   *SlackTarget   `yaml:"slack" example:"{webhook_from: 'ssm:/patchtide/slack'}" doc:"A Slack channel, by an incoming webhook."`
	Teams   *TeamsTarget   `yaml:"teams" example:"{webhook_from: 'ssm:/patchtide/teams'}" doc:"A Microsoft Teams channel, by the webhook of a workflow."`
	SNS     *SNSTarget     `yaml:"sns" example:"{topic_arn: 'arn:aws:sns:ap-northeast-1:111122223333:patching'}" doc:"An SNS topic; in one of the accounts it is published on with that account's role, else with the worker's own."`
	Webhook *WebhookTarget `yaml:"webhook" example:"{url_from: 'file:/run/secrets/webhook'}" doc:"Any HTTPS address that accepts JSON."`
}

// SlackTarget is an incoming webhook; its address is a secret and therefore kept elsewhere.
type SlackTarget struct {
	WebhookFrom Source `yaml:"webhook_from" required:"true" example:"ssm:/patchtide/slack" doc:"Where the webhook's address is read from: file:PATH or ssm:/NAME."`
}

// TeamsTarget is the webhook of a Teams workflow; its address is a secret and therefore kept elsewhere.
type TeamsTarget struct {
	WebhookFrom Source `yaml:"webhook_from" required:"true" example:"ssm:/patchtide/teams" doc:"Where the webhook's address is read from: file:PATH or ssm:/NAME."`
}

// SNSTarget is a topic.
type SNSTarget struct {
	TopicARN string `yaml:"topic_arn" required:"true" pattern:"^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}(\\.fifo)?$" example:"arn:aws:sns:ap-northeast-1:111122223333:patching" doc:"The topic's ARN."`
}

// WebhookTarget is an address that accepts JSON; it may hold a secret and is therefore kept elsewhere.
type WebhookTarget struct {
	URLFrom Source `yaml:"url_from" required:"true" example:"file:/run/secrets/webhook" doc:"Where the address is read from: file:PATH or ssm:/NAME."`
}
