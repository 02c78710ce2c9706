// Package screen is the terminal screen on which a person watches one wave and steers it. It shows what it is given and
// asks its owner for everything else: it knows neither Temporal nor AWS, and leaving it touches nothing.
package screen

import (
	"context"
	"slices"
	"time"

	"charm.land/bubbles/v2/viewport"
	tea "charm.land/bubbletea/v2"

	"github.com/patchtide/patchtide/internal/console"
	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/wavelog"
)

// Look is what one look at the wave showed.
type Look struct {
	At      time.Time
	Status  patch.WaveStatus
	Details console.Details
	Closed  bool  // its workflow has ended
	Failure error // with Closed: it ended before it had a plan or a lock, and why
	Err     error // nobody answered; the rest is empty, but for what Temporal tells that it waits for
}

// Options are what a screen needs.
type Options struct {
	First     Look   // the first look has been had: a wave that does not answer at all gets no screen
	Actor     string // who decides
	UntilHold bool   // end when a person is asked, too
	// Look asks the wave anew; it comes back within seconds, also when nobody answers.
	Look func(ctx context.Context) Look
	// Tell sends a verb, and comes back when the wave has taken or refused it, or after seconds.
	Tell func(ctx context.Context, decision patch.Decision) error
	Now  func() time.Time
}

// Model is the screen. It is a tea.Model.
type Model struct {
	o             Options
	ctx           context.Context //nolint:containedctx // of the program: what it asks for ends with it
	width, height int
	last          Look // the last one that was answered
	trouble       error
	asked         time.Time // when the look that is under way began; zero: none is
	events        []wavelog.Event
	body, log     viewport.Model
	onLog         bool // the arrows scroll the events
	every         bool // every instance is shown, also where that does not fit
	explains      bool // what is asked and what each verb does is shown in the wave's place
	dialog        *dialog
	said          string // what became of the last verb
	frame         int    // of the spinner
	left          bool
}

// New is the screen of one wave. What it asks for ends with ctx.
func New(ctx context.Context, o Options) *Model {
	m := &Model{o: o, ctx: ctx, last: o.First, width: 80, height: 24, body: viewport.New(), log: viewport.New()}
	m.layout()
	return m
}

// Last is the last look that was answered, and Left reports whether the person went while the wave goes on.
func (m *Model) Last() Look { return m.last }

// Left reports whether the person left before the wave had ended.
func (m *Model) Left() bool { return m.left }

// Unsent is the verb that was being written when the screen ended; "": none was.
func (m *Model) Unsent() patch.Verb {
	if m.dialog == nil || m.dialog.sending {
		return ""
	}
	return m.dialog.verb
}

// EventsMsg is what happened, in order; whoever reads the wave's events sends it to the program.
type EventsMsg []wavelog.Event

type (
	lookMsg Look
	askMsg  struct{}
	tickMsg struct{}
	toldMsg struct{ err error }
)

// How often the wave is asked: often enough to feel live, seldom enough to be no load. And how often the spinner turns.
const (
	askEvery  = time.Second
	tickEvery = 250 * time.Millisecond
)

// mostEvents bounds what a screen that is left open for days keeps; `wave logs` has all of them.
const mostEvents = 2000

// Init begins to ask and to tick.
func (m *Model) Init() tea.Cmd { return tea.Batch(m.ask(), tick()) }

func (m *Model) ask() tea.Cmd {
	m.asked = m.o.Now()
	return func() tea.Msg { return lookMsg(m.o.Look(m.ctx)) }
}

// silentAfter is how long an answer may take before it is said that there is none yet.
const silentAfter = 3 * time.Second

func tick() tea.Cmd { return tea.Tick(tickEvery, func(time.Time) tea.Msg { return tickMsg{} }) }

// Update takes a message.
func (m *Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	cmd := m.take(msg)
	m.layout()
	return m, cmd
}

func (m *Model) take(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case lookMsg:
		return m.looked(Look(msg))
	case askMsg:
		return m.ask()
	case tickMsg:
		m.frame++
		return tick()
	case EventsMsg:
		m.events = append(m.events, msg...)
		m.events = slices.Delete(m.events, 0, max(len(m.events)-mostEvents, 0))
	case toldMsg:
		m.told(msg.err)
	case tea.KeyPressMsg:
		return m.pressed(msg)
	default:
		if m.dialog != nil {
			return m.dialog.update(msg) // a paste, and the cursor's blinking
		}
	}
	return nil
}

// looked takes a look, and ends the screen with the wave.
func (m *Model) looked(look Look) tea.Cmd {
	m.asked = time.Time{}
	if m.trouble = look.Err; look.Err != nil {
		m.last.Details.Waits = look.Details.Waits
	} else {
		if look.Status.State != m.last.Status.State || look.Status.Point() != m.last.Status.Point() {
			m.said = "" // the wave has gone on since
		}
		m.last = look
		if look.Closed || m.o.UntilHold && look.Status.Asks() {
			return tea.Quit
		}
	}
	return tea.Tick(askEvery, func(time.Time) tea.Msg { return askMsg{} })
}

// pressed takes a key.
func (m *Model) pressed(key tea.KeyPressMsg) tea.Cmd {
	name := key.String()
	switch {
	case name == "ctrl+c":
		m.left = true
		return tea.Quit
	case m.dialog != nil:
		return m.answer(key)
	}
	m.said = ""
	switch name {
	case "esc": // it goes back, as ? does; who presses it once too often is not to lose the screen
		m.explains = false
	case "q":
		m.left = true
		return tea.Quit
	case "tab":
		m.onLog = !m.onLog && m.showsLog()
	case "i":
		m.every = !m.every
	case "?":
		m.explains = !m.explains
		m.body.GotoTop()
	default:
		if verb, taken := m.verbOf(name); taken {
			m.dialog = newDialog(verb, m.last.Status)
			return m.dialog.focus(0)
		}
		m.said = m.noKey(name)
		return m.scroll(key)
	}
	return nil
}

// scroll moves the pane that the arrows are for.
func (m *Model) scroll(key tea.KeyPressMsg) (cmd tea.Cmd) {
	if m.onLog && m.showsLog() {
		m.log, cmd = m.log.Update(key)
	} else {
		m.body, cmd = m.body.Update(key)
	}
	return cmd
}
