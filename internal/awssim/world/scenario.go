package world

import "time"

// Scenario is what the world begins with and what goes wrong in it. It is written as YAML; see LoadScenario.
type Scenario struct {
	Name        string `yaml:"-"`       // the file's name without its ending
	Extends     string `yaml:"extends"` // a scenario whose top-level sections stand where this one has none
	Description string `yaml:"description"`
	Seed        uint64 `yaml:"seed"` // ids, order and faults by probability follow from it

	Home             Home              `yaml:"home"`
	Durations        Durations         `yaml:"durations"`
	OperatingSystems []OperatingSystem `yaml:"operating_systems"`
	Images           []ImageSpec       `yaml:"images"`
	Patches          []Patch           `yaml:"patches"`
	Accounts         []AccountSpec     `yaml:"accounts"`
	Faults           Faults            `yaml:"faults"`
	Doubts           []Doubt           `yaml:"doubts"` // what AWS does otherwise than believed

	// what the demo decides when the wave is on hold: roll_back, skip, retry or abort; "" when no hold is expected
	Decide string `yaml:"decide"`
	Expect Expect `yaml:"expect"`
}

// Expect is how a wave of the demo's plan ends in this scenario.
type Expect struct {
	Outcome string `yaml:"outcome"` // succeeded, succeeded_with_skips, rolled_back, aborted or failed
}

// Home is the account whose static key the worker holds.
type Home struct {
	Name            string `yaml:"name"`
	ID              string `yaml:"id"`
	AccessKeyID     string `yaml:"access_key_id"`
	SecretAccessKey string `yaml:"secret_access_key"`
	// a bucket of the home account, in the first region, from which all other accounts may read; empty: none
	Lists string `yaml:"lists"`
}

// Durations say how long things take, in AWS time. Those left out have the values of DefaultDurations.
type Durations struct {
	Scan            Duration `yaml:"scan"`             // AWS-RunPatchBaseline Scan
	Install         Duration `yaml:"install"`          // AWS-RunPatchBaseline Install, without its reboot
	Reboot          Duration `yaml:"reboot"`           // from the reboot until the system and its agent are back
	Snapshot        Duration `yaml:"snapshot"`         // pending until completed
	RootReplacement Duration `yaml:"root_replacement"` // until the task has succeeded, its reboot included
	Launch          Duration `yaml:"launch"`           // pending and boot of a new instance
	Stop            Duration `yaml:"stop"`             // stopping until stopped
	AppStart        Duration `yaml:"app_start"`        // from boot until the application answers
	ReadLag         Duration `yaml:"read_lag"`         // how far DescribeAutomationExecutions lags behind
	// how far Run Command's lists lag behind, and whether those by instance hide what no agent has fetched; none by
	// default
	CommandLag Duration `yaml:"command_lag"`
	// how long after its end an Automation step tells its outputs; at once by default
	StepLag    Duration `yaml:"step_lag"`
	ScalingLag Duration `yaml:"scaling_lag"` // how far Auto Scaling's describe calls lag behind; none by default
}

// DefaultDurations are those of a small Linux machine.
func DefaultDurations() Durations {
	return Durations{
		Scan: Duration(30 * time.Second), Install: Duration(90 * time.Second), Reboot: Duration(60 * time.Second),
		Snapshot: Duration(4 * time.Minute), RootReplacement: Duration(3 * time.Minute),
		Launch: Duration(60 * time.Second), Stop: Duration(30 * time.Second), AppStart: Duration(15 * time.Second),
		ReadLag: Duration(1500 * time.Millisecond),
	}
}

// OperatingSystem is a kind of machine: what it calls itself and which packages an unpatched one carries.
type OperatingSystem struct {
	Name            string `yaml:"name"`             // the scenario's name for it: amazon-linux-2023
	SSM             string `yaml:"ssm"`              // AMAZON_LINUX_2023, WINDOWS, ...: SSM's OperatingSystem
	Platform        string `yaml:"platform"`         // Linux or Windows
	PlatformName    string `yaml:"platform_name"`    // as the agent reports: Amazon Linux
	PlatformVersion string `yaml:"platform_version"` // as the agent reports: "2023"
	Product         string `yaml:"product"`          // value of the baseline filter PRODUCT: AmazonLinux2023
	Release         string `yaml:"release"`          // the release a machine reports among its facts
	// package whose version the running kernel has: kernel.x86_64
	Kernel string `yaml:"kernel"`
	// "name.arch" to "epoch:version-release"; on Windows KB id to "installed"
	Packages map[string]string `yaml:"packages"`
}

