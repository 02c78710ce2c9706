// Package doctor looks at everything that a wave relies on, from where the worker runs, and changes nothing there:
// credentials and roles, what the roles may do, agents, patch baselines, Temporal and who polls it, clocks, evidence
// and its key. What it finds says how to mend it.
package doctor

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"go.temporal.io/sdk/client"

	"github.com/patchtide/patchtide/config"
	paws "github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/baselinesync"
	"github.com/patchtide/patchtide/internal/worker"
)

// State is what a look came to.
type State string

// The states of a result.
const (
	OK      State = "ok"
	Problem State = "problem"
	Unknown State = "unknown" // it could not be looked at, or tells too little; Says has the reason. No problem
)

// Result is one look at one thing.
type Result struct {
	Check string `json:"check"` // what was looked at: role, agents, pollers, ...
	Where string `json:"where"` // account/region, an address, a place
	State State  `json:"state"`
	Says  string `json:"says"`
	Mend  string `json:"mend,omitempty"` // a command, or a setting; "" where it is ok
}

// Report is everything that was looked at, in the order of the configuration.
type Report struct {
	OK      bool     `json:"ok"` // there is no problem
	Results []Result `json:"results"`
}

// Temporal is a connection, as the configuration finds it.
type Temporal struct {
	Client    client.Client
	Namespace string
	Address   string
}

// Options are what a look needs. Config must have passed CheckWorker.
type Options struct {
	Config *config.Config
	AWS    aws.Config   // the worker's credentials
	HTTP   *http.Client // nil is the SDK's
	// Dial connects to Temporal; the caller's Close is called. Its error says what to set.
	Dial func(ctx context.Context) (Temporal, error)
	// Now is this machine's clock.
	Now func() time.Time
	// Version of Patchtide in the user agent.
	Version string
	// Deep asks AWS as well what Patchtide believes of it, as far as reading tells.
	Deep bool
	// Progress, when not nil, hears of each place that has been looked at; never at the same time.
	Progress func(done, all int, what string)
}

// budget bounds one place. A region that does not answer is a problem; the others are not kept waiting.
const budget = 2 * time.Minute

// job looks at one place.
type job struct {
	what string
	look func(ctx context.Context) []Result
}

// Look looks at everything until it is called off. A part that does not answer keeps no other from being looked at.
func Look(calledOff context.Context, options Options) Report {
	d := &doctor{Options: options}
	d.identity = sync.OnceValues(func() (string, error) { return d.ask(calledOff) })
	d.blocks = worker.Blocks(options.Config, d.config())
	jobs := []job{
		{"credentials", d.credentials},
		{"evidence", d.evidence},
		{"temporal", d.temporal},
	}
	for _, account := range options.Config.Accounts {
		for n, region := range account.Regions {
			// What a role may do is the same in every region.
			jobs = append(
				jobs, job{account.Name + "/" + region, place{doctor: d, account: account, region: region, first: n == 0}.look},
			)
		}
	}
	var mu sync.Mutex
	done := 0
	found := paws.EachPlace(calledOff, len(jobs), budget, func(ctx context.Context, i int) []Result {
		results := jobs[i].look(ctx)
		if calledOff.Err() != nil {
			results = []Result{{jobs[i].what, "", Unknown, "called off before it was looked at", "run patchtide doctor again"}}
		}
		mu.Lock()
		defer mu.Unlock()
		if done++; options.Progress != nil {
			options.Progress(done, len(jobs), jobs[i].what)
		}
		return results
	})
	report := Report{OK: true, Results: []Result{}}
	for _, results := range found {
		for _, result := range results {
			report.OK = report.OK && result.State != Problem
			report.Results = append(report.Results, result)
		}
	}
	return report
}

type doctor struct {
	Options
	identity func() (string, error) // ARN of whoever the worker's credentials belong to
	blocks   baselinesync.Blocks
	skew     time.Duration // AWS's clock less ours; set by ask
	dated    bool          // AWS told its time
}
