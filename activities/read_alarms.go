package activities

import (
	"context"

	"github.com/patchtide/patchtide/internal/aws"
	"github.com/patchtide/patchtide/internal/once"
	"github.com/patchtide/patchtide/internal/patch"
)

// ReadAlarmsInput names alarms where a group is.
type ReadAlarmsInput struct {
	Group  patch.Group
	Alarms []string
}

// AlarmsRead is how they stand, by name.
type AlarmsRead struct {
	Alarms []patch.AlarmObservation
}

// ReadAlarms reads how alarms stand, to be shown. It judges nothing and changes nothing. One that does not exist is an
// error, as it is where it would be judged by.
func (a *AWS) ReadAlarms(ctx context.Context, in ReadAlarmsInput) (_ *AlarmsRead, err error) {
	defer once.Typed(&err)
	s, err := a.connect(ctx, in.Group)
	if err != nil {
		return nil, err
	}
	seen, err := aws.ReadAlarms(ctx, s, in.Group, in.Alarms, a.speed())
	if err != nil {
		return nil, err
	}
	return &AlarmsRead{Alarms: seen}, nil
}