// Patch is one update in an operating system's repositories.
type Patch struct {
	OS             string   `yaml:"os"`             // name of an operating system above
	ID             string   `yaml:"id"`             // package "name.arch", or KB id on Windows
	Version        string   `yaml:"version"`        // "epoch:version-release"; "installed" on Windows
	Title          string   `yaml:"title"`          // default: id:version
	Severity       string   `yaml:"severity"`       // as the baseline filter SEVERITY or MSRC_SEVERITY has it
	Classification string   `yaml:"classification"` // Security, Bugfix, SecurityUpdates, ...
	AgeDays        int      `yaml:"age_days"`       // released so many days before the scenario's start
	CVEs           []string `yaml:"cves"`
	Reboot         bool     `yaml:"reboot"` // takes effect with the next boot only
	Breaks         []Breaks `yaml:"breaks"` // applications that fail once it is installed
	// of an update of Microsoft's applications: Office, and Office 2019
	Family  string `yaml:"family"`
	Product string `yaml:"product"`
	// id of a patch that has to take effect before this one is listed, as on Windows
	After string `yaml:"after"`
	// of Windows: an update that is no hotfix, such as definitions: patch states have it, the list of hotfixes does not
	Unlisted bool `yaml:"unlisted"`
	// packages that it brings where they are not there, in the newest version that the repositories serve
	Requires []string `yaml:"requires"`
	Since    string   `yaml:"since"` // the first release whose repositories serve it; empty: those of all
}

// Breaks names an application that a patch breaks.
type Breaks struct {
	App     string `yaml:"app"`
	Version string `yaml:"version"` // only this version of it; empty: every version
}

// ImageSpec is a machine image: an operating system as it was, and the application baked in.
type ImageSpec struct {
	ID   string `yaml:"id"` // ami-...
	Name string `yaml:"name"`
	OS   string `yaml:"os"`
	App  App    `yaml:"app"`

	ImageKind `yaml:",inline"`

	KMSKey string `yaml:"kms_key"` // ARN of the key of its encrypted root volume; empty: not encrypted

	Locks      []string `yaml:"locks"`      // packages that stay in the version that it has: version locks, holds
	Releasever string   `yaml:"releasever"` // in /etc/dnf/vars/releasever; empty: there is no such file
}

// App is the service a machine runs.
type App struct {
	Name    string `yaml:"name"`
	Version string `yaml:"version"`
	Port    int    `yaml:"port"`
	Path    string `yaml:"path"` // health path: 200 when healthy, 503 when not
	Body    string `yaml:"body"` // of its answer when healthy
	TLS     *TLS   `yaml:"tls"`  // nil: it speaks plain HTTP
}

// TLS is how an application proves who it is.
type TLS struct {
	Name string `yaml:"name"` // of its certificate
	CA   string `yaml:"ca"`   // PEM; empty: one that every machine knows
}

// AccountSpec is one account of the scenario.
type AccountSpec struct {
	ID      string       `yaml:"id"` // 12 digits
	Name    string       `yaml:"name"`
	Roles   []RoleSpec   `yaml:"roles"`
	Regions []RegionSpec `yaml:"regions"`

	ServiceControlPolicy string `yaml:"service_control_policy"` // of its organisation, JSON; empty: everything is allowed
}

// RoleSpec is a role that others may assume.
type RoleSpec struct {
	Name       string `yaml:"name"`
	ExternalID string `yaml:"external_id"` // must be presented by who assumes it; empty: none is asked for
	Policy     string `yaml:"policy"`      // JSON policy document; empty: it may do everything

	MaxSession Duration `yaml:"max_session"` // the longest session that may be asked for; 0 is AWS's hour
}

