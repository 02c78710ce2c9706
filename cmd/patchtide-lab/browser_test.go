package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// screenshotsEnv names the folder that keeps what the browser saw; without it bin/ci/screenshots at the repository's
// root does.
const screenshotsEnv = "PATCHTIDE_SCREENSHOTS"

// pageBudget bounds the wait for one thing to appear in a page: a wave's stage on a busy machine.
const pageBudget = 2 * time.Minute

// browser is a Chromium without a window, which sees this machine only.
type browser struct {
	t       *testing.T
	ctx     context.Context
	folder  string
	shot    int
	started bool
}

// openBrowser starts Chromium. Where there is none the test fails: what people see must be looked at wherever tests
// run.
func openBrowser(t *testing.T) *browser {
	t.Helper()
	chromium, err := exec.LookPath("chromium")
	require.NoError(t, err, "install Debian's package chromium, as .ci/run does")
	folder := os.Getenv(screenshotsEnv)
	if folder == "" {
		folder = filepath.Join("..", "..", "bin", "ci", "screenshots")
	}
	require.NoError(t, os.MkdirAll(folder, 0o755))
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium), chromedp.WindowSize(1400, 1100),
		chromedp.NoSandbox,                           // root, which CI often is, gets no sandbox
		chromedp.Flag("disable-dev-shm-usage", true), // a container's /dev/shm is small
		chromedp.Flag("no-proxy-server", true),       // an inherited proxy must not come between us and the lab
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"),
	)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	// What it has to say of events that a newer Chromium knows is no news.
	ctx, cancel := chromedp.NewContext(allocator, chromedp.WithErrorf(func(string, ...any) {}))
	t.Cleanup(cancel)
	b := &browser{t: t, ctx: ctx, folder: folder}
	b.do("start", chromedp.EmulateViewport(width, height))
	b.started = true
	return b
}

// The browser's window, and one in which a wave's live table is seen to its last command.
const (
	width, height = 1400, 1100
	wholeTable    = 1680
)

// do acts, within the budget; what it was is named, and shown, when it fails.
func (b *browser) do(what string, actions ...chromedp.Action) {
	b.t.Helper()
	if err := b.try(actions...); err != nil {
		if b.started {
			b.keep("failed")
		}
		require.NoError(b.t, err, what)
	}
}

func (b *browser) try(actions ...chromedp.Action) error {
	ctx := b.ctx
	if b.started { // the first context is the browser's life
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(b.ctx, pageBudget)
		defer cancel()
	}
	return chromedp.Run(ctx, actions...)
}

// open loads a page.
func (b *browser) open(address string) {
	b.t.Helper()
	b.do("open "+address, chromedp.Navigate(address))
}

// contextGone is how the browser says that the page that was asked is there no more; its code is that of all errors.
var contextGone = regexp.MustCompile(`context .*\(-32000\)$`)

// await waits until an expression of the page is true, or some text, and returns it as text. One that fails is not true
// yet. The page may be loaded anew meanwhile, which takes the question with it: it is asked again.
func (b *browser) await(what, expression string) string {
	b.t.Helper()
	var found any
	b.do("wait until "+what, chromedp.ActionFunc(func(ctx context.Context) error {
		for {
			err := chromedp.Poll("(() => { try { return "+expression+" } catch { return false } })()", &found,
				chromedp.WithPollingInterval(100*time.Millisecond), chromedp.WithPollingTimeout(pageBudget)).Do(ctx)
			if err == nil || !contextGone.MatchString(err.Error()) {
				return err
			}
		}
	}))
	return fmt.Sprint(found)
}

// press clicks on what a person would, once it is there and can be pressed.
func (b *browser) press(selector string) {
	b.t.Helper()
	b.await(selector+" can be pressed", seen(selector)+" && !"+seen(selector)+".disabled")
	b.do("press "+selector, chromedp.Evaluate(seen(selector)+".click()", nil))
}

// seen is the first element of a selector that is shown: the UI keeps hidden copies for narrow screens.
func seen(selector string) string {
	return "[...document.querySelectorAll(" + strconv.Quote(selector) +
		")].find(e => e.offsetParent || e.closest('dialog[open]'))"
}

// write puts text into the JSON editor inside selector, as pasting does, and leaves it, whereupon the UI formats what
// it holds.
func (b *browser) write(selector, text string) {
	b.t.Helper()
	editor := seen(selector + " .cm-content")
	holds := editor + `.innerText.replace(/\s/g, "") == ` + strconv.Quote(strings.Join(strings.Fields(text), ""))
	b.await("the editor holds the text", `(() => {
		if (`+holds+`) return true;
		`+editor+`.focus();
		document.execCommand("selectAll");
		document.execCommand("insertText", false, `+strconv.Quote(text)+`);
		return false;
	})()`)
	b.do("leave the editor", chromedp.Evaluate("document.activeElement.blur()", nil))
	b.await("it is formatted and still there", editor+`.innerText.trim().includes("\n") && `+holds)
}

// form opens a form that starts a workflow, and waits until the UI has looked for an earlier one to fill in its input.
func (b *browser) form(address string) {
	b.t.Helper()
	b.open(address)
	b.await(
		"the UI has looked for an earlier input",
		`performance.getEntriesByType("resource").some(e => /workflows\?.*query=/.test(e.name))`,
	)
	b.await("the form says that a worker listens", `document.body.innerText.includes("Task Queue is Active")`)
}

// keepWhole is keep, of a live table with all its commands.
func (b *browser) keepWhole(name string) {
	b.t.Helper()
	b.do("make room", chromedp.EmulateViewport(width, wholeTable))
	b.keep(name)
	b.do("make it small again", chromedp.EmulateViewport(width, height))
}

// keep takes a picture of the page, numbered in order.
func (b *browser) keep(name string) {
	b.t.Helper()
	b.shot++
	var png []byte
	require.NoError(b.t, b.try(chromedp.CaptureScreenshot(&png)))
	file := filepath.Join(b.folder, fmt.Sprintf("%02d-%s.png", b.shot, name))
	require.NoError(b.t, os.WriteFile(file, png, 0o600))
	b.t.Logf("see %s", file)
}
