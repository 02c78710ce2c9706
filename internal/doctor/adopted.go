package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	paws "github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/patch"
)

// adopted tells by which baselines the instances of a group are judged whose plan adopts what Systems Manager has.
func (p place) adopted(
	ctx context.Context, services *paws.Services, group patch.Group, instances map[string]ec2types.Instance,
) []Result {
	result := Result{Check: "patch group", Where: group.String(), State: OK}
	systems := map[string]string{}
	for some := range slices.Chunk(slices.Sorted(maps.Keys(instances)), paws.AgentsPage) {
		agents, err := paws.ReadAgents(ctx, services, group.String(), some)
		if err != nil {
			return []Result{p.unread("patch group", group.String(), err)}
		}
		for id, agent := range agents {
			systems[id] = patch.SystemOf(paws.Deref(agent.PlatformName), paws.Deref(agent.PlatformVersion))
		}
	}
	judges, err := paws.ReadAdopted(ctx, services, group.String(), instances, systems)
	if err != nil {
		return []Result{p.unread("patch group", group.String(), err)}
	}
	counts, unknown := map[string]int{}, []string{}
	for _, id := range slices.Sorted(maps.Keys(instances)) {
		if judges[id] == "" {
			unknown = append(unknown, id)
			continue
		}
		counts[judges[id]]++
	}
	var said []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		said = append(said, fmt.Sprintf("%d are judged by %s", counts[name], name))
	}
	result.Says = strings.Join(said, ", ")
	if len(unknown) > 0 {
		result.State = Unknown
		result.Says = strings.TrimPrefix(result.Says+"; who judges "+some(unknown, len(instances))+" is not known", "; ")
		result.Mend = "see that their agents are online, and that their tags PatchGroup and Patch Group name the same group"
	}
	return []Result{result}
}
