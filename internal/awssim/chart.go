package awssim

import (
	"fmt"
	"html/template"
	"strings"
	"time"
)

// The chart of a group: its size in pixels, and how much of AWS time it shows.
const (
	chartWidth  = 320
	chartHeight = 46
	chartSpan   = 2 * time.Hour
)

// chart draws how many instances of a group serve as a stepped line, with the desired number as a dashed one. It shows
// the last while, or less when the simulator is younger.
func chart(points []levelPoint, desired int, start, now time.Time) template.HTML {
	if from := now.Add(-chartSpan); start.Before(from) {
		start = from
	}
	span := max(now.Sub(start), time.Minute)
	top := max(desired, 1)
	for _, point := range points {
		top = max(top, point.serving)
	}
	x := func(at time.Time) float64 { return float64(chartWidth) * float64(at.Sub(start)) / float64(span) }
	y := func(count int) float64 { return 3 + float64(chartHeight-6)*(1-float64(count)/float64(top)) }
	level := 0
	var line strings.Builder
	for _, point := range points {
		if point.at.After(start) {
			break
		}
		level = point.serving
	}
	fmt.Fprintf(&line, "M0 %.1f", y(level))
	for _, point := range points {
		if point.at.After(start) {
			fmt.Fprintf(&line, "H%.1fV%.1f", x(point.at), y(point.serving))
			level = point.serving
		}
	}
	fmt.Fprintf(&line, "H%d", chartWidth)
	return template.HTML(fmt.Sprintf( // numbers only: nothing in it came from a client
		`<svg class="chart" viewBox="0 0 %d %d" preserveAspectRatio="none" role="img" aria-label="%d of %d in service">`+
			`<path class="area" d="%sV%d H0Z"/><path class="goal" d="M0 %.1fH%d"/><path class="line" d="%s"/></svg>`,
		chartWidth, chartHeight, level, desired, line.String(), chartHeight, y(desired), chartWidth, line.String()))
}
