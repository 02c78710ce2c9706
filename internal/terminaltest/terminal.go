// Package terminaltest is a terminal for tests, as httptest is a server: a pseudo-terminal whose far end draws what is
// written to it, answers what a program asks a terminal, and types.
package terminaltest

import (
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
)

// Keys that are not letters, as a terminal sends them.
const (
	Enter = "\r"
	CtrlC = "\x03"
)

// patience bounds the wait for what a program should show, on a machine that is busy with everything else.
const patience = 2 * time.Minute

// Terminal is one terminal. Its program may be in this process or another.
type Terminal struct {
	Program *os.File // the program's end: its standard input, output and error

	t     *testing.T
	hands *os.File // the person's end
	mu    sync.Mutex
	drawn *vt.Emulator
	news  chan struct{} // closed when something was drawn
}

// Open makes a terminal of so many columns and rows, which ends with the test.
func Open(t *testing.T, columns, rows int) *Terminal {
	t.Helper()
	hands, program, err := pty.Open()
	require.NoError(t, err)
	require.NoError(t, pty.Setsize(hands, &pty.Winsize{Cols: uint16(columns), Rows: uint16(rows)}))
	s := &Terminal{Program: program, t: t, hands: hands, drawn: vt.NewEmulator(columns, rows), news: make(chan struct{})}
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(writer(s.draw), hands) })       // until no program holds its end: an error on Linux
	both.Go(func() { _, _ = io.Copy(hands, reader(s.drawn.Read)) }) // answers, until it is closed
	t.Cleanup(func() {
		require.NoError(t, program.Close())
		require.NoError(t, hands.Close())
		pipe, closes := s.drawn.InputPipe().(io.Closer)
		require.True(t, closes)
		require.NoError(t, pipe.Close())
		both.Wait()
	})
	return s
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

type reader func([]byte) (int, error)

func (r reader) Read(p []byte) (int, error) { return r(p) }

func (s *Terminal) draw(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.drawn.Write(p)
	close(s.news)
	s.news = make(chan struct{})
	return n, err
}

// Type types a text, or keys.
func (s *Terminal) Type(text string) {
	s.t.Helper()
	_, err := s.hands.WriteString(text)
	require.NoError(s.t, err)
}

// Shows waits until all the texts are on the terminal at once, and returns what is.
func (s *Terminal) Shows(texts ...string) string {
	s.t.Helper()
	missing := ""
	return s.Until(func(shown string) bool {
		missing = ""
		for _, one := range texts {
			if !strings.Contains(shown, one) {
				missing = one
			}
		}
		return missing == ""
	}, func() string { return "the terminal does not show " + missing })
}

// Until waits until what is on the terminal is as it should be, and returns it; wrong says what it is not. Lines have
// no spaces at their ends.
func (s *Terminal) Until(right func(shown string) bool, wrong func() string) (shown string) {
	s.t.Helper()
	s.until(func() bool {
		lines := strings.Split(s.drawn.String(), "\n")
		for i, line := range lines {
			lines[i] = strings.TrimRight(line, " ")
		}
		shown = strings.Join(lines, "\n")
		return right(shown)
	}, wrong)
	return shown
}

// IsWhole waits until a screen which took the terminal over has given it back, with its cursor.
func (s *Terminal) IsWhole() {
	s.t.Helper()
	s.until(func() bool {
		return !s.drawn.IsAltScreen() && !s.drawn.CursorHidden()
	}, func() string { return "the terminal is not given back" })
}

func (s *Terminal) until(right func() bool, wrong func() string) {
	s.t.Helper()
	late := time.After(patience)
	for {
		s.mu.Lock()
		isRight, text, news := right(), s.drawn.String(), s.news
		s.mu.Unlock()
		if isRight {
			return
		}
		select {
		case <-news:
		case <-late:
			require.FailNow(s.t, wrong(), text)
		}
	}
}