// RegionSpec is what lives in one region of an account.
type RegionSpec struct {
	Name           string             `yaml:"name"`
	Instances      []InstanceSpec     `yaml:"instances"`
	Nodes          []NodeSpec         `yaml:"managed_nodes"`
	Groups         []GroupSpec        `yaml:"auto_scaling_groups"`
	TargetGroups   []TargetGroupSpec  `yaml:"target_groups"`
	Alarms         []AlarmSpec        `yaml:"alarms"`
	SecurityGroups []string           `yaml:"security_groups"`
	Baselines      []DefaultBaseline  `yaml:"default_baselines"`
	Parameters     map[string]string  `yaml:"parameters"`
	Calendars      []CalendarSpec     `yaml:"calendars"`
	Windows        []MaintenanceSpec  `yaml:"maintenance_windows"`
	Associations   []AssociationsSpec `yaml:"associations"`
	Buckets        []string           `yaml:"buckets"` // of S3; their names are everybody's
	Topics         []string           `yaml:"topics"`  // of SNS
	Queues         []string           `yaml:"queues"`  // of SQS
	Functions      []FunctionSpec     `yaml:"functions"`
	DualStack      bool               `yaml:"dual_stack"` // its instances have an IPv6 address as well
}

// InstanceSpec is a standalone instance, or Count equal ones.
type InstanceSpec struct {
	Name         string            `yaml:"name"` // tag Name; several get -1, -2, ...
	Count        int               `yaml:"count"`
	Image        string            `yaml:"image"` // name of an image above
	Type         string            `yaml:"type"`
	Zone         string            `yaml:"zone"`  // full: ap-northeast-1a
	Zones        []string          `yaml:"zones"` // several instead, taken in turn
	Tags         map[string]string `yaml:"tags"`
	TargetGroups []string          `yaml:"target_groups"`
}

// GroupSpec is an Auto Scaling group.
type GroupSpec struct {
	Name            string            `yaml:"name"`
	Min             int               `yaml:"min"`
	Max             int               `yaml:"max"`
	Desired         int               `yaml:"desired"`
	Zones           []string          `yaml:"zones"`
	TargetGroups    []string          `yaml:"target_groups"`
	Grace           Duration          `yaml:"grace"`             // health check grace period
	HealthCheckType string            `yaml:"health_check_type"` // EC2 or ELB
	Image           string            `yaml:"image"`             // of the launch template
	Type            string            `yaml:"type"`
	Tags            map[string]string `yaml:"tags"` // propagated at launch

	Hooks       []HookSpec      `yaml:"lifecycle_hooks"`
	Scheduled   []ScheduledSpec `yaml:"scheduled_actions"`
	WarmPool    *WarmPoolSpec   `yaml:"warm_pool"`
	Suspended   []string        `yaml:"suspended"`             // processes, by somebody, before the scenario began
	Protects    bool            `yaml:"protected"`             // instances are protected from scale-in
	Operator    string          `yaml:"operator"`              // service that operates the group
	MaxLifetime Duration        `yaml:"max_instance_lifetime"` // 0: no limit

	// Mixed are the instance types that it launches instead of the template's, each in its turn.
	Mixed       []Override `yaml:"mixed_instances"`
	DesiredType string     `yaml:"desired_capacity_type"` // units, vcpu or memory-mib; empty: AWS tells none
}

// HookSpec is a lifecycle hook that nobody completes but by a call.
type HookSpec struct {
	Name          string   `yaml:"name"`
	Transition    string   `yaml:"transition"`     // launching or terminating
	Heartbeat     Duration `yaml:"heartbeat"`      // default 1h
	DefaultResult string   `yaml:"default_result"` // CONTINUE or ABANDON, the default
	Standby       bool     `yaml:"standby"`        // it holds up instances that leave Standby too, which AWS does not say
}

// ScheduledSpec is a scheduled action.
type ScheduledSpec struct {
	Name    string   `yaml:"name"`
	At      Duration `yaml:"at"` // after the scenario's start; with a recurrence, its first time besides
	Min     *int     `yaml:"min"`
	Max     *int     `yaml:"max"`
	Desired *int     `yaml:"desired"`

	Recurrence string `yaml:"recurrence"` // cron of five fields; empty: once
	TimeZone   string `yaml:"time_zone"`  // of the recurrence; empty: UTC
}

