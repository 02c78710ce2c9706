package wavetest

import (
	"context"
	"sync"

	"github.com/patchtide/patchtide/internal/patch"
)

// Speakers are channels that remember what they were told; each may be made to fail.
type Speakers struct {
	mu       sync.Mutex
	Names    []string
	Heard    map[string][]patch.Notice
	Attempts map[string]int
	Fail     map[string]error
}

// NewSpeakers has those channels, all of which work.
func NewSpeakers(channels ...string) *Speakers {
	return &Speakers{
		Names: channels, Heard: map[string][]patch.Notice{}, Attempts: map[string]int{}, Fail: map[string]error{},
	}
}

// Kinds lists what a channel was told, in order.
func (s *Speakers) Kinds(channel string) []patch.NoticeKind {
	var kinds []patch.NoticeKind
	for _, notice := range s.Heard[channel] {
		kinds = append(kinds, notice.Kind)
	}
	return kinds
}

// Channels names them, as a notifier does.
func (s *Speakers) Channels() []string { return s.Names }

// Send remembers a notice, unless its channel is to fail.
func (s *Speakers) Send(_ context.Context, channel string, notice patch.Notice) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Attempts[channel]++
	if err := s.Fail[channel]; err != nil {
		return err
	}
	s.Heard[channel] = append(s.Heard[channel], notice)
	return nil
}

// Listen gives the worker channels, and remembers what they are told.
func (s *Scene) Listen(channels ...string) *Speakers {
	all := NewSpeakers(channels...)
	s.Control.Notifier, s.Control.Notices = all, s.Store
	return all
}
