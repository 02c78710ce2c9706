package aws

// How much is asked for at a time: the most that each call takes, by its API reference. A larger page is refused with a
// validation error, so that `patchtide doctor --deep` asks for each once.
const (
	AgentsPage       = 50  // DescribeInstanceInformation, and ids in a filter of it
	AssociationsPage = 50  // ListAssociations
	CommandsPage     = 50  // ListCommands, ListCommandInvocations
	PatchesPage      = 100 // DescribeInstancePatches
	AlarmsPage       = 100 // DescribeAlarms
	ActivitiesPage   = 100 // DescribeScalingActivities
)