// WarmPoolSpec is a group's warm pool.
type WarmPoolSpec struct {
	MinSize     int    `yaml:"min_size"`
	MaxPrepared int    `yaml:"max_prepared"` // 0: the group's max
	State       string `yaml:"state"`        // Stopped, the default, Running or Hibernated
}

// TargetGroupSpec is a load balancer's target group.
type TargetGroupSpec struct {
	Name                string   `yaml:"name"`
	Port                int      `yaml:"port"`
	HealthPath          string   `yaml:"health_path"`
	HealthInterval      Duration `yaml:"health_interval"`
	HealthyThreshold    int      `yaml:"healthy_threshold"`
	UnhealthyThreshold  int      `yaml:"unhealthy_threshold"`
	DeregistrationDelay Duration `yaml:"deregistration_delay"`
	LoadBalancer        string   `yaml:"load_balancer"`   // empty: none, and its targets are unused
	TargetType          string   `yaml:"target_type"`     // instance, the default, or ip: addresses of instances and nodes
	AddressType         string   `yaml:"ip_address_type"` // ipv4, the default, or ipv6: addresses of that kind
	// of a network beside the instances' own: its targets are addresses of zone "all", by way of a peering
	Peered    bool     `yaml:"peered"`
	SlowStart Duration `yaml:"slow_start"`
	Unchecked bool     `yaml:"health_checks_disabled"` // targets are unavailable for ever
	// how long an unhealthy target is unhealthy.draining first
	UnhealthyDraining Duration `yaml:"unhealthy_draining"`
	// true, false or use_load_balancer_configuration, the default
	CrossZone string `yaml:"cross_zone"`
}

// AlarmSpec is a CloudWatch alarm that follows the health of a target group.
type AlarmSpec struct {
	Name              string   `yaml:"name"`
	TargetGroup       string   `yaml:"target_group"` // in ALARM while one of its targets in service answers with an error
	Metric            string   `yaml:"metric"`
	Period            Duration `yaml:"period"`
	EvaluationPeriods int      `yaml:"evaluation_periods"`
}

// DefaultBaseline makes a baseline the region's default for its operating system. Without one, AWS's own applies.
type DefaultBaseline struct {
	Name            string         `yaml:"name"`
	OperatingSystem string         `yaml:"operating_system"` // SSM's name: AMAZON_LINUX_2023
	Rules           []BaselineRule `yaml:"rules"`
}

// BaselineRule approves patches by severity and classification after some days.
type BaselineRule struct {
	Severities       []string `yaml:"severities"`      // empty: all
	Classifications  []string `yaml:"classifications"` // empty: all
	ApproveAfterDays int      `yaml:"approve_after_days"`
}

// CalendarSpec is a Change Calendar.
type CalendarSpec struct {
	Name    string   `yaml:"name"`
	State   string   `yaml:"state"`   // OPEN or CLOSED
	Changes Duration `yaml:"changes"` // after the scenario's start it becomes the other; 0: it does not
}

// MaintenanceSpec is a maintenance window of Systems Manager, somebody else's.
type MaintenanceSpec struct {
	Name     string `yaml:"name"`
	Enabled  bool   `yaml:"enabled"`
	Schedule string `yaml:"schedule"`
	Offset   int    `yaml:"offset"`    // days after the cron, 1 to 6; 0: none. Opens is told as it is
	TimeZone string `yaml:"time_zone"` // of the schedule; empty: none is told, and it is UTC
	Duration int    `yaml:"duration"`  // hours
	Cutoff   int    `yaml:"cutoff"`    // hours

	Opens     Duration          `yaml:"opens"`     // next execution after the scenario's start; 0: none is told
	Task      string            `yaml:"task"`      // document of its one Run Command task; empty: it has no task
	Operation string            `yaml:"operation"` // parameter of that document; empty: not given
	Tags      map[string]string `yaml:"tags"`      // the task's targets carry all of them
}

// AssociationsSpec is a State Manager association, somebody else's.
type AssociationsSpec struct {
	Name     string `yaml:"name"` // association name
	Document string `yaml:"document"`
	Schedule string `yaml:"schedule"`

	Operation  string              `yaml:"operation"`  // parameter of that document; empty: not given
	Parameters map[string][]string `yaml:"parameters"` // the others
	Tags       map[string]string   `yaml:"tags"`       // its targets carry all of them; empty: every managed node
}

