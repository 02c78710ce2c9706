package doctor

import (
	"context"
	"fmt"

	"github.com/patchtide/patchtide/baselines"
	"github.com/patchtide/patchtide/internal/baselinesync"
	"github.com/patchtide/patchtide/internal/cloud"
)

// baselines compares Systems Manager's patch baselines with the files, for those that plans use here. One that is not
// there yet is no problem: a wave's first step makes it.
func (p place) baselines(ctx context.Context, clients *cloud.Clients) []Result {
	var results []Result
	for _, name := range p.used() {
		wanted, err := p.Config.Baselines.Load(name)
		if err != nil {
			results = append(results, Result{"baseline", p.String(), Problem, err.Error(), "run `patchtide check`"})
			continue
		}
		result, err := p.compare(ctx, clients, wanted)
		if err != nil {
			result = p.unread("baseline", p.String(), err)
		}
		results = append(results, result)
	}
	return results
}

// used are the baselines of the plans that have groups here.
func (p place) used() (names []string) {
	for _, use := range p.Config.BaselineUses() {
		if use.Account == p.account.Name && use.Region == p.region {
			names = append(names, use.Baseline)
		}
	}
	return names
}

func (p place) compare(ctx context.Context, clients *cloud.Clients, wanted baselines.Baseline) (Result, error) {
	result := Result{Check: "baseline", Where: p.String(), State: OK}
	found, err := baselinesync.Read(ctx, clients.Services(), p.String(), wanted)
	if err != nil {
		return result, err
	}
	if found.Missing() {
		result.Says = wanted.SSMName() + " is not there yet: the first wave makes it"
		return result, nil
	}
	if found, wanted, err = found.Forgiving(ctx, wanted, p.blocks); err != nil {
		result.State, result.Says = Unknown, "which patches are blocked is not known, and so not what it should reject: "+
			reason(err)
		result.Mend = "see what is told of the evidence, which keeps them"
		return result, nil
	}
	if drift := baselinesync.ReadDrift(ctx, clients.Services(), wanted, found); drift != nil {
		result.State, result.Says = Problem, fmt.Sprintf("%s differs from the file: %s", wanted.SSMName(), drift)
		result.Mend = "the next wave makes it equal to the file again, and so does `patchtide baseline sync " + wanted.Name +
			"`; if the change was meant, write it into the baseline's file in baselines_dir"
		return result, nil
	}
	result.Says = wanted.SSMName() + " is as the file says"
	return result, nil
}
