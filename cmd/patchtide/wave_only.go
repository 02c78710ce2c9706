package main

import (
	"github.com/spf13/cobra"

	"github.com/patchtide/patchtide/internal/patch"
)

// onlyFlags are whom one wave takes.
type onlyFlags struct{ zones, instances []string }

// flags adds what says so.
func (o *onlyFlags) flags(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&o.zones, "only-zones", nil,
		"take only instances in these availability zones, and leave the others as they are: ap-northeast-1a,ap-northeast-1c")
	cmd.Flags().StringSliceVar(&o.instances, "only-instances", nil,
		"take only these instances, and leave the others as they are: i-0123456789abcdef0")
}

// only is whom the wave takes; nil: everybody.
func (o *onlyFlags) only() *patch.Only {
	if len(o.zones)+len(o.instances) == 0 {
		return nil
	}
	return &patch.Only{Zones: o.zones, Instances: o.instances}
}
