package patch

import (
	"fmt"
	"strings"
	"time"
)

// Rough is a duration as people say one that is estimated: "2d 3h", "1h 20m", "25m", "40s"; whole seconds below two
// minutes, whole minutes below a day.
func (d Duration) Rough() string {
	switch whole := d.D().Round(time.Minute); {
	case d.D() < 2*time.Minute:
		return d.D().Round(time.Second).String()
	case whole < 24*time.Hour:
		return parts(int(whole.Hours()), "h", int(whole.Minutes())%60, "m")
	default:
		return parts(int(whole.Hours())/24, "d", int(whole.Hours())%24, "h")
	}
}

func parts(large int, of string, small int, in string) string {
	var said []string
	if large > 0 {
		said = append(said, fmt.Sprint(large)+of)
	}
	if small > 0 {
		said = append(said, fmt.Sprint(small)+in)
	}
	return strings.Join(said, " ")
}
