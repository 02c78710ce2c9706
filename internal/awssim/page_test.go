package awssim

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// visit asks for a page as a browser does, which signs nothing.
func (l *lab) visit(path string, headers http.Header) (status int, kind, body string) {
	l.t.Helper()
	request := httptest.NewRequestWithContext(l.t.Context(), http.MethodGet, path, http.NoBody)
	request.Header = headers
	recorder := httptest.NewRecorder()
	l.ServeHTTP(recorder, request)
	text, err := io.ReadAll(recorder.Body)
	require.NoError(l.t, err)
	return recorder.Code, recorder.Header().Get("Content-Type"), string(text)
}

func TestWhatABrowserAsksByItselfIsNoCallToAWS(t *testing.T) {
	l := newLab(t, "healthy")
	browser := http.Header{"Sec-Fetch-Mode": {"no-cors"}}
	for name, c := range map[string]struct {
		path    string
		headers http.Header
		status  int
		kind    string
	}{
		"the icon":          {"/favicon.ico", http.Header{}, http.StatusOK, "image/svg+xml"},
		"an icon of others": {"/apple-touch-icon.png", browser, http.StatusNotFound, "text/plain; charset=utf-8"},
	} {
		t.Run(name, func(t *testing.T) {
			status, kind, body := l.visit(c.path, c.headers)
			require.Equal(t, []any{c.status, c.kind}, []any{status, kind}, body)
			require.NotEmpty(t, body)
		})
	}
	require.Empty(t, l.Calls())
	require.Empty(t, l.Events())
	_, _, page := l.visit("/", browser)
	require.Contains(t, page, `<link rel="icon" href="/favicon.ico"`)
}

func TestThePageTellsWhatIsMissingFromWhatIsNotApproved(t *testing.T) {
	l := newLab(t, "healthy")
	_, _, page := l.visit("/", http.Header{}) // nothing is registered: AWS's default baseline counts
	require.Contains(t, page, "4 of 4 serving · min 2 · desired 4 · max 6 · at most 0 out at once · "+
		"12 patches missing, 16 newer than the baseline approves</p>")
}
