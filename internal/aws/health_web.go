package aws

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/patchtide/patchtide/internal/patch"
)

const (
	longestPath = 1024
	mostBody    = 64 << 10 // of an answer, as much as the probe looks at
)

// plainPath holds no quote, space, backslash, brace or control character, so that a path can stand in a script between
// single quotes and in a Run Command parameter without meaning anything there.
var plainPath = regexp.MustCompile(`^/[A-Za-z0-9._~!*+,;=:@%/?&-]*$`)

// plainName is a server's name in a script and a URL.
var plainName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,252})$`)

func checkWeb(where string, of patch.HealthCheck) error {
	check, kind := of.Web(), "http"
	if of.HTTPS != nil {
		kind = "https"
	}
	switch {
	case check.Port < 1 || check.Port > 65535:
		return Final(
			InvalidInput, "%s: %s check: port %d is not between 1 and 65535; write it like {path: /healthz, port: 80}", where,
			kind, check.Port,
		)
	case len(check.Path) > longestPath || !plainPath.MatchString(check.Path):
		return Final(
			InvalidInput,
			"%s: %s check: path %q must begin with / and hold only letters, digits and ._~!*+,;=:@%%/?&-, like /healthz",
			where, kind, check.Path,
		)
	case check.From != "" && check.From != "instance" && check.From != patch.FromWorker:
		return Final(
			InvalidInput, "%s: %s check: from %q is neither instance (the default) nor worker", where, kind, check.From,
		)
	case strings.Contains(check.Body, "{{") || strings.ContainsAny(check.Body, "\r\n\x00"):
		return Final(InvalidInput, "%s: %s check: body must be one line without {{", where, kind)
	}
	return nil
}

func checkHTTPS(where string, of patch.HealthCheck) error {
	check := of.HTTPS
	switch {
	case check.Insecure == (check.ServerName != ""):
		return Final(InvalidInput, "%s: https check: write either server_name or insecure: true", where)
	case check.ServerName != "" && !plainName.MatchString(check.ServerName):
		return Final(InvalidInput, "%s: https check: server_name %q is no host's name", where, check.ServerName)
	case len(check.HeadersFrom) > 0 && check.From != patch.FromWorker:
		return Final(InvalidInput, "%s: https check: headers_from needs from: worker, for a command's text is kept", where)
	}
	return checkWeb(where, of)
}

// dial asks a check from the worker at the instance's private address.
func (o Observer) dial(ctx context.Context, address string, check patch.HealthCheck) (patch.Answer, error) {
	seen, web := patch.Answer{Check: check}, check.Web()
	if o.HTTP == nil {
		return seen, Final(InvalidInput, "http check %s: this worker dials no instances; use from: instance", web.Path)
	}
	if address == "" {
		seen.Said = "the instance has no private address"
		return seen, nil
	}
	client := *o.HTTP
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	target := net.JoinHostPort(address, strconv.Itoa(web.Port))
	request, err := http.NewRequest(http.MethodGet, "http://"+target+web.Path, nil)
	if err != nil {
		return seen, Final(InvalidInput, "http check %s: %v", web.Path, err)
	}
	if check.HTTPS != nil {
		if err := o.secure(ctx, &client, request, *check.HTTPS); err != nil {
			return seen, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin*time.Second)
	defer cancel()
	answer, err := client.Do(request.WithContext(ctx))
	if err != nil {
		seen.Said = err.Error()
		return seen, nil
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, mostBody))
	if err != nil && web.Body != "" {
		seen.Said = err.Error()
	}
	seen.Status, seen.Lacks = answer.StatusCode, !strings.Contains(string(body), web.Body)
	return seen, nil
}

// secure makes a request one by TLS: with the name that its certificate must have, the CA that proves it, and headers
// whose values nobody else sees.
func (o Observer) secure(
	ctx context.Context, client *http.Client, request *http.Request, check patch.HTTPSCheck,
) error {
	request.URL.Scheme = "https"
	proof := &tls.Config{ServerName: check.ServerName, InsecureSkipVerify: check.Insecure}
	if check.ServerName != "" {
		request.Host = net.JoinHostPort(check.ServerName, strconv.Itoa(check.Port))
	}
	if check.CAFrom != "" {
		pem, err := o.secret(ctx, check.CAFrom)
		if err != nil {
			return err
		}
		proof.RootCAs = x509.NewCertPool()
		if !proof.RootCAs.AppendCertsFromPEM([]byte(pem)) {
			return MayPass("https check %s: %s holds no certificate, PEM", check.Path, check.CAFrom)
		}
	}
	for name, source := range check.HeadersFrom {
		value, err := o.secret(ctx, source)
		if err != nil {
			return err
		}
		request.Header.Set(name, value)
	}
	dials, ok := cmp.Or(client.Transport, http.DefaultTransport).(*http.Transport)
	if !ok {
		return Final(InvalidInput, "https check %s: this worker cannot ask by TLS; use from: instance", check.Path)
	}
	transport := dials.Clone()
	transport.TLSClientConfig, transport.DisableKeepAlives, transport.Proxy = proof, true, nil
	client.Transport = transport
	return nil
}
