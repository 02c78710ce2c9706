package config

import (
	"slices"

	"github.com/patchtide/patchtide/internal/patch"
)

// pin is what binds the plan's later stages; where it does not say, what the ones before prove. An image binds by
// itself.
func (p Plan) pin() patch.Pin {
	later := p.Stages[min(1, len(p.Stages)):]
	switch {
	case p.Pin != "":
		return p.Pin
	case slices.ContainsFunc(later, func(s Stage) bool { return s.Method != patch.MethodImage }):
		return patch.PinManifest
	}
	return patch.PinNone
}

// checkPin refuses a plan whose stages cannot be bound to what those before them prove: what nobody has said is not
// left out in silence.
func (v *validator) checkPin(at string, plan Plan) {
	if plan.pin() != patch.PinManifest {
		return
	}
	key := at + ".pin"
	if !v.doc.Has(key) {
		key = at + ".stages"
	}
	if v.manifests == "" {
		v.doc.Problem(key, "production is bound to what staging proves (pin: manifest), and machines read what binds "+
			"them from a bucket, of which none is named; write manifests: s3://bucket/prefix, which their instance profiles "+
			"may read, or pin: none in the plan")
	}
	if len(plan.Stages) == 1 {
		v.doc.Problem(key, "the plan has one stage, which nothing before it can bind; write pin: none, or a stage before it")
	}
}
