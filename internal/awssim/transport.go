package awssim

import (
	"io"
	"net/http"
	"strconv"
	"strings"
)

// RoundTripper hands requests to a handler in memory, so that tests in simulated time need no port. A reply that the
// handler cuts off is io.ErrUnexpectedEOF.
func RoundTripper(handler http.Handler) http.RoundTripper { return roundTripper{handler} }

type roundTripper struct{ handler http.Handler }

func (t roundTripper) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	inner := r.Clone(r.Context())
	if inner.Body == nil {
		inner.Body = http.NoBody
	}
	if inner.Host == "" {
		inner.Host = r.URL.Host
	}
	defer inner.Body.Close()
	rec := &recorder{header: http.Header{}, status: http.StatusOK}
	t.handler.ServeHTTP(rec, inner)
	if rec.cut != nil {
		return nil, rec.cut
	}
	length := int64(rec.body.Len())
	if r.Method == http.MethodHead {
		length, _ = strconv.ParseInt(rec.header.Get("Content-Length"), 10, 64)
	}
	return &http.Response{
		Status: strconv.Itoa(rec.status) + " " + http.StatusText(rec.status), StatusCode: rec.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: rec.header, Request: r,
		Body: io.NopCloser(strings.NewReader(rec.body.String())), ContentLength: length,
	}, nil
}

type recorder struct {
	header http.Header
	status int
	body   strings.Builder
	cut    error
}

func (r *recorder) Header() http.Header            { return r.header }
func (r *recorder) WriteHeader(status int)         { r.status = status }
func (r *recorder) Write(part []byte) (int, error) { return r.body.Write(part) }
