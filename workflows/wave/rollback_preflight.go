package wave

import (
	"fmt"
	"strings"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/patchtide/patchtide/internal/names"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/workflows/internal/run"
	"github.com/patchtide/patchtide/workflows/preflight"
)

// verdicts is what stands against rolling a wave back, an instance a line.
type verdicts struct {
	able    int            // instances that can be put back
	begins  bool           // a group of such may begin
	refusal *patch.Refusal // why the first group of such may not; it keeps no other from it, and says so itself
	losses  []string       // what would be lost beyond the patches
	unable  []string       // what cannot be put back at all
	joined  []string       // to a domain, which may no longer trust it
	unknown []string       // nobody knows whether it is joined
}

// mayRollBack takes the locks, then looks at every instance and judges it, before anything is changed. What would be
// lost, or cannot be put back, refuses the whole unless the loss is accepted; then those that can be put back are. It
// says which machines may lose more than their patches; "" where none does.
func (w *wave) mayRollBack(ctx workflow.Context, request RollBackRequest) (caveat string, err error) {
	if err := w.lock(ctx); err != nil {
		return "", err
	}
	var found verdicts
	if err := inBatches(ctx, w, preflight.JudgeGroups, "judges", toJudge(w.roster.groups),
		func(batch []*lockedGroup) any {
			in := preflight.JudgeInput{WaveID: w.status.WaveID, Run: w.run, Plan: w.planOf(batch)}
			for _, held := range batch {
				in.Was = append(in.Was, held.results)
			}
			return in
		},
		func(held *lockedGroup, judged preflight.Judged) { held.judged = judged },
	); err != nil {
		return "", err
	}
	for _, held := range w.roster.groups {
		found.add(held, w.plan.Of(held.group).Platform)
	}
	caveat = patch.DomainCaveat(found.joined, found.unknown)
	switch {
	case found.able == 0 && len(found.unable) > 0:
		return "", temporal.NewNonRetryableApplicationError(fmt.Sprintf(
			"nothing of wave %s can be put back; nothing was changed:\n%s", request.WaveID, named(found.unable)),
			ErrNotRestorable, nil)
	case found.refusal != nil && !found.begins:
		return "", run.Refused(found.refusal)
	case !request.AcceptLoss && len(found.losses)+len(found.unable) > 0:
		return "", temporal.NewNonRetryableApplicationError(found.text(request.WaveID, caveat), ErrDataLoss, nil)
	}
	return caveat, nil
}

// add adds a group's, and keeps the verdicts in its results.
func (v *verdicts) add(held *lockedGroup, platform patch.Platform) {
	before := v.able
	for i, judged := range held.judged.Instances {
		v.judge(held, i, judged, platform)
	}
	if v.able == before {
		return
	}
	v.begins = v.begins || held.judged.Refusal == nil
	if v.refusal == nil {
		v.refusal = held.judged.Refusal
	}
}

// judge keeps the verdict of the group's i-th instance in its results.
func (v *verdicts) judge(held *lockedGroup, i int, judged preflight.JudgedInstance, platform patch.Platform) {
	was := &held.results[i]
	was.Outcome, was.Reason = judged.Verdict.Ends(), judged.Reason
	name := fmt.Sprintf("%s/%s", held.group, was.ID)
	switch judged.Verdict {
	case patch.PutBackAlready:
		was.AsBefore = true
	case patch.PutBackCan:
		v.able++
		switch domain := judged.Joined; {
		case platform != patch.Windows:
		case domain == nil:
			v.unknown = append(v.unknown, name)
		case *domain:
			v.joined = append(v.joined, name)
		}
	case patch.PutBackCannot:
		was.StillPatched = true
		v.unable = append(v.unable, name+": "+judged.Reason)
	}
	for _, loss := range judged.Losses {
		v.losses = append(v.losses, name+": "+loss)
	}
}

// text says what would be lost, and how to go on all the same.
func (v *verdicts) text(waveID, caveat string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "rolling back wave %s was refused, and nothing was changed.", waveID)
	if len(v.losses) > 0 {
		fmt.Fprintf(&text, " It would lose, beyond the patches:\n%s", named(v.losses))
	}
	if len(v.unable) > 0 {
		fmt.Fprintf(&text, " These cannot be put back at all and would stay patched:\n%s", named(v.unable))
	}
	if caveat != "" {
		text.WriteString(caveat + ". ")
	}
	fmt.Fprintf(&text, "To go on all the same, ask again with accept_loss: `%s`",
		names.VerbCommand(patch.RollBack, waveID, "--accept-loss"))
	return text.String()
}

// named lists what is said of instances, one a line.
func named(lines []string) string {
	var text strings.Builder
	for i, line := range lines {
		if i == run.MostListed {
			fmt.Fprintf(&text, "- and %d more\n", len(lines)-i)
			break
		}
		text.WriteString("- " + line + "\n")
	}
	return text.String()
}
