package awssim

import (
	"time"

	"github.com/patchtide/patchtide/internal/awssim/world"
)

// level is how many instances of a group serve, over time.
type level struct {
	now    int
	points []levelPoint
}

type levelPoint struct {
	at      time.Time
	serving int
}

type levelKey struct {
	region *world.Region
	group  string // empty: standalone instances
}

// maxLevelPoints bounds what is kept of a group whose life is long; the older half is dropped.
const maxLevelPoints = 2000

// note counts an instance that begins or ceases to serve.
func (s *serviceRecord) note(record *instanceRecord, serves bool) {
	if record.serves == serves {
		return
	}
	record.serves = serves
	key := levelKey{record.instance.Region, record.group}
	l := s.levels[key]
	if l == nil {
		l = &level{}
		s.levels[key] = l
	}
	if serves {
		l.now++
	} else {
		l.now--
	}
	at := s.world.Now()
	if n := len(l.points); n > 0 && l.points[n-1].at.Equal(at) {
		l.points[n-1].serving = l.now
		return
	}
	if len(l.points) == maxLevelPoints {
		l.points = append(l.points[:0], l.points[maxLevelPoints/2:]...)
	}
	l.points = append(l.points, levelPoint{at, l.now})
}
