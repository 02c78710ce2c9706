package console

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/term"

	"github.com/patchtide/patchtide/internal/palette"
	"github.com/patchtide/patchtide/internal/plain"
)

// Console writes a wave's progress. Its methods may be called at the same time, as a log's lines come when they come.
type Console struct {
	mu       sync.Mutex
	out      io.Writer
	terminal bool
	live     bool // it is drawn anew in place
	size     func() (width, height int)
	now      func() time.Time
	begun    time.Time
	clock    bool // lines that stay begin with the time of day

	last  Progress
	drawn int // lines of the live picture on the screen
	frame int // of the spinner
}

// New writes to out. The live picture is drawn when out is a terminal with colours; environ ("NAME=value") decides that
// too, by NO_COLOR, TERM and their like. Times shown count from now.
func New(out io.Writer, environ []string, now func() time.Time) *Console {
	writer := colorprofile.NewWriter(out, environ)
	if noColor(environ) {
		writer.Profile = colorprofile.NoTTY
	}
	c := &Console{out: writer, terminal: onTerminal(out), now: now, begun: now()}
	c.live = c.terminal && writer.Profile > colorprofile.ASCII
	c.size = func() (int, int) { return terminalSize(out) }
	return c
}

// ByClock lets lines that stay begin with the time of day instead of how long it has been: for a log that is read
// later.
func (c *Console) ByClock() *Console {
	c.clock = true
	return c
}

// noColor follows no-color.org: any value but an empty one turns colours off, CLICOLOR_FORCE or not.
func noColor(environ []string) bool {
	return slices.ContainsFunc(environ, func(pair string) bool {
		value, found := strings.CutPrefix(pair, "NO_COLOR=")
		return found && value != ""
	})
}

// Size where the terminal does not tell.
const (
	usualWidth  = 100
	usualHeight = 24
)

func terminalSize(out io.Writer) (width, height int) {
	if file, ok := out.(term.File); ok {
		if width, height, err := term.GetSize(file.Fd()); err == nil && width > 0 && height > 0 {
			return width, height
		}
	}
	return usualWidth, usualHeight
}

// Say writes one line that stays: what the laboratory itself does, such as approving in a person's place.
func (c *Console) Say(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keep(palette.Says.Render(plain.Line(fmt.Sprintf(format, args...))))
}

// Update shows the wave as it is now. Call it a few times a second: each call moves the spinner.
func (c *Console) Update(p Progress) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var before, kept []string
	for _, change := range changes(c.last, p) {
		if c.live && change.outcome == "" && !change.asks {
			continue // the picture shows it; only what matters later stays on the screen
		}
		if c.clock && c.last.WaveID == "" && change.outcome != "" {
			before = append(before, c.line(change))
			continue
		}
		kept = append(kept, c.line(change))
	}
	c.last = p
	c.frame++
	if len(before) > 0 {
		c.show("before", before)
	}
	c.show(c.stamp(), kept)
}

func (c *Console) line(change change) string {
	style, mark := palette.Plain, "  "
	switch {
	case change.asks:
		style, mark = palette.Asks, "! "
	case change.outcome != "":
		of := palette.Of(change.outcome)
		style, mark = of.Style, of.Sign+" "
	}
	return style.Render(mark) + change.subject + "  " + style.Render(change.what)
}

// keep writes a line above the live picture.
func (c *Console) keep(line string) { c.show(c.stamp(), []string{line}) }

// stamp is what lines of now begin with.
func (c *Console) stamp() string {
	if c.clock {
		return Clock(c.now())
	}
	return c.elapsed()
}

// show replaces the live picture by lines that stay, behind a stamp, followed by the picture as it is now.
func (c *Console) show(stamp string, kept []string) {
	var text strings.Builder
	c.erase(&text)
	stamp = fmt.Sprintf("%-*s", len(c.stamp()), stamp)
	for _, line := range kept {
		text.WriteString(c.wrap(palette.Quiet.Render(stamp)+"  "+line, len(stamp)+len("  ")) + "\n")
	}
	if c.live && len(c.last.Stages) > 0 {
		width, height := c.size()
		lines := picture(c.last, palette.Spin(c.frame), c.elapsed())
		// What is taller than the screen cannot be redrawn in place: what it asks is at its head, the newest stages at its
		// end.
		if most := height - 1; len(lines) > most && most > headLines {
			lines = slices.Concat(lines[:headLines], lines[len(lines)-most+headLines:])
		}
		for _, line := range lines {
			text.WriteString(ansi.Truncate(line, width-1, "…") + "\n")
		}
		c.drawn = len(lines)
	}
	c.write(text.String())
}

// wrap lets a long line go on under itself on a terminal.
func (c *Console) wrap(line string, indent int) string { return c.page().Wrap(line, indent) }

func (c *Console) page() Page {
	width, _ := c.size()
	return Page{Width: width, Terminal: c.terminal}
}

// erase removes the live picture; the cursor ends where its first line was.
func (c *Console) erase(text *strings.Builder) {
	if c.drawn > 0 {
		text.WriteString(ansi.CursorUp(c.drawn) + "\r" + ansi.EraseScreenBelow)
		c.drawn = 0
	}
}

// Done takes the live picture away, so that what follows begins on a clean line.
func (c *Console) Done() {
	c.mu.Lock()
	defer c.mu.Unlock()
	var text strings.Builder
	c.erase(&text)
	c.last.Stages = nil
	c.write(text.String())
}

// Log is where others in this process write their lines, such as a log on stderr: while the live picture is drawn they
// go above it, for a line that comes between would be drawn over. Without a live picture they go to w as they are.
func (c *Console) Log(w io.Writer) io.Writer {
	if !c.live || !onTerminal(w) {
		return w
	}
	return above{c}
}

// above keeps what is written to it above the live picture.
type above struct{ console *Console }

func (a above) Write(text []byte) (int, error) {
	a.console.mu.Lock()
	defer a.console.mu.Unlock()
	for line := range strings.Lines(string(text)) {
		a.console.keep(palette.Quiet.Render(plain.Line(line)))
	}
	return len(text), nil
}

// write has nobody to tell that a terminal is gone: the wave goes on all the same.
func (c *Console) write(text string) { _, _ = io.WriteString(c.out, text) }

// elapsed is minutes and seconds since the beginning: "01:05".
func (c *Console) elapsed() string {
	seconds := int(c.now().Sub(c.begun).Seconds())
	return fmt.Sprintf("%02d:%02d", seconds/60, seconds%60)
}
