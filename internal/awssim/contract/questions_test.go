package contract_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/awssim/contract"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// inside does on simulated machines what no call does.
type inside struct{ s *simulator }

func (m inside) Silence(_ context.Context, _ *contract.Clients, id string) error {
	m.s.Inspect(func(*world.World) { m.s.region.Instance(id).StopAgent() })
	return nil
}

func (m inside) PutClock(_ context.Context, _ *contract.Clients, id string, wrong time.Duration) error {
	m.s.Inspect(func(*world.World) { m.s.region.Instance(id).PutClock(wrong) })
	return nil
}

// marketImage is the scenario's image that has a product code for these tests.
const marketImage = "web-2.4"

// asked is a simulated AWS that may be asked everything, changed as a name of Question.Doubts says.
func asked(t *testing.T, doubt string) *contract.Endpoint {
	t.Helper()
	s := newSimulatorOf(t, func(scenario *world.Scenario) {
		for n := range scenario.Images {
			if scenario.Images[n].Name == marketImage {
				scenario.Images[n].ProductCode = "abcdef0123456789abcdef012"
			}
		}
		switch doubt {
		case "":
		case undeliveredUnlisted:
			scenario.Durations.CommandLag = world.Duration(time.Second)
		default:
			require.Contains(t, world.Doubts(), world.Doubt(doubt), "the simulated AWS has no such doubt")
			scenario.Doubts = []world.Doubt{world.Doubt(doubt)}
		}
	})
	endpoint := s.endpoint(t)
	endpoint.Machines, endpoint.CanSkipDays = inside{s}, true
	// Days go by in an answer: each call is made with credentials of its own.
	endpoint.Config.Credentials = aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
		return s.config(t).Credentials.Retrieve(ctx)
	})
	s.Inspect(func(*world.World) {
		key := &world.Key{
			ARN: s.region.ARN("kms", "key/5f2c1e9a-0000-4000-8000-0000000000e2"), State: "Enabled", Via: "ec2",
		}
		s.region.PutKey(key)
		endpoint.EC2Key = key.ARN
		for _, image := range s.region.Images() {
			if image.Name == marketImage {
				endpoint.MarketImage = image.ID
			}
		}
	})
	require.NotEmpty(t, endpoint.MarketImage)
	return endpoint
}

// undeliveredUnlisted is no doubt but a duration: how late Run Command's lists are.
const undeliveredUnlisted = "undelivered-unlisted"

// The simulated AWS answers each question as is believed, and as each doubt says.
func TestTheSimulatorAnswersAsIsBelieved(t *testing.T) {
	for _, question := range contract.Questions() {
		worlds := map[string]string{"": question.Believed}
		maps.Copy(worlds, question.Doubts)
		for _, doubt := range slices.Sorted(maps.Keys(worlds)) {
			name := question.Name
			if doubt != "" {
				name += ", " + doubt
			}
			t.Run(name, func(t *testing.T) {
				endpoint := asked(t, doubt)
				if question.Needs != nil {
					require.Empty(t, question.Needs(endpoint))
				}
				answer, err, undone := question.Put(t.Context(), endpoint)
				require.NoError(t, err)
				require.NoError(t, undone)
				require.Equal(t, worlds[doubt], answer)
			})
		}
	}
}

// Every doubt of the simulated AWS is a question to the real one, and names are used once.
func TestEveryDoubtIsAQuestion(t *testing.T) {
	names, doubts := map[string]bool{}, map[string]bool{}
	for _, question := range contract.Questions() {
		require.False(t, names[question.Name], "two questions are called %s", question.Name)
		names[question.Name] = true
		require.NotEmpty(t, question.Asks, question.Name)
		require.NotEmpty(t, question.Matters, question.Name)
		for doubt := range question.Doubts {
			doubts[doubt] = true
		}
	}
	for _, doubt := range world.Doubts() {
		require.True(t, doubts[string(doubt)], "no question asks AWS about the doubt %s", doubt)
	}
}

// The page for people has every question, as the code has it; PATCHTIDE_UPDATE=1 writes it anew.
func TestTheFirstAccountsPageHasTheQuestions(t *testing.T) {
	const page = "../../../docs/first-account.md"
	const heading = "| question | asks | believed | matters because |\n|---|---|---|---|\n"
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	before, _, found := strings.Cut(string(text), heading)
	require.True(t, found, "%s has no table of questions", page)
	table := heading
	cell := strings.NewReplacer("|", `\|`)
	for _, q := range contract.Questions() {
		believed := q.Believed
		for _, doubt := range slices.Sorted(maps.Keys(q.Doubts)) {
			believed += fmt.Sprintf("; doubt `%s`: %s", doubt, q.Doubts[doubt])
		}
		table += fmt.Sprintf(
			"| `%s` | %s | %s | %s |\n", q.Name, cell.Replace(q.Asks), cell.Replace(believed), cell.Replace(q.Matters),
		)
	}
	if os.Getenv("PATCHTIDE_UPDATE") != "" {
		require.NoError(t, os.WriteFile(page, []byte(before+table), 0o644))
		return
	}
	require.Equal(t, table, string(text)[len(before):], "PATCHTIDE_UPDATE=1 writes it anew")
}
