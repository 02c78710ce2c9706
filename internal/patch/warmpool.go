package patch

import (
	"errors"
	"fmt"
	"slices"
)

// WarmPool says what is done with the instances that wait in a group's warm pool.
type WarmPool string

// WarmPoolLeave is the only word there is: they stay as they are, and are a gap of the group. "" is the same.
const WarmPoolLeave WarmPool = "leave"

// UnmarshalText reads the word; what sounds right and would patch nothing is refused by its own.
func (w *WarmPool) UnmarshalText(text []byte) error {
	const known = "write leave, which names them as a gap, or leave it out for that"
	switch word := WarmPool(text); word {
	case "", WarmPoolLeave:
		*w = word
		return nil
	case "recycle":
		return errors.New("recycle is not built: what comes in the place of those that are terminated comes from the " +
			"group's launch template, as old as they are, until that has a patched image; " + known)
	case "start_and_stop", "patch":
		return fmt.Errorf("%s is not built: AWS does not say what Auto Scaling does with one of its warm pool that somebody "+
			"else starts; %s", word, known)
	}
	return fmt.Errorf("%q is not known; %s", text, known)
}

// WarmPoolRunning is the state of a warm pool whose instances run while they wait.
const WarmPoolRunning = "Running"

// Untouched tells, for people, of what belongs to a group and is not patched with it: what carries its tags and is no
// member, who is stopped, and what waits in its warm pool.
func (s GroupState) Untouched() []string {
	notes := slices.Clone(s.Hidden)
	for _, member := range s.Members {
		if member.Rests() && member.LeftOut == "" {
			notes = append(notes, member.ToldAtRest())
		}
	}
	notes = append(notes, ToldLeftOut(s.LeftOut())...)
	if told := s.toldWarmPool(); told != "" {
		notes = append(notes, told)
	}
	return notes
}

// renewWarmPool is what mends it, as the guide has it: an instance refresh replaces who is in service first, then the
// warm pool (EC2 Auto Scaling User Guide, Update the instances in a warm pool).
const renewWarmPool = "renew the pool by an instance refresh, or delete it and put it again, once its image has the " +
	"patches"

// toldWarmPool says for people what a warm pool means for who comes into service from it; "": the group has none.
func (s GroupState) toldWarmPool() string {
	switch {
	case s.WarmPoolState == "":
		return ""
	case s.WarmPoolSize == 0:
		return "what waits in its warm pool is not patched, and serves as it was prepared: nobody does now; " + renewWarmPool
	}
	return s.warmPoolGap() + "; " + renewWarmPool
}

// warmPoolGap is why a group with such a pool is no plain success: a scale-out brings them into service. "": nobody
// waits.
func (s GroupState) warmPoolGap() string {
	switch {
	case s.WarmPoolState == "" || s.WarmPoolSize == 0:
		return ""
	case s.WarmPoolSize == 1:
		return "1 instance in its warm pool (" + s.WarmPoolState + ") is not patched, and serves as it was prepared"
	}
	return fmt.Sprintf("%d instances in its warm pool (%s) are not patched, and serve as they were prepared",
		s.WarmPoolSize, s.WarmPoolState)
}

// checkWarmPool refuses a surge that would come from a warm pool of running instances: they were launched before it, so
// that the one that comes could not be told from one that somebody attaches.
func (s GroupState) checkWarmPool(group Group, strategy Strategy) *Refusal {
	if strategy.Mode != CapacitySurge || s.WarmPoolState != WarmPoolRunning {
		return nil
	}
	return &Refusal{
		Code: RefusedCapacity, Where: group.String(),
		What: fmt.Sprintf("its warm pool keeps instances %s, and room would be made by one of them: it could not be told "+
			"from one that somebody attaches", s.WarmPoolState),
		WhatToDo: "use capacity: decrement with min below desired, or a warm pool of stopped instances",
	}
}
