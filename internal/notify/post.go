package notify

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/secreturl"
)

// Address reads a webhook's address from where the configuration says it is kept. It is a secret: its errors name the
// place, never the value, and neither do ours.
type Address func(ctx context.Context) (string, error)

const (
	longestPost  = 20 * time.Second // one request; chats answer within one
	longestPause = time.Hour        // of what a Retry-After may ask
	longestReply = 1000             // bytes of an answer that are read for its reason
)

// post sends one document. A reply of 2xx is success; 408, 429 and 5xx, and no reply at all, may pass; anything else is
// final.
func post(ctx context.Context, client *http.Client, address Address, body []byte, more http.Header) error {
	ctx, cancel := context.WithTimeout(ctx, longestPost)
	defer cancel()
	secret, err := address(ctx)
	if err != nil {
		return &AwayError{Why: fmt.Sprintf("its address could not be read: %v", err)}
	}
	target, ok := secreturl.Parse(secret)
	if !ok {
		return &RefusedError{
			Why: "what is kept as its address is no https:// address; look at the place that the configuration names",
		}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), bytes.NewReader(body))
	if err != nil {
		return &RefusedError{Why: "what is kept as its address is no address that can be asked"}
	}
	for name, values := range more {
		request.Header[name] = values
	}
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	request.Header.Set("User-Agent", "patchtide")
	reply, err := secreturl.Direct(client).Do(request)
	if err != nil {
		return &AwayError{Why: "no answer: " + without(target, secreturl.Cause(err))}
	}
	defer reply.Body.Close()
	if reply.StatusCode/100 == 2 {
		return nil
	}
	said, _ := io.ReadAll(io.LimitReader(reply.Body, longestReply)) // a reply cut short still has its status
	why := strings.TrimSuffix(
		fmt.Sprintf("it answered %d: %s", reply.StatusCode, line(without(target, string(said)), longestLine)), ": ",
	)
	if secreturl.Passes(reply.StatusCode) {
		return &AwayError{Why: why, RetryAfter: retryAfter(reply.Header.Get("Retry-After"), time.Now())}
	}
	return &RefusedError{Why: why}
}

// without takes every part of an address that may be a secret out of a text.
func without(target *url.URL, text string) string {
	for _, part := range secreturl.Parts(target) {
		if len(part) > 1 {
			text = strings.ReplaceAll(text, part, "[secret]")
		}
	}
	return text
}

// retryAfter reads the header's seconds or date (RFC 9110, 10.2.3); 0 for none.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(value); err == nil {
		return min(max(time.Duration(seconds)*time.Second, 0), longestPause)
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(at.Sub(now), 0), longestPause)
	}
	return 0
}
