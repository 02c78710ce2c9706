package config

import "github.com/patchtide/patchtide/internal/patch"

// checkPin refuses a plan whose stages cannot be bound to what those before them prove.
func (v *validator) checkPin(at string, plan Plan) {
	if plan.Pin != patch.PinManifest {
		return
	}
	if v.manifests == "" {
		v.doc.Problem(at+".pin", "machines read what binds them from a bucket, and none is named; write manifests: "+
			"s3://bucket/prefix, which their instance profiles may read, or pin: none")
	}
	if len(plan.Stages) == 1 {
		v.doc.Problem(at+".pin", "the plan has one stage, which nothing before it can bind; write pin: none, or a stage "+
			"before it")
	}
}
