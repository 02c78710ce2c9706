// Package deploy_test checks the compose file and the Dockerfile where no container engine is at hand: that they load,
// fit each other, the code and the versions in go.mod, and keep the promises made in their comments.
package deploy_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/names"
)

const root = ".."

// load reads the compose file as `docker compose --profile ...` does, with nothing in the environment.
func load(t *testing.T, profiles ...string) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions(
		[]string{filepath.Join(root, "docker-compose.yml")},
		cli.WithWorkingDirectory(root), cli.WithProfiles(profiles), cli.WithResolvedPaths(true), cli.WithConsistency(true),
	)
	require.NoError(t, err)
	project, err := options.LoadProject(t.Context())
	require.NoError(t, err)
	return project
}

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, name))
	require.NoError(t, err)
	return string(content)
}

// required returns the version of a module in go.mod, without the v.
func required(t *testing.T, module string) string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^\s*` + regexp.QuoteMeta(module) + ` v(\S+)`).FindStringSubmatch(read(t, "go.mod"))
	require.NotNil(t, found, "%s is not in go.mod", module)
	return found[1]
}

func TestProfiles(t *testing.T) {
	temporal := []string{"namespace", "postgresql", "schema", "temporal", "ui"}
	for name, test := range map[string]struct {
		profiles []string
		more     []string
	}{
		"Temporal only":       {nil, nil},
		"the laboratory":      {[]string{"lab"}, []string{"aws", "first-wave", "worker-lab"}},
		"the product":         {[]string{"aws"}, []string{"worker"}},
		"never both together": {[]string{"lab", "aws"}, []string{"aws", "first-wave", "worker", "worker-lab"}},
	} {
		t.Run(name, func(t *testing.T) {
			project := load(t, test.profiles...)
			require.ElementsMatch(t, append(slices.Clone(temporal), test.more...), slices.Collect(maps.Keys(project.Services)))
			for service, dependencies := range dependencies(project) {
				for dependency := range dependencies {
					require.Contains(
						t, project.Services, dependency, "%s waits for %s, which this profile does not start", service, dependency,
					)
				}
			}
		})
	}
}

func dependencies(project *types.Project) map[string]types.DependsOnConfig {
	all := map[string]types.DependsOnConfig{}
	for name, service := range project.Services {
		all[name] = service.DependsOn
	}
	return all
}

// everything is the project with all of its services.
func everything(t *testing.T) *types.Project { return load(t, "lab", "aws") }

func TestEveryServiceIsPinnedAndWatched(t *testing.T) {
	project := everything(t)
	oneShots := map[string]bool{}
	for _, dependencies := range dependencies(project) {
		for name, dependency := range dependencies {
			if dependency.Condition == types.ServiceConditionCompletedSuccessfully {
				oneShots[name] = true
			}
		}
	}
	require.Equal(t, map[string]bool{"schema": true, "namespace": true}, oneShots)
	pinned := regexp.MustCompile(`^[a-z/-]+:[0-9]+\.[0-9]+(\.[0-9]+)?$`)
	for name, service := range project.Services {
		t.Run(name, func(t *testing.T) {
			if service.Build == nil {
				require.Regexp(t, pinned, service.Image)
			} else {
				require.True(t, strings.HasSuffix(service.Image, ":dev"), "built here, so never pulled by a release's name")
			}
			switch {
			case name == "first-wave":
				require.Nil(t, service.HealthCheck, "it ends")
				require.Equal(t, "no", service.Restart, "a wave is never started again by a restart")
			case oneShots[name]:
				require.Nil(t, service.HealthCheck, "it ends")
				require.Regexp(t, `^on-failure:`, service.Restart)
			default:
				require.NotNil(t, service.HealthCheck)
				require.NotEmpty(t, service.HealthCheck.Test)
				require.Equal(t, "unless-stopped", service.Restart)
			}
			for dependency, how := range service.DependsOn {
				if oneShots[dependency] {
					require.Equal(t, types.ServiceConditionCompletedSuccessfully, how.Condition, dependency)
				} else {
					require.Equal(t, types.ServiceConditionHealthy, how.Condition, dependency)
				}
			}
			for _, port := range service.Ports {
				require.Equal(t, "127.0.0.1", port.HostIP, "published on the loopback interface only")
			}
			for _, volume := range service.Volumes {
				if volume.Type == types.VolumeTypeBind && !strings.HasSuffix(volume.Source, "/patchtide.yaml") {
					require.DirExists(t, volume.Source)
					require.True(t, volume.ReadOnly)
				}
			}
		})
	}
}

func TestVersionsAreThoseOfGoMod(t *testing.T) {
	project := everything(t)
	server := required(t, "go.temporal.io/server")
	require.Equal(t, "temporalio/server:"+server, project.Services["temporal"].Image)
	require.Equal(t, "temporalio/admin-tools:"+server, project.Services["schema"].Image)
	require.Equal(t, "temporalio/admin-tools:"+server, project.Services["namespace"].Image)
	require.Equal(t, "temporalio/ui:"+required(t, "github.com/temporalio/ui-server/v2"), project.Services["ui"].Image)

	goVersion := regexp.MustCompile(`(?m)^go (\S+)$`).FindStringSubmatch(read(t, "go.mod"))[1]
	require.Contains(t, read(t, "Dockerfile"), "ARG GO_VERSION="+goVersion+"\n")
}

// TestTheUIOffersNoButtonThatTheDocsCallOff compares what is switched off in the UI with the table of Temporal's own
// buttons, both ways. internal/lab's tests hold the laboratory's UI to the same table.
func TestTheUIOffersNoButtonThatTheDocsCallOff(t *testing.T) {
	off := map[string]string{}
	rows := regexp.MustCompile("(?m)^\\| [^|]+ \\| `([A-Z_]+)` \\|").FindAllStringSubmatch(read(t, "docs/watching.md"), -1)
	for _, row := range rows {
		off["TEMPORAL_"+row[1]+"_DISABLED"] = "true"
	}
	require.NotEmpty(t, off)
	set := map[string]string{}
	for name, value := range everything(t).Services["ui"].Environment {
		if strings.HasSuffix(name, "_DISABLED") {
			require.NotNil(t, value, name)
			set[name] = *value
		}
	}
	require.Equal(t, off, set)
}

func TestDockerfile(t *testing.T) {
	dockerfile := read(t, "Dockerfile")
	stages := map[string]string{} // name to what it is made from
	for _, line := range regexp.MustCompile(`(?m)^FROM (\S+) AS (\S+)$`).FindAllStringSubmatch(dockerfile, -1) {
		stages[line[2]] = line[1]
	}
	for stage, from := range stages {
		_, own := stages[from]
		require.True(
			t, own || from == "scratch" || strings.Contains(from, ":"), "stage %s is made from %s without a tag", stage, from,
		)
		require.NotContains(t, from, ":latest")
	}
	require.Equal(t, "scratch", stages["base"])
	require.Contains(t, dockerfile, "CGO_ENABLED=0")
	require.Regexp(t, `(?m)^USER 65532:65532$`, dockerfile)
	for name, service := range everything(t).Services {
		if service.Build == nil {
			continue
		}
		require.Equal(t, "base", stages[service.Build.Target], "%s: target %s", name, service.Build.Target)
		require.FileExists(t, filepath.Join(service.Build.Context, "Dockerfile"))
	}
	for _, source := range regexp.MustCompile(`go build .* \./(\S+)`).FindAllStringSubmatch(dockerfile, -1) {
		require.DirExists(t, filepath.Join(root, source[1]))
	}
}

func TestNamesAreThoseOfTheCode(t *testing.T) {
	project := everything(t)
	attributes := project.Services["namespace"].Environment["SEARCH_ATTRIBUTES"]
	require.ElementsMatch(t, names.SearchAttributes(), strings.Fields(*attributes))
	for _, worker := range []string{"worker", "worker-lab"} {
		require.Equal(
			t, types.HealthCheckTest{"CMD", "probe", "pollers", names.TaskQueue}, project.Services[worker].HealthCheck.Test,
		)
	}
}

func TestTheLaboratoryLeadsNowhere(t *testing.T) {
	project := everything(t)
	worker := project.Services["worker-lab"]
	require.Equal(t, []string{"inside"}, slices.Collect(maps.Keys(worker.Networks)))
	require.True(t, project.Networks["inside"].Internal)
	require.Equal(t, "http://aws:4566", *worker.Environment["AWS_ENDPOINT_URL"])
	require.Equal(t, "true", *worker.Environment["AWS_EC2_METADATA_DISABLED"])

	product := project.Services["worker"]
	require.NotContains(t, product.Environment, "AWS_ENDPOINT_URL")
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
		require.Contains(t, product.Environment, name)
		require.Nil(t, product.Environment[name], "%s is passed on and never written down", name)
	}
}

func TestWorkersMayDoLittle(t *testing.T) {
	project := everything(t)
	for _, name := range []string{"worker", "worker-lab", "aws", "first-wave"} {
		service := project.Services[name]
		require.True(t, service.ReadOnly, name)
		require.Equal(t, []string{"ALL"}, service.CapDrop, name)
		require.Contains(t, service.SecurityOpt, "no-new-privileges:true", name)
	}
}
