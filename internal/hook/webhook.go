package hook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/secreturl"
)

// longestReply is how many bytes of an answer are read.
const longestReply = 64 << 10

// Headers of a request, beside the common Idempotency-Key: when it was made, in seconds since 1970, and
// "sha256=" with the hexadecimal HMAC-SHA256 of that time, a dot and the body.
const (
	HeaderTime      = "Patchtide-Timestamp"
	HeaderSignature = "Patchtide-Signature"
)

// Webhook is one address that is asked.
type Webhook struct {
	URL    string
	Secret string // what requests are signed with
	Client *http.Client
}

// PassingError says that there is no answer yet, and may be one to another request: nobody answered, or with 202, 408,
// 429 or 5xx. Its text holds no address.
type PassingError struct {
	Why    string
	After  time.Duration // how long the answer wants to be left alone, by its Retry-After; 0: it does not say
	Status string        // where an answer of 202 says that it may be seen how it goes on: a secret; "": it does not say
}

// Error tells why.
func (e *PassingError) Error() string { return e.Why }

// Sign is the signature of a body at a time.
func Sign(secret string, at int64, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(strconv.FormatInt(at, 10) + "."))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// Ask posts what the hook is about, signed, with its token as Idempotency-Key, and reads the answer: 2xx but 202 ended
// well, and any other that will not pass did not. 202 says that it goes on, and where that may be seen: Look. Where it
// does not say so the same request asks again.
func (w Webhook) Ask(ctx context.Context, about patch.HookAbout) (*patch.HookEnd, error) {
	body, err := json.Marshal(about)
	if err != nil {
		return nil, err
	}
	return w.send(ctx, http.MethodPost, "", about, body)
}

// Look asks at an address that a 202 of Ask named how it goes on, by a GET that is signed in the same way and has no
// body. 202 says that it goes on; every other answer is one as Ask's.
func (w Webhook) Look(ctx context.Context, about patch.HookAbout, status string) (*patch.HookEnd, error) {
	return w.send(ctx, http.MethodGet, status, about, nil)
}

// send makes a request to the address, or to another of the same host, and reads the answer.
func (w Webhook) send(
	ctx context.Context, method, status string, about patch.HookAbout, body []byte,
) (*patch.HookEnd, error) {
	target, ok := secreturl.Parse(w.URL)
	if !ok {
		return &patch.HookEnd{Failed: "what is kept as its address is no https:// address; look at the place that url_from " +
			"names"}, nil
	}
	if w.Secret == "" {
		return &patch.HookEnd{Failed: "what is kept as its secret is empty; look at the place that secret_from names"}, nil
	}
	secrets := append(secreturl.Parts(target), w.Secret)
	asked := target
	if status != "" {
		if asked, ok = sameHost(target, status); !ok { // the webhook has moved since
			return &patch.HookEnd{Failed: elsewhere}, nil
		}
		secrets = append(secrets, secreturl.Parts(asked)...)
	}
	request, err := http.NewRequestWithContext(ctx, method, asked.String(), bytes.NewReader(body))
	if err != nil {
		return &patch.HookEnd{Failed: "what is kept as its address is no address that can be asked"}, nil
	}
	at := time.Now().Unix()
	if body != nil {
		request.Header.Set("Content-Type", "application/json; charset=utf-8")
	}
	request.Header.Set("User-Agent", "patchtide")
	request.Header.Set("Idempotency-Key", about.Token)
	request.Header.Set(HeaderTime, strconv.FormatInt(at, 10))
	request.Header.Set(HeaderSignature, Sign(w.Secret, at, body))
	reply, err := secreturl.Direct(w.Client).Do(request)
	if err != nil {
		return nil, &PassingError{Why: "no answer: " + Cut(secreturl.Cause(err), secrets...)}
	}
	defer func() { _ = reply.Body.Close() }()
	said, _ := io.ReadAll(io.LimitReader(reply.Body, longestReply)) // one that is cut short has its status still
	output := Output(string(said), secrets...)
	switch code := reply.StatusCode; {
	case code == http.StatusAccepted:
		return accepted(target, status, reply)
	case code/100 == 2:
		return &patch.HookEnd{Output: output}, nil
	case secreturl.Passes(code):
		return nil, &PassingError{Why: answered(code, output), After: retryAfter(reply)}
	default:
		return &patch.HookEnd{Failed: answered(code, output), Output: output}, nil
	}
}

// elsewhere is why a 202 is believed no more.
const elsewhere = "it answered 202 and names an address of another host, which is not asked; what it has " +
	"begun may go on"

// accepted is what an answer of 202 says: where to look from now on, which is where it was looked, unless it names
// another place.
func accepted(target *url.URL, status string, reply *http.Response) (*patch.HookEnd, error) {
	goesOn := &PassingError{Why: "it has answered 202: it goes on", After: retryAfter(reply), Status: status}
	location := reply.Header.Get("Location")
	if location == "" {
		return nil, goesOn
	}
	from := target
	if reply.Request != nil && reply.Request.URL != nil {
		from = reply.Request.URL
	}
	named, err := from.Parse(location)
	if err != nil || len(location) > longestAddress {
		return &patch.HookEnd{Failed: elsewhere}, nil
	}
	if _, ok := sameHost(target, named.String()); !ok {
		return &patch.HookEnd{Failed: elsewhere}, nil
	}
	goesOn.Status = named.String()
	return nil, goesOn
}

// longestAddress is how many bytes the address of a 202 may have.
const longestAddress = 2 << 10

// sameHost reads an address that is asked only if it is of the same scheme, host and port as the webhook's: whoever
// answers for the webhook must not have us ask, from where we are, anybody else.
func sameHost(target *url.URL, address string) (*url.URL, bool) {
	named, err := url.Parse(address)
	if err != nil || named.Scheme != target.Scheme || !strings.EqualFold(named.Hostname(), target.Hostname()) ||
		portOf(named) != portOf(target) || named.User != nil && named.User.String() != target.User.String() {
		return nil, false
	}
	named.Fragment = ""
	return named, true
}

func portOf(address *url.URL) string {
	if port := address.Port(); port != "" {
		return port
	}
	return map[string]string{"https": "443", "http": "80"}[address.Scheme]
}

// retryAfter reads the header, of seconds or of a date (RFC 9110, 10.2.3).
func retryAfter(reply *http.Response) time.Duration {
	text := strings.TrimSpace(reply.Header.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(time.Until(at), 0)
	}
	return 0
}

func answered(code int, output string) string {
	line, _, _ := strings.Cut(output, "\n")
	return strings.TrimSuffix(fmt.Sprintf("it answered %d: %s", code, patch.Clip(line, 200)), ": ")
}