// Faults are what goes wrong.
type Faults struct {
	API   []APIFault   `yaml:"api"`
	World []WorldFault `yaml:"world"`
}

// APIFault is a rule for calls; the server applies it.
type APIFault struct {
	Service     string   `yaml:"service"`     // ssm, ec2, autoscaling, ...; empty: any
	Operation   string   `yaml:"operation"`   // EnterStandby; empty: any
	Resource    string   `yaml:"resource"`    // part of the resource's name; empty: any
	Nth         int      `yaml:"nth"`         // only the nth matching call, from 1; 0: every one
	Probability float64  `yaml:"probability"` // 0..1; 0 means always
	Times       int      `yaml:"times"`       // at most so often; 0: no limit
	Kind        string   `yaml:"kind"`        // error, lost_reply, throttle, slow, wrong_state or partial
	Code        string   `yaml:"code"`        // the error's code, for kind error
	Delay       Duration `yaml:"delay"`       // for kind slow
}

// WorldFault is something that goes wrong inside AWS or a machine.
type WorldFault struct {
	Kind     string `yaml:"kind"`     // one of the Fault constants
	Account  string `yaml:"account"`  // the scenario's name of an account; empty: any
	Group    string `yaml:"group"`    // an Auto Scaling group; empty: any
	Instance string `yaml:"instance"` // tag Name, or "group/n" for the nth instance a group launched, from 1; empty: any
	Nth      int    `yaml:"nth"`      // from the nth matching occasion on, from 1; 0 is 1
	Times    int    `yaml:"times"`    // so often; 0: once; -1: always

	// When it happens, for the kinds that happen at a moment; without any, at the scenario's start.
	At    Duration `yaml:"at"`    // after the scenario's start
	On    string   `yaml:"on"`    // after a call in the account took effect: autoscaling:EnterStandby
	When  string   `yaml:"when"`  // standby: an instance reached Standby
	Delay Duration `yaml:"delay"` // so long after that

	By        int      `yaml:"by"`        // of scale_out and scale_in; 0 is 1
	Min       *int     `yaml:"min"`       // of limits_changed
	Max       *int     `yaml:"max"`       // of limits_changed
	Desired   *int     `yaml:"desired"`   // of limits_changed
	Processes []string `yaml:"processes"` // of suspended
}

// Kinds of WorldFault that strike at their own occasions.
const (
	FaultAgentSilent      = "agent_silent"       // the agent does not come back after a reboot that an install brings
	FaultRebootHangs      = "reboot_hangs"       // the machine does not come back after a reboot that an install brings
	FaultInstallFails     = "install_fails"      // AWS-RunPatchBaseline Install fails, some packages installed
	FaultScanFails        = "scan_fails"         // AWS-RunPatchBaseline Scan fails and reports nothing
	FaultDependencyFails  = "dependency_fails"   // it fails with exit code 196, nothing installed
	FaultRebootsInCircles = "reboots_in_circles" // it fails with exit code 3 after several reboots, everything installed

	// It fails with exit code 195, some packages installed, after a reboot.
	FaultInstallFailsRebooting = "install_fails_rebooting"

	FaultSnapshotFails       = "snapshot_fails"        // a snapshot ends in state error
	FaultRootReplaceFails    = "root_replace_fails"    // a root volume replacement ends failed, the old root attached
	FaultRootReplaceDetaches = "root_replace_detaches" // a root volume replacement ends failed-detached
	FaultNoCapacity          = "no_capacity"           // a launch, or the start of one that was stopped, finds no capacity
	// the key of an encrypted root volume cannot be used: see ImageSpec.KMSKey
	FaultKeyUnusable        = "kms_key_unusable"
	FaultOverrideUnreadable = "override_unreadable" // the machine cannot download an InstallOverrideList
	FaultDryInstallFails    = "dry_install_fails"   // a dry install says nothing: a repository is away
	FaultListScriptFails    = "list_script_fails"   // the script that reads a list fails on the machine
)

// Windows tells a Windows machine from a Linux one.
func (o *OperatingSystem) Windows() bool { return o.Platform == "Windows" }
