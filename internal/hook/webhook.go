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
type PassingError struct{ Why string }

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
// well, and any other that will not pass did not. 202 says that it goes on: the same request asks again.
func (w Webhook) Ask(ctx context.Context, about patch.HookAbout) (*patch.HookEnd, error) {
	target, ok := secreturl.Parse(w.URL)
	if !ok {
		return &patch.HookEnd{Failed: "what is kept as its address is no https:// address; look at the place that url_from " +
			"names"}, nil
	}
	if w.Secret == "" {
		return &patch.HookEnd{Failed: "what is kept as its secret is empty; look at the place that secret_from names"}, nil
	}
	body, err := json.Marshal(about)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), bytes.NewReader(body))
	if err != nil {
		return &patch.HookEnd{Failed: "what is kept as its address is no address that can be asked"}, nil
	}
	at := time.Now().Unix()
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	request.Header.Set("User-Agent", "patchtide")
	request.Header.Set("Idempotency-Key", about.Token)
	request.Header.Set(HeaderTime, strconv.FormatInt(at, 10))
	request.Header.Set(HeaderSignature, Sign(w.Secret, at, body))
	secrets := append(secreturl.Parts(target), w.Secret)
	reply, err := secreturl.Direct(w.Client).Do(request)
	if err != nil {
		return nil, &PassingError{Why: "no answer: " + Cut(secreturl.Cause(err), secrets...)}
	}
	defer func() { _ = reply.Body.Close() }()
	said, _ := io.ReadAll(io.LimitReader(reply.Body, longestReply)) // one that is cut short has its status still
	output := Output(string(said), secrets...)
	switch code := reply.StatusCode; {
	case code == http.StatusAccepted:
		return nil, &PassingError{Why: "it has answered 202: it goes on"}
	case code/100 == 2:
		return &patch.HookEnd{Output: output}, nil
	case secreturl.Passes(code):
		return nil, &PassingError{Why: answered(code, output)}
	default:
		return &patch.HookEnd{Failed: answered(code, output), Output: output}, nil
	}
}

func answered(code int, output string) string {
	line, _, _ := strings.Cut(output, "\n")
	return strings.TrimSuffix(fmt.Sprintf("it answered %d: %s", code, patch.Clip(line, 200)), ": ")
}
